#!/usr/bin/env python3
"""Interpreters in all their ways of life, each killed at its end: what the programs (life/) say of themselves in comments,
"# 50 blocks of 133", is what their lines have.

    life_test.py                 the system's interpreter and the newest one
    life_test.py all             all interpreters
    life_test.py [VERSION]...    only these interpreters, for example 3.11.2
"""

import re
import signal
import subprocess
import sys

from traced import HERE, Regions, Skip, Tap, chosen, drops, equal, run

LIFE = HERE / "life"
KILLED = -signal.SIGKILL


def said(program, whose=""):
    """{line: (size, count)} that a program expects."""
    lines = (LIFE / program).read_text(encoding="utf-8").splitlines()
    found = [(number, re.search(rf"# {whose}(\d+) blocks of (\d+)$", line)) for number, line in enumerate(lines, 1)]
    return {number: (int(m[1]) * int(m[2]), int(m[1])) for number, m in found if m}


def lines(document, file):
    return {row["line"]: (row["size"], row["count"]) for row in document["stats"] if row["file"] == str(file)}


def is_about(have, want):
    """Objects of the same line that died lie in the interpreter's free lists: a few small blocks more."""
    return 0 <= have[1] - want[1] <= 2 and 0 <= have[0] - want[0] <= 512


def check(document, program, whose="", may_drop=()):
    wrong = drops(document, possible=may_drop)
    if wrong:
        raise AssertionError("\n".join(wrong))
    have = lines(document, LIFE / program)
    for line, (size, count) in said(program, whose).items():
        if not is_about(have.get(line, (0, 0)), (size, count)):
            equal(f"{program}:{line}", have.get(line, (0, 0)), (size, count))


def stats(regions, path, *how):
    return regions.stats(path, "--domain", "obj", *how)


def play(python, program, *arguments, options="", how=(), may_drop=(), status=KILLED, whose="", **environment):
    """Runs a program, which has one region with what it says; returns the document of that."""
    with Regions() as regions:
        command = [python if isinstance(python, str) else python.path, "-B", *how, LIFE / program, *arguments]
        run(command, regions.traced(options, **environment), status)
        documents = [stats(regions, path) for path in regions.all()]
        if len(documents) != 1:
            raise AssertionError(f"{len(documents)} regions, expected 1")
        check(documents[0], program, whose, may_drop)
        equal("python", documents[0]["process"]["python"]["state"], "traced")
        return documents[0]


def ways(python):
    """each PYTHONMALLOC, -X dev, tracemalloc from the start, python=exact"""
    play(python, "plain.py")
    for allocator in ("malloc", "debug", "pymalloc", "malloc_debug", "pymalloc_debug"):
        play(python, "plain.py", PYTHONMALLOC=allocator)
    play(python, "plain.py", how=["-X", "dev"])
    play(python, "plain.py", how=["-X", "tracemalloc=3", "-X", "faulthandler"])
    play(python, "plain.py", options="python=exact")


def venv(python):
    """a virtual environment"""
    with Regions() as regions:
        there = regions.scratch / "venv"
        run([python.path, "-m", "venv", "--without-pip", there], regions.environment())
        play(str(there / "bin" / "python3"), "plain.py")


def frames(python):
    """generators, coroutines, exceptions, handlers, finalizers, recursion"""
    play(python, "frames.py", may_drop=("depth_cut",))


def threads(python):
    """threads, and a fork by one of them"""
    with Regions() as regions:
        run([python.path, "-B", LIFE / "threads.py"], regions.traced(), KILLED)
        parent, child = sorted((stats(regions, path) for path in regions.all()),
                               key=lambda document: document["process"]["forked"])
        check(parent, "threads.py")
        check(child, "threads.py")  # what it inherited
        check(child, "threads.py", "child: ")


def children(python):
    """multiprocessing by fork, spawn and forkserver"""
    for method in ("fork", "spawn", "forkserver"):
        with Regions() as regions:
            run([python.path, "-B", LIFE / "children.py", method], regions.traced())
            found = [document for document in (stats(regions, path) for path in regions.all())
                     if lines(document, LIFE / "children.py").keys() & said("children.py", "child: ").keys()]
            equal(f"processes with the child's blocks, by {method}", len(found), 1)
            check(found[0], "children.py", "child: ")


def codes(python):
    """code objects that die have the lines of their source, and their stacks do not pile up"""
    contexts = []
    for rounds in (400, 800):
        document = play(python, "codes.py", str(rounds))
        for line, name in enumerate(("one", "two", "three"), 1):
            size, count = lines(document, f"<{name}>").get(line, (0, 0))
            if not is_about((size, count), (rounds * (132 + line), rounds)):
                raise AssertionError(f"<{name}>:{line} is {(size, count)}, expected {rounds} blocks of {132 + line}")
        contexts.append(document["totals"]["contexts"])
    if contexts[1] > contexts[0] * 1.1:
        raise AssertionError(f"{contexts} contexts after {rounds // 2} and {rounds} rounds: they pile up")


def start_stop(python):
    """tracemalloc started and stopped meanwhile"""
    play(python, "start_stop.py")
    if python.minor >= (3, 13):
        play(python, "start_stop.py", options="python=exact")


def sub_interpreters(python):
    """sub-interpreters, also with locks of their own"""
    document = play(python, "interpreters.py")
    if python.minor >= (3, 12):
        script = "<string>"
        have = lines(document, script)
        equal(f"{script}:3", have.get(3), (2 * 20 * 134, 40))


STACKS = {"shallow": "shallow", "deep": "(deep )+<lambda>", "called": "called from_c", "generated": "generated from_generator",
          "forever": "forever", "nested": "nested", "Switches.__del__": "Switches.__del__ deletes"}


def python_stacks(document, file):
    """The Python functions of each stack whose innermost one is of this file, innermost first."""
    stacks = [[frame for frame in row["frames"] if frame["kind"] == "python"] for row in document["stats"]]
    return [[frame["function"].rpartition(".<locals>.")[2] for frame in stack] for stack in stacks
            if stack and stack[0]["file"] == str(file)]


def greenlets(python):
    """greenlets, whose stacks come and go: each has its own lines and no other's frames"""
    if subprocess.run([python.path, "-c", "import greenlet"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("no greenlet in this interpreter")
    for options in ("verify=1", "python=lines"):
        with Regions() as regions:
            run([python.path, "-B", LIFE / "greenlets.py"], regions.traced(options), KILLED)
            [path] = regions.all()
            # Further out than a greenlet's own frames the stack is another's, or nobody's.
            check(stats(regions, path), "greenlets.py", may_drop=("no_unwind",))
            document = stats(regions, path, "--group-by", "stack", "--sysroot", regions.path)  # native frames need no names
            for stack in python_stacks(document, LIFE / "greenlets.py"):
                if not re.fullmatch(STACKS.get(stack[0], ".*"), " ".join(stack)):
                    raise AssertionError(f"a stack of {stack[0]} is {stack}")



def main():
    tap = Tap()
    checks = (ways, venv, frames, threads, children, codes, start_stop, sub_interpreters, greenlets)
    for python in chosen():
        for one in checks:
            tap.check(f"{python}: {one.__doc__}", one, python)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
