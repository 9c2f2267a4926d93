"""The small cases of micro.c: what an allocation costs by itself, and where."""

import json

import timing
from measure import Figure, in_turn
from report import Result, Table, Verdict, nanoseconds
from tracers import TRACESNAP, UNTRACED, limits

NAME = "micro"
LIMITS = {"pair-10": 1.7, "pair-30": 1.8, "pair-100": 2.3, "live-1m": 1.5}
QUICK_PART = 10  # of the rounds
CHECK_ROUNDS = 1000
NOT_TIMED = "hold-"  # those that are there for their memory
THREADS = ("threads-1", "threads-2")
THREADS_LIMIT = 1.1


def cases(bench):
    """[(name, rounds, what)], none without a C compiler."""
    program = bench.helper("micro")
    if not program:
        return []
    _, printed = bench.print_of(bench.tracers[UNTRACED], [program])
    lines = [line.split(" ", 2) for line in printed.splitlines()]
    return [(name, int(rounds), what) for name, rounds, what in lines if not name.startswith(NOT_TIMED)]


def answer(printed):
    """What micro.c printed, whatever a tracer printed around it."""
    return next(json.loads(line) for line in printed.splitlines() if line.startswith('{"case"'))


def nanoseconds_of(bench, tracer, case, rounds):
    command = [bench.helper("micro"), case, "--rounds", str(rounds)]
    return answer(bench.print_of(tracer, command)[1])["ns_per_operation"]


def check(bench, tracer, case):
    """One short run that is not timed; the tracer must have seen something of it."""
    command = [bench.helper("micro"), case, "--rounds", str(CHECK_ROUNDS)]
    pid, _ = bench.print_of(tracer, command, finish=False)
    bench.seen(tracer, pid, case, {})


def measure(bench, tracers, case, rounds, times):
    """{tracer's name: Figure} of nanoseconds per operation, so many times."""
    for tracer in tracers:
        bench.progress(f"{case}, checking {tracer.name}")
        check(bench, tracer, case)
    runs = {
        tracer.name: lambda tracer=tracer: nanoseconds_of(bench, tracer, case, rounds) for tracer in tracers
    }
    say = lambda text: bench.progress(f"{case}, {text}")
    found = in_turn(times, runs, say, warm_up=False, most=limits(tracers))
    return {name: Figure.of(values) for name, values in found.items()}


def threads_verdict(found):
    one, two = (found[case] for case in THREADS)
    ours, plain = (two[name].median / one[name].median for name in (TRACESNAP, UNTRACED))
    holds = ours <= THREADS_LIMIT
    if not holds and ours <= THREADS_LIMIT * plain:
        holds = None  # the untraced threads stood in each other's way, too: two processors were not free
    noisy = timing.noise(one, TRACESNAP) or timing.noise(two, TRACESNAP)
    return Verdict(
        f"two threads: a pair takes each at most {THREADS_LIMIT:.2f} times as long as one alone",
        holds,
        f"{ours:.2f}; untraced {plain:.2f}{noisy}",
    )


def run(bench):
    tracers = bench.timed()
    ratios = timing.overview(
        "Small cases: time as a multiple of the base's",
        tracers,
        note="Nanoseconds are those of an operation: malloc and free together, or one realloc.",
    )
    times = Table(
        "Time of small cases",
        ["case", "tracer", "per operation", "min..max", "ratio", "added"],
        notes=timing.notes_of(tracers),
    )
    result = Result(NAME, [ratios, times])
    found = {}
    for name, rounds, what in cases(bench):
        rounds = rounds // QUICK_PART if bench.quick else rounds
        measured = found[name] = measure(bench, tracers, name, rounds, bench.rounds)
        ratios.rows.append(timing.overview_row(name, measured, tracers, nanoseconds))
        times.rows += timing.rows(name, measured, tracers, nanoseconds)
        times.notes.append(f"{name}: {what}, {rounds} rounds")
        result.verdicts += timing.verdicts(name, measured, LIMITS.get(name), sampled=False)
        result.data[name] = {
            "what": what,
            "rounds": rounds,
            "ns_per_operation": {tracer: figure.json() for tracer, figure in measured.items()},
        }
    if found:
        result.verdicts.append(threads_verdict(found))
    return result
