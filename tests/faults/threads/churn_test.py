#!/usr/bin/env python3
"""Threads without number. By hand, tests/faults/threads/long goes on with a hundred thousand."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, equal, main, traced  # noqa: E402

FEW, MANY = 200, 3000
# At most two batches of 20 are there at once, some threads of the first in their last instants: a shard each.
SHARDS_MAX = 45
SHARD_SIZE = 1 << 20  # bytes; more than one takes


def churn(threads, output="churn"):
    """Runs that many; all counts are equal to the program's own. The shim's private bytes."""
    program = build("threads/churn.c", "-pthread", output=output)
    show = ("--filter", "*churn.c", "--sort", "allocated")
    printed, stats = traced(program, threads, show=show)
    rows = [row for row in stats["stats"] if row["function"] == "work"]
    equal("bytes allocated by threads", sum(row["allocated_size"] for row in rows), int(printed))
    equal("what is live of them", sum(row["count"] for row in rows), 0)
    return stats["shim"]["private_bytes"]


def bounded():
    """Thousands of threads: joined, detached, cancelled, exiting; totals exact, memory bounded."""
    few, many = churn(FEW), churn(MANY)
    if many > few + SHARDS_MAX * SHARD_SIZE:
        raise AssertionError(f"the shim's memory grew from {few} after {FEW} threads to {many} after {MANY}")


if __name__ == "__main__":
    main(bounded)
