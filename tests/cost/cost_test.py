#!/usr/bin/env python3
"""What an allocation costs, in instructions executed inside the shim: none of the small cases may cost more than
its ceiling in ceilings.json. Unlike times, instructions are the same on every machine; they are not for another
compiler or other flags, so that all is skipped there.

    make check TESTS=tests/cost/cost_test.py
    make raise-costs        writes the file anew: what is measured and 3 % more
"""

import json
import math
import os
import pathlib
import platform
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

# pylint: disable=wrong-import-position
import callgrind  # noqa: E402
from tap import Skip, Tap  # noqa: E402
from tracesnap import BUILD, SOURCE, TIMEOUT, Regions, drops  # noqa: E402

CEILINGS = HERE / "ceilings.json"
RAISE = "make raise-costs"
ROOM = 1.03  # a ceiling, of what was measured
LOW = 0.85  # of a ceiling: time to lower it
NO_CODE = ("-g", "-W", "-I", "-pipe")  # flags that change no instruction


class Case:
    """A case of bench/micro.c, from one count of rounds to another: what comes before the rounds, and the first of
    them, is in both. Without rounds: a whole process, which lists the cases and allocates a buffer for that."""

    def __init__(self, name, micro=None, rounds=None, options="", recorded=(1, math.inf)):
        self.name = name
        self.micro = micro
        self.rounds = rounds
        self.options = options
        self.recorded = recorded  # least and most allocations in the region, per operation


CASES = (
    Case("pair-10", "pair-10", (10000, 30000)),
    Case("pair-30", "pair-30", (10000, 30000)),
    Case("pair-100", "pair-100", (10000, 30000)),
    Case("live-1k", "live-1k", (10000, 30000)),
    Case("stacks-10k", "stacks-10k", (20000, 40000)),  # whole turns through all stacks
    Case("realloc", "realloc", (1000, 2000)),
    Case("paused", "pair-10", (10000, 30000), "paused=1", recorded=(0, 0)),
    Case("sample-512k", "pair-10", (100000, 500000), "sample=524288", recorded=(1e-6, math.inf)),
    Case("start-up"),
)


def command(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout


def built_with():
    """What decides how many instructions the shim's source becomes."""
    macros = dict(
        line.split(" ", 2)[1:]
        for line in command(*shlex.split(os.environ["CC"]), "-dM", "-E", "-x", "c", os.devnull).splitlines()
        if line.count(" ") > 1
    )
    compiler = f"clang {macros['__clang_major__']}" if "__clang__" in macros else f"gcc {macros['__GNUC__']}"
    flags = [flag for flag in shlex.split(os.environ["SHIM_FLAGS"]) if not flag.startswith(NO_CODE)]
    return " ".join([platform.machine(), compiler, *flags])


def compiled():
    """The program of bench/micro.c, compiled as the benchmark does it."""
    directory = BUILD / "tests" / "cost"
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "micro"
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-pthread"]
    source = SOURCE / "bench" / "micro.c"
    command(*shlex.split(os.environ["CC"]), *flags, str(source), "-o", str(program))
    return program


def run(program, case, rounds=None):
    """(instructions, operations) of one process. It must have recorded what it did: a tracer that gives up is
    cheap."""
    with Regions() as regions:
        arguments = [case.micro, "--rounds", rounds] if rounds else []
        instructions, region, printed = callgrind.instructions(regions, program, arguments, case.options)
        operations = json.loads(printed)["operations"] if rounds else 1
        stats = regions.stats(region)
        wrong = drops(stats)
        recorded = stats["totals"]["allocated_count"]
        least, most = (operations * part for part in case.recorded)
        if not least <= recorded <= most:
            wrong.append(f"{recorded} allocations recorded of {operations}, expected {least} to {most}")
        if wrong:
            raise AssertionError("\n".join(wrong))
        return instructions, operations


def measure(program, case):
    """Instructions per operation."""
    if not case.rounds:
        return run(program, case)[0]
    few, many = (run(program, case, rounds) for rounds in case.rounds)
    return (many[0] - few[0]) / (many[1] - few[1])


def judge(tap, case, count, ceiling):
    if ceiling is None:
        tap.fail(f"{case.name}: {count:.1f} instructions, no ceiling: set one with '{RAISE}'", "")
    elif count > ceiling:
        tap.fail(f"{case.name}: {count:.1f} instructions, ceiling {ceiling}: if on purpose, '{RAISE}'", "")
    elif count < ceiling * LOW:
        below = 100 * (1 - count / ceiling)
        tap.ok(f"{case.name}: {count:.1f} instructions, {below:.0f} % below {ceiling}: lower it with '{RAISE}'")
    else:
        tap.ok(f"{case.name}: {count:.1f} instructions, ceiling {ceiling}")


def check():
    tap = Tap()
    written = json.loads(CEILINGS.read_text(encoding="utf-8"))
    if written["built_with"] != built_with():
        reason = f"ceilings are for '{written['built_with']}', not for '{built_with()}'"
        for case in CASES:
            tap.skip(case.name, reason)
        return tap.done()
    program = compiled()
    for case in CASES:
        try:
            count = measure(program, case)
        except Skip as reason:
            tap.skip(case.name, reason)
        except (Exception, SystemExit) as error:  # whatever goes wrong, the other cases go on
            tap.fail(case.name, f"{type(error).__name__}: {error}")
        else:
            judge(tap, case, count, written["ceilings"].get(case.name))
    return tap.done()


def write():
    """Measures all cases, then writes the file. A case that cannot be measured here keeps its ceiling."""
    old = json.loads(CEILINGS.read_text(encoding="utf-8")) if CEILINGS.exists() else {"ceilings": {}}
    program = compiled()
    ceilings = {}
    for case in CASES:
        before = old["ceilings"].get(case.name)
        try:
            count = measure(program, case)
        except Skip as reason:
            print(f"{case.name}: not measured ({reason}); stays {before}")
            if before is not None:
                ceilings[case.name] = before
            continue
        ceilings[case.name] = math.ceil(count * ROOM * 10) / 10
        print(f"{case.name}: {count:.1f} instructions; ceiling {before} -> {ceilings[case.name]}", flush=True)
    text = json.dumps({"built_with": built_with(), "ceilings": ceilings}, indent=4)
    CEILINGS.write_text(text + "\n", encoding="utf-8")
    return 0


def main(arguments):
    if arguments == ["--raise"]:
        return write()
    if arguments:
        print(f"cost_test.py: unknown argument '{arguments[0]}': only --raise is known", file=sys.stderr)
        return 2
    return check()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
