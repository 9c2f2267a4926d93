#!/usr/bin/env python3
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, equal, main, traced  # noqa: E402

FEW, MANY = 20, 400
OPERATIONS = {0: 5, 1: 4, 2: 3, 3: 2, 4: 1, 9: 0}  # allocations of each thread, by the round of its first


def shim_memory(program, first_round, threads, stacks):
    show = ("--filter", "*ends.c", "--sort", "allocated")
    _, stats = traced(program, first_round, threads, stacks, show=show)
    own = [row for row in stats["stats"] if row["function"] in ("at_end", "run")]
    given = [row for row in stats["stats"] if row["allocated_size"] == 1000 * threads]
    equal("allocations of the threads", sum(row["allocated_count"] for row in own), threads * OPERATIONS[first_round])
    equal("what is live of theirs", sum(row["count"] for row in own), 0)
    equal("what is live of what was freed at their end", [row["count"] for row in given], [0])
    return stats["shim"]["private_bytes"]


def ends(first_round, stacks):
    program = build("threads/ends.c", "-pthread", output="ends")
    few, many = (shim_memory(program, first_round, threads, stacks) for threads in (FEW, MANY))
    equal(f"the shim's memory after {MANY} threads", many, few)


def as_it_runs():
    """A thread that allocates while it runs and in all rounds of destructors leaves nothing behind."""
    ends(0, "cached")
    ends(0, "apart")


def by_free():
    """A thread whose only operation is a key's destructor, free, leaves nothing behind."""
    ends(9, "cached")
    ends(9, "apart")


def in_each_round():
    """A thread whose first operation is in a round of destructors, the last included, leaves nothing behind."""
    for first_round in (1, 2, 3):
        ends(first_round, "apart")
    ends(4, "cached")


if __name__ == "__main__":
    main(as_it_runs, by_free, in_each_round)
