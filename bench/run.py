#!/usr/bin/env python3
"""Measures what tracesnap costs: time against the untraced program and against other tracers, start-up,
snapshots and memory. It installs nothing and asserts nothing: the status is 0 whatever the figures are, 2 if
there are none."""

import sys

sys.dont_write_bytecode = True  # the sources may lie on a read-only file system

import argparse
import os
import shlex
import signal
import time

import case_memory
import case_micro
import case_python
import case_real
import case_slow
import case_snapshot
import case_startup
import places
import programs
import pythons
import report
import tracers
from bench import Bench
from measure import BenchError

CASES = {
    case.NAME: case
    for case in (case_startup, case_micro, case_real, case_python, case_slow, case_memory, case_snapshot)
}
PROGRAMS = (*programs.MAKERS, *pythons.names())
TRACERS = (tracers.TRACESNAP, *tracers.CHOICES, *tracers.PYTHON_CHOICES)
ROUNDS = 5
ROUNDS_QUICK = 2


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"bench: {message}; see '--help'\n")


def names(text):
    return [name.strip() for name in text.split(",")]


def parse(arguments):
    parser = Parser(
        prog="bench/run.py",
        description="Measures what tracesnap costs.",
        epilog="TRACESNAP and TRACESNAP_LIB name the tool and libtracesnap.so; without them a build tree is"
        " looked for in '.', 'build' and '../build'. PYTHON names the interpreter of the case"
        f" '{case_python.NAME}' [{pythons.INTERPRETER}]; TRACESNAP_LIB_BEFORE the other build of the library that"
        f" '{tracers.BEFORE}' preloads.",
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {', '.join(CASES)} [all]")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds, two at least [{ROUNDS}]")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that all works")
    parser.add_argument(
        "--programs", type=names, metavar="LIST", help=f"of: {', '.join(PROGRAMS)} [all]"
    )
    parser.add_argument(
        "--tracers",
        type=names,
        metavar="LIST",
        help=f"of: {', '.join(TRACERS)}; the first takes part in any case [all]",
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md, too")
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = ROUNDS_QUICK if options.quick else ROUNDS
    if options.rounds < 2:
        parser.error(f"too few rounds to see a spread: '{options.rounds}'")
    for kind, given, known in (
        ("case", options.cases, CASES),
        ("program", options.programs, PROGRAMS),
        ("tracer", options.tracers, TRACERS),
    ):
        for name in given or ():
            if name not in known:
                parser.error(f"no such {kind}: '{name}'")
    if tracers.BEFORE in (options.tracers or ()) and not os.environ.get("TRACESNAP_LIB_BEFORE"):
        parser.error(f"no library before: '{tracers.BEFORE}' needs TRACESNAP_LIB_BEFORE")
    if options.write and (options.quick or options.cases or options.programs or options.tracers):
        parser.error("a part of the figures is no result: '--write' goes without '--quick' and names")
    return options


def spelled(options):
    """The command as anybody can type it: without this machine's directories."""
    words = ["bench/run.py", *options.cases]
    if options.quick:
        words.append("--quick")
    if options.rounds != (ROUNDS_QUICK if options.quick else ROUNDS):
        words += ["--rounds", str(options.rounds)]
    for option, given in (("--programs", options.programs), ("--tracers", options.tracers)):
        if given:
            words += [option, shlex.quote(",".join(given))]
    if options.json:
        words += ["--json", os.path.basename(options.json)]
    if options.write:
        words.append("--write")
    return " ".join(words)


def save(path, content):
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    except OSError as error:
        raise BenchError(f"cannot write: '{path}': {error.strerror}; name another file") from error


def measure(options):
    command = spelled(options)
    begin = time.monotonic()
    with Bench(options.rounds, options.quick, options.programs, options.tracers) as bench:
        machine = places.machine(bench.tool, bench.library)
        results = [case.run(bench) for name, case in CASES.items() if name in (options.cases or CASES)]
        missing = bench.missing
    machine["work"] = "a fifth of it and less, which is no result" if options.quick else "all"
    machine["took"] = f"{time.monotonic() - begin:.0f} s"
    sys.stdout.write(report.text(results, machine, missing))
    if options.json:
        save(options.json, report.document(results, machine, missing, command, options.rounds))
    if options.write:
        content = report.markdown(results, machine, missing, command, options.rounds)
        save(places.HERE / "RESULTS.md", content)


def main():
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    try:
        measure(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
