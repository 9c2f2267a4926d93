#!/usr/bin/env python3
from fault import Regions, build, main, run


def freed_unseen():
    """Blocks whose free was not seen give way to others, and harm neither those nor a forked child."""
    with Regions() as regions:
        run([build("missed_frees.c")], regions.traced())


main(freed_unseen)
