#!/usr/bin/env python3
"""Signal handlers that allocate, at 1 kHz, in threads that allocate, too: nothing crashes, nothing is miscounted,
stacks lead through the signal's frame, also from an alternate stack, and libunwind sees the same ones."""
import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["srcdir"], "tests", "lib"))
from tap import Tap  # noqa: E402
from tracesnap import SOURCE, TIMEOUT, Regions, drops  # noqa: E402

SIGNALS = 120


def build(program):
    command = [*shlex.split(os.environ.get("CC", "cc")), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall",
               "-Wextra", "-Werror", "-pthread", "-o", program, SOURCE / "tests/live/timer.c"]
    subprocess.run(command, check=True, timeout=TIMEOUT)


class Running:
    """The program, from its "ready" to its end."""

    def __init__(self, regions, program, stack, options):
        self.process = subprocess.Popen([program, stack, str(SIGNALS)], env=regions.traced(options),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.books, self.signals = {}, None
        for line in self.process.stdout:
            name, *numbers = line.split()
            if name == "ready":
                self.signals = int(numbers[0])
                break
            self.books[name] = tuple(map(int, numbers))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.communicate(timeout=TIMEOUT)


def check_counts(document, books):
    wrong = []
    for name, expected in books.items():
        rows = [row for row in document["stats"] if row["function"] == name]
        found = tuple(sum(row[key] for row in rows)
                      for key in ("count", "size", "allocated_count", "allocated_size"))
        if found != expected:
            wrong.append(f"{name}: {found}, expected {expected}")
    assert not wrong, "\n".join(wrong)


def check_stacks(document):
    """Whoever was interrupted stands below the handler."""
    stacks = [[frame["function"] for frame in row["frames"]] for row in document["stats"]]
    handlers = [stack for stack in stacks if "handler_block" in stack]
    cut = [stack for stack in handlers if "compute" not in stack or "work" not in stack]
    assert handlers and not cut, f"{len(cut)} of {len(handlers)} stacks end early, as {cut[:1]}"


def check(regions, program, stack, options):
    with Running(regions, program, stack, options) as running:
        assert running.signals is not None, f"ended with {running.process.wait(TIMEOUT)}"
        assert running.signals >= SIGNALS, f"{running.signals} signals only"
        pid = running.process.pid
        document = regions.stats(pid, "--group-by", "function", "--attribute", "leaf")
        stacks = regions.stats(pid, "--group-by", "stack")
    assert running.process.returncode == 0, f"ended with {running.process.returncode}"
    check_counts(document, running.books)
    check_stacks(stacks)
    wrong = drops(document)
    assert not wrong, "\n".join(wrong)
    if options:
        assert document["shim"]["verified"] > 0, "libunwind was not asked"


def main():
    tap = Tap()
    with Regions() as regions:
        program = regions.scratch / "timer"
        build(program)
        for stack in ("normal", "alternate"):
            for options in ("", "verify=1"):
                tap.check(f"handler on the {stack} stack {options}", check, regions, program, stack, options)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
