#!/usr/bin/env python3
"""How an interpreter ends (life/ends.py): atexit, __del__ in the last moments, daemon threads that go on, threads that are
waited for, os._exit, sys.exit in a thread. Killed there, the lines are right; at the end nothing was lost.

    ends_test.py                 the system's interpreter and the newest one
    ends_test.py all             all interpreters
    ends_test.py [VERSION]...    only these interpreters, for example 3.11.2
"""

import sys

from life_test import KILLED, LIFE, said
from traced import Regions, Tap, chosen, drops, equal, run

# What each way has allocated, and the status that it ends with.
WAYS = {"atexit": ("atexit", 0), "del": ("del", 0), "daemon": ("atexit", 0), "late": ("late", 0), "leave": ("leave", 7),
        "raise": ("raise", 0)}
OPTIONS = ("", "python=exact") + (("verify=1",) if sys.argv[1:] else ())
LEFT = {"leave": 1, "daemon": None}  # a daemon thread keeps the module alive that it runs in


def is_about(have, want):
    """A few objects more, of which some lie in the interpreter's free lists."""
    return 0 <= have[1] - want[1] <= 10 and 0 <= have[0] - want[0] <= 1500


def rows(document):
    return {row["line"]: row for row in document["stats"] if row["file"] == str(LIFE / "ends.py")}


def play(python, way, *how, status, options=""):
    with Regions() as regions:
        run([python.path, "-B", LIFE / "ends.py", way, *how], regions.traced(options), status)
        [path] = regions.all()
        document = regions.stats(path, "--domain", "obj", "--sort", "allocated")
        wrong = drops(document)
        if wrong:
            raise AssertionError("\n".join(wrong))
        for row in document["stats"]:
            if min(row["size"], row["count"], row["allocated_size"] - row["size"], row["allocated_count"] - row["count"]) < 0:
                raise AssertionError(f"a row that cannot be: {row}")
        return document


def expect(document, whose, live):
    """So many blocks were allocated on the lines of a way. live: how many of them are left, 1 = all, 0 = none, None = unknown."""
    found = rows(document)
    for line, (size, count) in said("ends.py", f"{whose}: ").items():
        for key, part in (("allocated_", 1), ("", live)):
            have = (found[line][f"{key}size"], found[line][f"{key}count"])
            if part is not None and not is_about(have, (size * part, count * part)):
                equal(f"{key}size and {key}count of line {line}", have, (size * part, count * part))


def killed(python):
    """killed in its last moments: the lines are right"""
    for way, (whose, _) in WAYS.items():
        expect(play(python, way, "kill", status=KILLED), whose, live=1)


def ended(python):
    """at its end all was counted"""
    for way, (whose, status) in WAYS.items():
        for options in OPTIONS if way == "del" else OPTIONS[:1]:
            document = play(python, way, status=status, options=options)
            expect(document, whose, live=LEFT.get(way, 0))
            equal("state", document["process"]["state"], "ended" if way == "leave" else "exited")


def main():
    tap = Tap()
    for python in chosen():
        for one in (killed, ended):
            tap.check(f"{python}: {one.__doc__}", one, python)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
