#!/usr/bin/env python3
"""The same lines, sizes, counts and stacks as tracemalloc, to the byte and to the block.

Programs (parity/programs) run in one interpreter with both tracers at once: the same blocks are in both books, and what is
live after each program is compared line by line and stack by stack, for all files. A free list gives the block of an
object that died to the next one of its kind. No allocator is asked, which is all that tracesnap sees: such a block stays
on the line of its first birth, where tracemalloc notices the second. Hence three runs:

    tracemalloc at 25 frames, which does not notice births from free lists (parity/points.c): all is equal
    tracemalloc at 1 frame, as it is: the totals are equal, and what stands on other lines is the effect of free lists
        alone, by the first run; it is printed for each program
    tracemalloc at 25 frames, as it is, and python=exact, where there is a public tracer of births (3.13): all is equal.
        Older versions call tracemalloc itself at a birth, through no hook: its module would have to be patched

    parity_test.py                 the system's interpreter and the newest one, the smaller programs
    parity_test.py all             all interpreters, all programs: minutes
    parity_test.py [VERSION]...    only these interpreters, for example 3.11.2, all programs
"""

import collections
import marshal
import sys

from traced import HERE, SHIM, Regions, Tap, chosen, compile_c, drops, note, run

LARGE = () if sys.argv[1:] else ("imports", "library")
PROGRAMS = sorted(path.stem for path in (HERE / "parity" / "programs").glob("*.py") if path.stem not in LARGE)
FRAMES = 25
POINTS = HERE / "parity" / "points.py"


def lines_of(stacks):
    lines = collections.defaultdict(lambda: (0, 0))
    for stack, (size, count) in stacks.items():
        lines[stack[0]] = (lines[stack[0]][0] + size, lines[stack[0]][1] + count)
    return lines


def add_up(rows):
    """Size and count by stack: Python frames, innermost first."""
    stacks = collections.defaultdict(lambda: (0, 0))
    for stack, size, count in rows:
        stacks[stack] = (stacks[stack][0] + size, stacks[stack][1] + count)
    return stacks


def of_tracemalloc(path):
    with open(f"{path}.traces", "rb") as file:
        return add_up((tuple(trace[2]), trace[1], 1) for trace in marshal.load(file))


def python_frames(row, depth):
    frames = [(frame["file"], frame["line"] or 0) for frame in row["frames"] if frame["kind"] == "python"]
    return tuple(frames[:depth]) or (("<unknown>", 0),)


def of_tracesnap(regions, path, depth):
    """At a depth of 1 by lines, which is sooner told."""
    how = ("--group-by", "stack" if depth > 1 else "line", "--attribute", "python", "--domain", "raw,mem,obj")
    document = regions.stats(path, *how, "--sysroot", regions.path)  # native frames need no names
    wrong = drops(document, possible=("depth_cut",))  # of frames far out, with the native ones between
    if wrong:
        raise AssertionError("\n".join(wrong))
    rows = [row for row in document["stats"] if row["count"]]
    if depth == 1:
        return add_up((((row["file"], row["line"] or 0),), row["size"], row["count"]) for row in rows)
    return add_up((python_frames(row, depth), row["size"], row["count"]) for row in rows)


def play(python, regions, frames, births, options=""):
    """Runs all programs; returns where the books of each are."""
    to = regions.scratch / f"{frames}-{births}-{options}"
    points = compile_c("parity/points.c", "-O2", "-ldl", output="points.so", shared=True)
    environment = regions.environment(
        options,
        LD_PRELOAD=f"{SHIM}:{points}",
        POINTS_TO=str(to),
        POINTS_BIRTHS=str(births),
        POINTS_FRAMES=str(frames),
        POINTS_PROGRAMS=str(HERE / "parity" / "programs"),
        PYTHONHASHSEED="0",
    )
    run([python.path, "-B", "-X", f"tracemalloc={frames}", POINTS, *PROGRAMS], environment)
    return [f"{to}.{number}" for number in range(1, len(PROGRAMS) + 1)]


def demand(ours, theirs, shown=8):
    keys = [key for key in {**ours, **theirs} if ours[key] != theirs[key]]
    keys.sort(key=lambda key: -abs(ours[key][0] - theirs[key][0]))
    lines = [f"{key}: {ours[key]}, expected {theirs[key]}" for key in keys[:shown]]
    if len(keys) > shown:
        lines.append(f"and {len(keys) - shown} more of {len(theirs)}")
    if lines:
        raise AssertionError("\n".join(lines))


def totals(stacks):
    return tuple(map(sum, zip(*stacks.values())))


def effect(ours, theirs):
    """What stands on other lines: (blocks, of so many, lines that differ, of so many)."""
    every = {**ours, **theirs}
    moved = sum(max(ours[line][1] - theirs[line][1], 0) for line in every)
    lines = [line for line in every if ours[line] != theirs[line]]
    return moved, totals(theirs)[1], len(lines), len(every)


class Comparison:
    """All runs of one interpreter."""

    def __init__(self, python, regions):
        self.regions = regions
        self.blind = play(python, regions, FRAMES, births=0)
        self.plain = play(python, regions, 1, births=1)
        if python.minor >= (3, 13):
            self.exact = play(python, regions, FRAMES, births=1, options="python=exact")

    def books(self, path, depth=FRAMES):
        return of_tracesnap(self.regions, path, depth), of_tracemalloc(path)

    def allocations(self, which):
        """each line and each stack has the size and count of allocations that tracemalloc says"""
        ours, theirs = self.books(self.blind[which])
        if totals(theirs)[1] < 1000 or len(lines_of(theirs)) < 10:
            raise AssertionError("the program does hardly anything")
        demand(lines_of(ours), lines_of(theirs))
        demand(ours, theirs)

    def births(self, which):
        """free lists move blocks to other lines, and do nothing else"""
        ours, theirs = map(lines_of, self.books(self.plain[which], 1))
        moved, blocks, lines, all_lines = effect(ours, theirs)
        note(f"by free lists: {moved} of {blocks} blocks on another line, {lines} of {all_lines} lines differ")
        if totals(ours) != totals(theirs):
            raise AssertionError(f"in all: {totals(ours)}, expected {totals(theirs)}")

    def exact_births(self, which):
        """python=exact: each stack is tracemalloc's, births from free lists included"""
        ours, theirs = self.books(self.exact[which])
        demand(lines_of(ours), lines_of(theirs))
        demand(ours, theirs)


def main():
    tap = Tap()
    for python in chosen():
        with Regions() as regions:
            comparison = Comparison(python, regions)
            checks = [comparison.allocations, comparison.births]
            checks += [comparison.exact_births] if python.minor >= (3, 13) else []
            for which, program in enumerate(PROGRAMS):
                for check in checks:
                    tap.check(f"{python}, {program}: {check.__doc__}", check, which)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
