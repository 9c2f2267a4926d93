"""Memory: what tracing adds to the resident set of real programs, and to a context and to a live block."""

import os

from bench import HEAPTRACK, TRACESNAP, UNTRACED
from helper import STACKS, Contexts
from measure import Figure
from report import Result, Table, Verdict, mebibytes

NAME = "memory"
FACTOR = 1.6
ALLOWANCE = 8 << 20  # bytes
BLOCKS = (1, 9)  # per stack: the difference between two runs is that of blocks alone


def peaks(costs):
    """{variant: Figure} of the largest resident set."""
    return {variant: Figure.of(cost.peak for cost in runs) for variant, runs in costs.items()}


def run_program(bench, program, table, result):
    costs = bench.program_costs(program)
    found = peaks(costs)
    region = Figure.of(cost.region for cost in costs[TRACESNAP]).median
    base, traced = found[UNTRACED].median, found[TRACESNAP].median
    heaptrack = found[HEAPTRACK].median if HEAPTRACK in found else None
    both = traced + region
    contexts = bench.books[program.name]["totals"]["contexts"]
    table.rows.append(
        [
            program.name,
            mebibytes(base),
            mebibytes(traced),
            f"{traced / base:.2f}",
            mebibytes(region),
            f"{both / base:.2f}",
            mebibytes(heaptrack) if heaptrack else "",
            f"{heaptrack / base:.2f}" if heaptrack else "",
            f"{region / contexts:.0f} B",
        ]
    )
    result.verdicts.append(
        Verdict(
            f"{program.name}: peak and region below {FACTOR} times the untraced peak + {mebibytes(ALLOWANCE)}",
            both < FACTOR * base + ALLOWANCE,
            f"{mebibytes(both)} against {mebibytes(FACTOR * base + ALLOWANCE)}",
        )
    )
    result.data[program.name] = {
        "peak": {variant: figure.json() for variant, figure in found.items()},
        "region": region,
        "contexts": contexts,
        "peak_ratio": traced / base,
        "peak_and_region_ratio": both / base,
        "region_per_context": region / contexts,
    }


def resident(bench, variant, blocks):
    """(private bytes, region bytes, contexts) of contexts.c once it holds its blocks."""
    with Contexts(bench, variant, blocks) as target:
        private = target.memory("RssAnon")
        if variant != TRACESNAP:
            return private, 0, 0
        region = bench.region_of(target.pid)
        size = os.stat(region).st_blocks * 512
        contexts = bench.stats(region)["totals"]["contexts"]
    bench.clear_regions()
    return private, size, contexts


def run_units(bench, result):
    """Bytes per block and per context, from the program that makes little else."""
    if not bench.helper("contexts"):
        return
    few, many = ([resident(bench, variant, n) for variant in (UNTRACED, TRACESNAP)] for n in BLOCKS)
    more = [traced[0] - untraced[0] for untraced, traced in (few, many)]
    per_block = (more[1] - more[0]) / ((BLOCKS[1] - BLOCKS[0]) * STACKS)
    _, region, contexts = few[1]
    per_context = region / contexts
    table = Table(
        "Memory of the shim per unit",
        ["unit", "bytes", "where"],
        rows=[
            ["live block of 48 bytes", f"{per_block:.1f}", "private to the process"],
            ["context", f"{per_context:.1f}", "in the region; two nodes of the tree go with each"],
        ],
        note=f"contexts.c with {BLOCKS[0]} and with {BLOCKS[1]} blocks in each of {STACKS} stacks, once"
        " each; what the same program has untraced is taken off.",
    )
    result.tables.append(table)
    result.data["units"] = {"private_per_block": per_block, "region_per_context": per_context}


def run(bench):
    table = Table(
        "Memory of real programs",
        [
            "program",
            "untraced peak",
            "traced peak",
            "ratio",
            "region",
            "ratio with region",
            "heaptrack's peak",
            "ratio",
            "region per context",
        ],
        note="The traced peak already holds those pages of the region that the program touched, so that the"
        " ratio with region counts them twice: it is an upper bound, and the claim is made for it.",
    )
    result = Result(NAME, [table])
    for program in bench.programs():
        run_program(bench, program, table, result)
    run_units(bench, result)
    return result
