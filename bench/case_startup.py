"""Start-up: what tracing adds to a program that does nothing."""

import shutil

from bench import HEAPTRACK, TRACESNAP, UNTRACED
from measure import BenchError, Figure, in_turn
from report import Result, Table, Verdict, milliseconds, spread

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
        variant: lambda variant=variant: bench.run(variant, [program]).wall for variant in bench.variants()
    }
    walls = in_turn(count, runs, lambda text: bench.progress(f"{NAME}, {text}"))
    measured = {variant: Figure.of(values) for variant, values in walls.items()}
    base = measured[UNTRACED].median
    table = Table(
        "Start-up: 'true', spawned and reaped",
        ["tracer", "median", "min..max", "added"],
        note=f"{count} runs each, in turn, by posix_spawn(3).",
    )
    for variant, figure in measured.items():
        more = milliseconds(figure.median - base) if variant != UNTRACED else ""
        table.rows.append([variant, milliseconds(figure.median), spread(figure, milliseconds, False), more])
    more = measured[TRACESNAP].median - base
    result = Result(NAME, [table])
    result.verdicts.append(
        Verdict(f"start-up: adds no more than {milliseconds(LIMIT)}", more <= LIMIT, milliseconds(more))
    )
    result.data = {variant: figure.json() for variant, figure in measured.items()}
    result.data["added"] = {TRACESNAP: more}
    if HEAPTRACK in measured:
        result.data["added"][HEAPTRACK] = measured[HEAPTRACK].median - base
    return result
