"""Tracers that are too slow for the programs' full work: a fiftieth of it, with its own untraced times,
once."""

import case_micro
import programs
import timing
from measure import Figure
from report import Result, Table, nanoseconds, seconds

NAME = "slow"
TIMES = 1
MICRO = ("pair-30", "stacks-10k")
MICRO_ROUNDS = 20000
QUICK_PROGRAMS = ("sqlite3",)


def run(bench):
    tracers = bench.timed(slow=True)
    note = "One run each, of which start-up is a large part: look at the order of magnitude."
    table = Table(
        "Slow tracers",
        ["program", "tracer", "time", "min..max", "ratio", "added"],
        note=note,
        notes=timing.notes_of(tracers),
    )
    result = Result(NAME, [table])
    if not tracers:
        return result
    for program in bench.programs(programs.TINY):
        if bench.quick and program.name not in QUICK_PROGRAMS:
            continue
        bench.check_all(tracers, program)
        costs = bench.measure(tracers, program, TIMES)
        measured = {name: Figure.of(cost.wall for cost in runs) for name, runs in costs.items()}
        table.rows += timing.rows(program.name, measured, tracers, seconds)
        table.notes.append(program.what)
        result.data[program.name] = {name: figure.json() for name, figure in measured.items()}
    for name in MICRO if bench.helper("micro") else ():
        measured = case_micro.measure(bench, tracers, name, MICRO_ROUNDS, TIMES)
        table.rows += timing.rows(name, measured, tracers, nanoseconds)
        result.data[name] = {tracer: figure.json() for tracer, figure in measured.items()}
    return result
