#!/usr/bin/env python3
"""Libraries that come to the address of another one. By hand, tests/faults/code/long goes on with larger numbers."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, equal, main, traced  # noqa: E402

WRAP = 1 << 15  # calls of dlclose after which the 16 bits of a rule's generation come round
ROOMS = (40, 40, 200, 1000)


def letters(number):
    return "".join(chr(ord("a") + number // 26**i % 26) for i in range(3))


def libraries(count):
    """(path, outer function, inner function) of each; those of a kind differ in names only."""
    made = []
    for i in range(count):
        outer, inner = f"outer_{letters(i)}", f"inner_{letters(i)}"
        flags = ["-shared", "-fPIC", f"-DOUTER={outer}", f"-DINNER={inner}", f"-DROOM={ROOMS[i % len(ROOMS)]}"]
        made.append((build("code/plugin.c", *flags, output=f"plugin_{letters(i)}.so"), outer, inner))
    return made


def check(used, rounds, others=0):
    """Each library's allocations are under its own name, in its own functions. How many were at one address."""
    arguments = [word for path, outer, _ in used for word in (path, outer)]
    program = build("code/libraries.c", "-ldl", output="libraries")
    show = ("--group-by", "stack", "--sort", "allocated")
    output, stats = traced(program, rounds, others, *arguments, show=show)
    found = {}
    for row in stats["stats"]:
        frames = [frame for frame in row["frames"] if (frame["object"] or "").endswith(".so")]
        if any("plugin_" in frame["object"] for frame in frames):
            key = tuple((frame["object"], frame["function"]) for frame in frames)
            found[key] = (row["allocated_count"], row["allocated_size"], row["count"])
    expected = {}
    for i, (path, outer, inner) in enumerate(used):
        times = rounds // len(used) + (i < rounds % len(used))
        expected[((str(path), inner), (str(path), outer))] = (times, times * (i + 1), 0)
    equal("what the libraries allocated", found, expected)
    return int(output)


def in_turn():
    """Four libraries that take turns at one address keep their names and stacks."""
    same = check(libraries(4), 200)
    if same < 100:
        raise AssertionError(f"only {same} of 200 rounds came to the address of the round before")


def come_round():
    """So they do when generations of modules come round between them."""
    equal("rounds at the address of the round before", check(libraries(2), 2, WRAP - 1), 1)


def many():
    """Two dozen libraries, each for some rounds, are as many modules."""
    check(libraries(24), 96)


if __name__ == "__main__":
    main(in_turn, come_round, many)
