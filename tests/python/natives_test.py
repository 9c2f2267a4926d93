#!/usr/bin/env python3
"""Stacks that differ in one native frame only, further in or further out than the newest Python frame: a C module
(natives/natives.c) keeps its own books of what was allocated by which C and Python functions, and tracesnap's are the same.
The same after the tracer was left in the midst of an allocation by a longjmp.

    natives_test.py                the system's interpreter and the newest one
    natives_test.py all            all interpreters, more steps
    natives_test.py [VERSION]...   only these interpreters, for example 3.11.2
"""

import collections
import pathlib
import sys

from traced import HERE, Regions, Skip, Tap, compile_c, drops, pythons, run

SEEDS = (1, 2, 3) if sys.argv[1:] else (1,)
STEPS = 4000 if sys.argv[1:] else 1000
SHOWN = 5
STACKS = "--group-by", "stack", "--sort", "allocated", "--attribute", "native", "--filter", "*natives.c"
DOMAINS = "libc", "raw", "mem", "obj"
KEYS = "allocated_count", "allocated_size", "count", "size"


def expected(path):
    """{functions, outermost first, and the domain: [allocated count and size, live count and size]}"""
    books = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        numbers, words = line.split(" ")[:4], line.split(" ")[4:]
        books[tuple(words)] = list(map(int, numbers))
    return books


def word(frame, words):
    """The function's name, where it is one of the books'."""
    name = (frame["function"] or "").split(".")[0]
    file = pathlib.PurePath(frame["file"] or "").name
    return name if name in words and file in ("natives.c", "stacks.py", "") else None


def recorded(documents, words):
    """The same of those stacks in which the C module allocates."""
    rows = collections.defaultdict(lambda: [0, 0, 0, 0])
    for domain, row in ((domain, row) for domain, document in documents.items() for row in document["stats"]):
        if not any(frame["function"] == "allocate" for frame in row["frames"][:1]):
            continue
        names = [word(frame, words) for frame in reversed(row["frames"])]
        sums = rows[(*filter(None, names), domain)]
        for i, key in enumerate(KEYS):
            sums[i] += row[key]
    return rows


def compare(books, have):
    if len(books) < 30:
        raise AssertionError(f"the program knows {len(books)} stacks only")
    none = [0, 0, 0, 0]
    wrong = [stack for stack in {**books, **have} if books.get(stack, none) != have.get(stack, none)]
    lines = [f"{' '.join(stack)}: {have.get(stack)}, expected {books.get(stack)}" for stack in wrong[:SHOWN]]
    if wrong:
        raise AssertionError("\n".join([f"{len(wrong)} of {len(books)} stacks:", *lines]))


def play(python, program, *arguments, may_drop=()):
    """What a program with the module prints, when its books are tracesnap's."""
    if not python.has_headers():
        raise Skip("no headers of this interpreter")
    module = compile_c(
        "natives/natives.c", "-O2", "-fno-ipa-icf", f"-I{python.include}", output=f"{python}/natives.so", shared=True
    )
    with Regions() as regions:
        books = regions.scratch / "books"
        environment = regions.traced(PYTHONPATH=str(module.parent), PYTHONHASHSEED="0")
        said = run([python.path, "-B", HERE / "natives" / program, *arguments, books], environment)
        documents = {name: regions.stats(regions.all()[0], *STACKS, "--domain", name) for name in DOMAINS}
        wrong = drops(documents["obj"], possible=may_drop)
        if wrong:
            raise AssertionError("\n".join(wrong))
        stacks = expected(books)
    compare(stacks, recorded(documents, {name for stack in stacks for name in stack}))
    return said


def random_stacks(python, seed):
    play(python, "stacks.py", seed, STEPS)


def left_in_the_midst(python):
    """What was found of a stack that is not recorded in the end is not taken for another's."""
    instants = int(play(python, "cut.py", may_drop=("reentrant",)))
    if instants < 100:
        raise AssertionError(f"the tracer makes {instants} instructions only")


def chosen():
    found = pythons()
    if sys.argv[1:]:
        return found
    system = [python for python in found if python.path.startswith("/usr/")]
    return list(dict.fromkeys(system[:1] + found[-1:]))


def main():
    tap = Tap()
    for python in chosen():
        for seed in SEEDS:
            tap.check(f"{python}, seed {seed}: each stack is the module's", random_stacks, python, seed)
        tap.check(f"{python}: so is each after a longjmp out of the tracer", left_in_the_midst, python)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
