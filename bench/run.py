#!/usr/bin/env python3
"""Measures what tracesnap costs: time against the untraced program and against heaptrack, start-up, snapshots
and memory. It installs nothing and asserts nothing: the status is 0 whatever the figures are, 2 if there
are none."""

import sys

sys.dont_write_bytecode = True  # the sources may lie on a read-only file system

import argparse
import os
import signal

import case_memory
import case_real
import case_snapshot
import case_startup
import places
import report
from bench import Bench
from measure import BenchError

CASES = {case.NAME: case for case in (case_startup, case_real, case_memory, case_snapshot)}
ROUNDS = 7
ROUNDS_QUICK = 2


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"bench: {message}; see '--help'\n")


def parse(arguments):
    parser = Parser(
        prog="bench/run.py",
        description="Measures what tracesnap costs.",
        epilog="TRACESNAP and TRACESNAP_LIB name the tool and libtracesnap.so; without them a build tree is"
        " looked for in '.', 'build' and '../build'.",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds, two at least [{ROUNDS}]")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that all works")
    parser.add_argument(
        "--only", action="append", choices=sorted(CASES), metavar="CASE", help=", ".join(CASES)
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md, too")
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = ROUNDS_QUICK if options.quick else ROUNDS
    if options.rounds < 2:
        parser.error(f"too few rounds to see a spread: '{options.rounds}'")
    if options.write and (options.quick or options.only):
        parser.error("a part of the figures is no result: '--write' goes without '--quick' and '--only'")
    return options


def spelled(options):
    """The command as anybody can type it: without this machine's directories."""
    words = ["bench/run.py"]
    if options.quick:
        words.append("--quick")
    if options.rounds != (ROUNDS_QUICK if options.quick else ROUNDS):
        words += ["--rounds", str(options.rounds)]
    for case in options.only or ():
        words += ["--only", case]
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
    with Bench(options.rounds, options.quick) as bench:
        machine = places.machine(bench.tool, bench.library)
        names = [name for name in CASES if not options.only or name in options.only]
        results = [CASES[name].run(bench) for name in names]
        missing = bench.missing
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
