#!/usr/bin/env python3
from fault import Regions, build, equal, main, run


def old_kernel():
    """A kernel before 5.14, without MADV_POPULATE_WRITE: programs and children are traced."""
    with Regions() as regions:
        run([build("old_kernel.c")], regions.traced())
        allocated = [regions.stats(path)["totals"]["allocated_count"] for path in regions.all()]
    equal("regions with all allocations", sum(count >= 1000 for count in allocated), 2)


main(old_kernel)
