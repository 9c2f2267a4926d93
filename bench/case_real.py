"""Real programs: untraced, with tracesnap, and with the tracers that stand their full work."""

import timing
from measure import Figure
from report import Result, Table, mega, seconds
from timing import added, share
from tracers import HEAPTRACK, HEAPTRACK_WHOLE, UNTRACED

NAME = "real"
KINDS = ("wall", "cpu")
LIMITS = {"cc1plus": 1.2, "sqlite3": 1.05, "jq": 1.05, "redis": 1.05, "git": 1.05}


def figures(costs):
    """{kind: {tracer: Figure}}"""
    return {
        kind: {name: Figure.of(getattr(cost, kind) for cost in runs) for name, runs in costs.items()}
        for kind in KINDS
    }


def share_row(name, measured, books):
    return [
        name,
        mega(books["totals"]["allocated_count"]),
        mega(books["heaptrack_count"]) if "heaptrack_count" in books else "",
        str(books["totals"]["contexts"]),
        *(timing.cell(share(measured[kind], of)) for of in (HEAPTRACK, HEAPTRACK_WHOLE) for kind in KINDS),
    ]


def data_of(program, measured, books, tracers):
    return {
        "what": program.what,
        "times": {
            name: {kind: measured[kind][name].json() for kind in KINDS} for name in measured["wall"]
        },
        "added": {
            tracer.name: {kind: added(measured[kind], tracer.name, tracer.base) for kind in KINDS}
            for tracer in tracers
            if tracer.name != UNTRACED
        },
        "added_share": {
            of: {kind: share(measured[kind], of) for kind in KINDS} for of in (HEAPTRACK, HEAPTRACK_WHOLE)
        },
        "counted": books,
    }


def run(bench):
    tracers = bench.timed()
    ratios = timing.overview(
        "Real programs: wall time as a multiple of the base's",
        tracers,
        note="The base is the untraced program, but for a profile of another allocator that allocator without"
        " a profile. '~': this figure or its base is noisy.",
    )
    times = Table(
        "Time of real programs",
        ["program", "tracer", "wall", "min..max", "ratio", "added", "ratio of CPU time"],
        note="The claims are about wall time; CPU time is less disturbed by other programs.",
        notes=timing.notes_of(tracers),
    )
    shares = Table(
        "Added time of tracesnap as a part of heaptrack's",
        [
            *("program", "allocations", "as heaptrack counts", "contexts"),
            *("preload, wall", "preload, CPU", "whole, wall", "whole, CPU"),
        ],
        note="Below 1 is faster than heaptrack; nothing stands where heaptrack itself adds less than"
        f" {timing.TOO_LITTLE:.0%}.",
    )
    result = Result(NAME, [ratios, times, shares])
    for program in bench.programs():
        measured = figures(bench.program_costs(program))
        books = bench.books[program.name]
        wall, cpu = measured["wall"], measured["cpu"]
        ratios.rows.append(timing.overview_row(program.name, wall, tracers, seconds))
        ratio_of_cpu = lambda tracer, cpu=cpu: timing.cell(timing.ratio(cpu, tracer.name, tracer.base))
        times.rows += timing.rows(program.name, wall, tracers, seconds, ratio_of_cpu)
        times.notes.append(program.what)
        if books["drops"]:
            times.notes.append(f"{program.name}: not all was recorded, drops: {books['drops']}")
        shares.rows.append(share_row(program.name, measured, books))
        result.verdicts += timing.verdicts(program.name, wall, LIMITS.get(program.name))
        result.data[program.name] = data_of(program, measured, books, tracers)
    return result
