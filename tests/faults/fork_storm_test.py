#!/usr/bin/env python3
from fault import Regions, build, drops, equal, main, run


def storm():
    """fork while other threads allocate and load libraries: every child counts right."""
    program = build("fork_storm.c", "-pthread", "-ldl")
    library = build("library.c", "-shared", "-fPIC", output="library.so")
    with Regions() as regions:
        run([program, library], regions.traced())
        stats = [regions.stats(path) for path in regions.all()]
        equal("regions", len(stats), 61)
        equal("drops", [text for one in stats for text in drops(one)], [])


main(storm)
