#!/usr/bin/env python3
"""Estimates are right: each figure is compared with the truth, in standard errors that follow from the formula."""
from sampled import build, compare, equal, main, rows, sampled


def program():
    return build("../sampling/estimates.c", "-pthread")


def small_blocks():
    """Small blocks, from every function that allocates."""
    for sample in (512, 8192):
        compare(*sampled(program(), "small", sample=sample), sample)


def tiny_blocks():
    """Blocks of few bytes, where half a byte counts."""
    for sample in (2, 3, 10):
        compare(*sampled(program(), "tiny", sample=sample), sample)


def large_blocks():
    """Blocks of 8 bytes to 4 MiB in one place."""
    compare(*sampled(program(), "large", sample=256 << 10), 256 << 10)


def threads():
    """Blocks that one thread allocates and another frees."""
    compare(*sampled(program(), "crossing", sample=700), 700)


def every_byte():
    """A sample per byte: blocks of 16 bytes are missed, or count twice, once in nine million."""
    compare(*sampled(program(), "crossing", sample=1), 1)


def freed():
    """What was freed counts nothing: to the byte."""
    for sample in (1, 3, 500, 4096, 1 << 20):
        found = rows(sampled(program(), "freed", sample=sample)[1])
        for place, row in found.items():
            if place.endswith("_here") or place in ("mixed", "grown", "older", "newer"):
                equal(f"{place}: live, one sample per {sample}", (row["count"], row["size"]), (0, 0))


def temporary():
    """Temporary blocks are those that died before their thread allocated again."""
    for sample in (2, 512, 20000):
        found = rows(sampled(program(), "small", sample=sample)[1])
        equal("older", found["older"]["temporary_count"], 0)
        equal("newer", found["newer"]["temporary_count"], found["newer"]["allocated_count"])


def verified():
    """libunwind sees the same stacks."""
    output, stats = sampled(program(), "crossing", sample=5000, options=":verify=1")
    compare(output, stats, 5000)
    if stats["shim"]["verified"] == 0:
        raise AssertionError("no stack was verified")


if __name__ == "__main__":
    main(tiny_blocks, small_blocks, large_blocks, threads, every_byte, freed, temporary, verified)
