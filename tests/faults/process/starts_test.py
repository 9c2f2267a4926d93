#!/usr/bin/env python3
from process import Regions, blocks, drops, equal, main, program, run


def starts(regions, *arguments):
    return run([program("starts.c", "-pthread"), *arguments], regions.traced())


def ever(regions, may_drop=()):
    """How often each region's process called `allocate`, counted from where it began."""
    found = [regions.stats(path, "--sort", "allocated") for path in regions.all()]
    equal("drops", [text for one in found for text in drops(one, (), may_drop)], [])
    return sorted(blocks(one)[0] for one in found)


def thread():
    """A child in which another thread allocates before the one that forked."""
    with Regions() as regions:
        starts(regions, "thread")
        equal("blocks", ever(regions), [1] + [1 + 8 + 8] * 20)


def together():
    """A child in which three threads allocate first at once: what came too early is counted."""
    with Regions() as regions:
        starts(regions, "together")
        found = [regions.stats(path) for path in regions.all()]
        sums = sorted(blocks(one)[0] + one["drops"]["early"] for one in found)
        equal("blocks, recorded or too early", sums, [1] + [1 + 24 + 8] * 20)


def handler():
    """A signal handler forks in the midst of a record: the child's part of it is not in its parent's region."""
    with Regions() as regions:
        made = int(starts(regions, "handler"))
        # Children that are traced began with what lived, which is one block or none.
        equal("blocks of the parent", ever(regions, ("untraced_children", "early"))[-1], made)


def unwiped():
    """A kernel without MADV_WIPEONFORK: three generations of children are traced."""
    with Regions() as regions:
        starts(regions, "unwiped")
        equal("blocks", [n for n in ever(regions) if n], [1, 2, 3, 4])


def chain():
    """Two hundred generations, each of which ends when it has forked: they do not grow."""
    with Regions() as regions:
        middle, last = (int(n) for n in starts(regions, "chain", 200).split())
        equal(f"pages, {middle} and {last}", last - middle <= 64, True)


def resolving():
    """A child forked while another thread looks for the next allocator: it finds one, and memory."""
    library = program("resolving.c", "-DLIBRARY", "-shared", "-fPIC", "-pthread", output="resolving.so")
    looker = program("resolving.c", str(library), output="resolving")
    with Regions() as regions:
        run([looker], regions.traced())


if __name__ == "__main__":
    main(thread, together, handler, unwiped, chain, resolving)
