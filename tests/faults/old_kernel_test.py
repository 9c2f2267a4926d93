#!/usr/bin/env python3
from fault import Regions, build, equal, main, run


def without_the_advice():
    """A kernel before 5.14, without MADV_POPULATE_WRITE: the program is traced."""
    with Regions() as regions:
        run([build("old_kernel.c")], regions.traced())
        allocated = [regions.stats(path)["totals"]["allocated_count"] for path in regions.all()]
        equal("the greatest number of allocations", max(allocated, default=0) >= 1000, True)


main(without_the_advice)
