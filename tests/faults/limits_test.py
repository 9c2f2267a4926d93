#!/usr/bin/env python3
import subprocess

from fault import Regions, Skip, build, drops, equal, main, run


def check(where, regions_expected):
    with Regions() as regions:
        run([build("limits.c"), where], regions.traced())
        stats = [regions.stats(path) for path in regions.all()]
        equal("regions", len(stats), regions_expected)
        equal("drops", [text for one in stats for text in drops(one)], [])


def own():
    """RLIMIT_AS of 300 MiB that a running program sets itself: it can use them."""
    check("own", 1)


def child():
    """RLIMIT_AS that a forked child sets before it allocates: it can use it, and is traced."""
    check("child", 2)


def parent():
    """A child of a program with a limit is traced."""
    check("parent", 2)


def locked():
    """mlockall within RLIMIT_MEMLOCK."""
    if subprocess.run([build("limits.c"), "lock"], check=False).returncode == 77:
        raise Skip("RLIMIT_MEMLOCK cannot be 64 MiB here")
    check("lock", 1)


main(own, child, parent, locked)
