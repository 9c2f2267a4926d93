"""Memory: what tracing adds to the resident set of real programs and of a million live blocks, and to a
context and to a live block."""

import os

import case_micro
from helper import Contexts
from measure import Figure
from programs import Program
from report import Result, Table, Verdict, mebibytes
from timing import cell
from tracers import HEAPTRACK, SAMPLED, TRACESNAP, UNTRACED

NAME = "memory"
LIMIT = 1.25
SIZES = (16, 48, 128, 1024)  # the cases "hold-*" of micro.c
BLOCKS = (1 << 14, 1 << 17)  # held: the difference between two runs is that of blocks alone
MILLION = "live-1m"  # of micro.c
MILLION_RUNS = 2
SHOWN = (UNTRACED, TRACESNAP, SAMPLED, HEAPTRACK)


def peaks(costs):
    """{tracer's name: Figure} of the largest resident set."""
    return {name: Figure.of(cost.peak for cost in runs) for name, runs in costs.items()}


def add_program(bench, program, costs, table, result):
    found = peaks(costs)
    region = Figure.of(cost.region for cost in costs[TRACESNAP]).median
    base, traced = found[UNTRACED].median, found[TRACESNAP].median
    watched = {name: bench.cost(bench.tracers[name], program, watch=True) for name in (UNTRACED, TRACESNAP)}
    plain, ours = watched[UNTRACED].private, watched[TRACESNAP].private + watched[TRACESNAP].region
    outside = max(0, watched[TRACESNAP].region - watched[TRACESNAP].shared)
    whole = traced + outside
    others = [found[name].median / base if name in found else None for name in (SAMPLED, HEAPTRACK)]
    table.rows.append(
        [
            program.name,
            mebibytes(base),
            mebibytes(traced),
            mebibytes(region),
            mebibytes(outside),
            cell(whole / base),
            mebibytes(plain),
            mebibytes(ours),
            cell(ours / plain),
            *map(cell, others),
        ]
    )
    result.verdicts.append(
        Verdict(
            f"{program.name}: peak with the region at most {LIMIT} times the untraced peak",
            whole <= LIMIT * base,
            f"{whole / base:.3f}: {mebibytes(whole)} against {mebibytes(base)}",
        )
    )
    result.data[program.name] = {
        "peak": {name: figure.json() for name, figure in found.items()},
        "region": region,
        "region_outside_peak": outside,
        "peak_ratio": traced / base,
        "peak_with_region_ratio": whole / base,
        "private_untraced": plain,
        "private_and_region": ours,
        "private_and_region_ratio": ours / plain,
    }


def million_blocks(bench):
    """(Program, costs) of the small case with the most live blocks; None without a C compiler."""
    micro = bench.helper("micro")
    if not micro:
        return None
    program = Program(MILLION, "", [micro, MILLION])
    shown = [tracer for tracer in bench.timed() if tracer.name in SHOWN]
    bench.check_all(shown, program)
    return program, bench.measure(shown, program, MILLION_RUNS)


def context_bytes(bench):
    """Bytes of the region for a context, by the program that makes little else; None without a C compiler."""
    if not bench.helper("contexts"):
        return None
    with Contexts(bench, bench.tracers[TRACESNAP], 1) as target:
        region = bench.region_of(target.pid)
        size = os.stat(region).st_blocks * 512
        contexts = bench.stats(region)["totals"]["contexts"]
    bench.clear_regions()
    return size / contexts


def block_bytes(bench, size):
    """Private bytes that the shim takes for a live block of a size."""
    added = []
    for blocks in BLOCKS:
        command = [bench.helper("micro"), f"hold-{size}", "--rounds", str(blocks)]
        traced, plain = (
            case_micro.answer(bench.print_of(bench.tracers[name], command)[1])["private"]
            for name in (TRACESNAP, UNTRACED)
        )
        added.append(traced - plain)
    return (added[1] - added[0]) / (BLOCKS[1] - BLOCKS[0])


def add_units(bench, result):
    per_context = context_bytes(bench)
    if per_context is None:
        return
    per_block = {size: block_bytes(bench, size) for size in SIZES}
    table = Table(
        "Memory of the shim per unit",
        ["unit", "bytes", "where"],
        note=f"Blocks: micro.c with {BLOCKS[0]} and with {BLOCKS[1]} of them, once each; what the same program"
        " has untraced is taken off. Contexts: contexts.c, the region's size by its contexts.",
    )
    for size, found in per_block.items():
        table.rows.append([f"live block of {size} bytes", f"{found:.1f}", "private to the process"])
    table.rows.append(["context", f"{per_context:.1f}", "in the region; two nodes of the tree go with each"])
    result.tables.append(table)
    result.data["units"] = {"private_per_block": per_block, "region_per_context": per_context}


def run(bench):
    table = Table(
        "Memory",
        [
            *("program", "untraced peak", "traced peak", "region", "not in the peak", "ratio"),
            *("private, untraced", "private and region, traced", "ratio", SAMPLED, HEAPTRACK),
        ],
        note="Peaks are largest resident sets as the kernel keeps them; the traced one holds those pages of the"
        " region that the process touched, and the first ratio, which the claim is about, adds those that it"
        " did not. Private is the largest anonymous memory, looked up every millisecond in one run. The last"
        f" columns are ratios of peaks. {MILLION}: 1,048,576 blocks of 16 to 128 bytes.",
    )
    result = Result(NAME, [table])
    for program in bench.programs():
        add_program(bench, program, bench.program_costs(program), table, result)
    million = million_blocks(bench)
    if million:
        add_program(bench, *million, table, result)
    add_units(bench, result)
    return result
