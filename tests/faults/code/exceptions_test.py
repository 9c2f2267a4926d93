#!/usr/bin/env python3
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, equal, main, run, traced  # noqa: E402


def check(options):
    library = build("code/throwing.cc", "-shared", "-fPIC", output="throwing.so")
    program = build("code/exceptions.c", "-pthread", "-ldl", output="exceptions")
    run([program, library], os.environ)  # it is right by itself
    show = ("--filter", "*exceptions.c", "--filter", "*throwing.cc", "--sort", "allocated")
    _, stats = traced(program, library, options=options, show=show)
    rows = {(row["function"], row["allocated_size"] // row["allocated_count"]): row for row in stats["stats"]}
    passed = rows[("pass_on", 10)]
    equal("what frames of C held that were thrown through", (passed["count"], passed["allocated_count"]), (100, 100))
    ran = rows[("run", 20)]
    equal("what cleanup handlers freed", (ran["count"], ran["allocated_count"]), (0, 20))


def thrown():
    """A program of C throws by a library of C++, also through itself, and is cancelled: libgcc unwinds."""
    check("")


def thrown_with_oracle():
    """The same with both of libunwind's libraries loaded, which define the unwinder's names, too."""
    check("verify=1")


if __name__ == "__main__":
    main(thrown, thrown_with_oracle)
