"""Start-up: what tracing adds to a program that does nothing."""

import shutil

from measure import BenchError, Figure, in_turn
from report import Result, Table, Verdict, milliseconds, spread
from tracers import HEAPTRACK, TRACESNAP, UNTRACED

NAME = "start-up"
RUNS = 250
RUNS_QUICK = 30
LIMIT = 1.5e-3  # seconds


def run(bench):
    program = shutil.which("true")
    if not program:
        raise BenchError("no program: 'true'; install coreutils")
    count = RUNS_QUICK if bench.quick else RUNS
    runs = {
        tracer.name: lambda tracer=tracer: bench.run(tracer, [program]).wall
        for tracer in bench.preloaded()
        if tracer.in_region or tracer.name in (UNTRACED, HEAPTRACK)
    }
    walls = in_turn(count, runs, lambda text: bench.progress(f"{NAME}, {text}"))
    measured = {name: Figure.of(values) for name, values in walls.items()}
    base = measured[UNTRACED].median
    table = Table(
        "Start-up: 'true', spawned and reaped",
        ["tracer", "median", "min..max", "added"],
        note=f"{count} runs each, in turn, by posix_spawn(3).",
    )
    for name, figure in measured.items():
        more = milliseconds(figure.median - base) if name != UNTRACED else ""
        table.rows.append([name, milliseconds(figure.median), spread(figure, milliseconds, False), more])
    more = measured[TRACESNAP].median - base
    result = Result(NAME, [table])
    result.verdicts.append(
        Verdict(f"start-up: adds no more than {milliseconds(LIMIT)}", more <= LIMIT, milliseconds(more))
    )
    result.data = {name: figure.json() for name, figure in measured.items()}
    result.data["added"] = {
        name: figure.median - base for name, figure in measured.items() if name != UNTRACED
    }
    return result
