#!/usr/bin/env python3
"""fork_test.py [SEED]"""

import sys

from process import PROGRAMS, Regions, equal, main, program, run

MAY_DROP = {"early"}  # where several threads of a child allocate first at once, one of them starts


def check(children, generations, seed):
    """Lets a busy program have children that have children; returns how many processes there were."""
    forker = program("fork.c", "-pthread")
    with Regions() as regions:
        records = regions.scratch / "records"
        environment = regions.traced()
        run([forker, records, children, generations, seed], environment)
        report = run([PROGRAMS / "regions_check", regions.path, records], regions.environment()).splitlines()
        equal("drops", [line for line in report[1:] if line.split()[1] not in MAY_DROP], [])
        equal("files left", regions.all(), [])
        return int(report[0].split()[0])


def forks():
    """fork at any moment of a busy program, four generations: what is live is equal to its own books."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    equal("processes", check(children=3, generations=4, seed=seed), 1 + 3 + 9 + 27 + 81)
    equal("processes", check(children=60, generations=1, seed=seed + 1), 61)


if __name__ == "__main__":
    main(forks)
