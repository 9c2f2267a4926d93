#!/usr/bin/env python3
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, equal, main, traced  # noqa: E402


def false_pointers():
    """Any value in rbp, on any stack: no fault, and each allocation is counted, by the function that made it."""
    program = build("code/frames.c", output="frames")
    show = ("--filter", "*frames.c", "--sort", "allocated")
    for options in ("", "libunwind=0"):
        output, stats = traced(program, options=options, must_drop=["no_unwind"], show=show)
        rows = [row for row in stats["stats"] if row["function"] == "work"]
        found = [(row["allocated_count"], row["allocated_size"], row["count"]) for row in rows]
        equal("allocations", found, [(int(output), 24 * int(output), 0)])


if __name__ == "__main__":
    main(false_pointers)
