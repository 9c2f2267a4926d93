#!/usr/bin/env python3
from fault import Regions, build, drops, equal, main, run

STACKS = 1 << 13


def late():
    """A child that allocates when its parent has gone on: right books for both."""
    with Regions() as regions:
        run([build("fork_late.c")], regions.traced())
        stats = [regions.stats(path, "--group-by", "stack") for path in regions.all()]
    equal("regions", len(stats), 2)
    for one, size in zip(sorted(stats, key=lambda s: -s["totals"]["size"]), (5, 3)):
        equal("drops", drops(one), [])
        rows = [row for row in one["stats"] if row["size"] == size]
        equal(f"stacks that hold one block of {size} bytes", len(rows), STACKS)
        for row in rows:
            names = [frame["function"] for frame in row["frames"]]
            ours = sum((name or "").startswith("allocate_") for name in names)
            equal("the number of frames", ours, 14 + 1)
            equal("the root", "main" in names, True)


main(late)
