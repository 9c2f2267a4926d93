#!/usr/bin/env python3
"""Objects that are born from the interpreter's free lists: on the line of their first birth, and on that of their last where
python=exact asks for it and the interpreter tells of births (3.13). Without tracemalloc beside; with it: parity_test.py.

    births_test.py [VERSION]...    only these interpreters, for example 3.11.2
"""

import sys

from life_test import LIFE, play, said
from traced import Regions, Skip, Tap, equal, pythons
from traced import run as execute

FIRST, SECOND = 9, 13
assert said("births.py").keys() == {SECOND}


def floats(document, line):
    return sum(row["count"] for row in document["stats"] if row["file"] == str(LIFE / "births.py") and row["line"] == line)


def run(python, *arguments, options=""):
    return play(python, "births.py", *arguments, options=options, whose="none: ")


def plain(python):
    """without python=exact an object stays on the line of its first birth"""
    document = run(python)
    if floats(document, FIRST) < 50 or floats(document, SECOND) > 10:
        raise AssertionError(f"{floats(document, FIRST)} and {floats(document, SECOND)} objects, expected 60 and few")


def exact(python):
    """with it, on the line of its last, also after tracemalloc's start and stop"""
    if python.minor < (3, 13):
        raise Skip("this version tells nobody of births")
    for arguments in ((), ("tracemalloc",)):
        document = run(python, *arguments, options="python=exact")
        if floats(document, FIRST) > 10 or floats(document, SECOND) < 60:
            raise AssertionError(f"{floats(document, FIRST)} and {floats(document, SECOND)} objects, expected few and 60")


def told(python):
    """of a version that does not tell of births the report says so"""
    with Regions() as regions:
        execute([python.path, "-c", "pass"], regions.traced("python=exact"))
        text = regions.tool("stats", regions.all()[0]).decode()
    equal("said", "python=exact has no effect" in text, python.minor < (3, 13))


def sampled(python):
    """with sampling, python=exact is as python=on"""
    document = run(python, options="python=exact:sample=1000")
    equal("sampled", document["sampled"], True)


def main():
    tap = Tap()
    for python in pythons():
        for one in (plain, exact, told, sampled):
            tap.check(f"{python}: {one.__doc__}", one, python)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
