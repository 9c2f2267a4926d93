#!/usr/bin/env python3
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, equal, main, traced  # noqa: E402


def unwound():
    """Threads that are ended inside malloc: what their handlers and destructors do is counted, and what was lost."""
    library = build("raiser.c", "-shared", "-fPIC", output="raiser.so")
    program = build("threads/unwound.c", str(library), "-pthread", output="unwound")
    show = ("--filter", "*unwound.c", "--sort", "allocated")
    output, stats = traced(program, must_drop=["reentrant"], show=show)
    threads = int(output)
    equal("drops", stats["drops"]["reentrant"], threads)
    rows = [row for row in stats["stats"] if row["function"] in ("run", "at_end")]
    equal("allocated by the threads", sum(row["allocated_size"] for row in rows), threads * (600 + 60 + 3 * 24))
    equal("live of that", sum(row["count"] for row in rows), 0)


if __name__ == "__main__":
    main(unwound)
