#!/usr/bin/env python3
"""kill_test.py [COUNT [SEED]]"""

import sys

from process import PROGRAMS, SHIM, Regions, main, program, run


def check(count, seed):
    """Kills `count` programs; returns the last line."""
    victim = program("victim.c", "-pthread", "-ldl")
    with Regions() as regions:
        return run([PROGRAMS / "kill_check", victim, regions.path, count, seed], regions.environment(TRACESNAP_LIB=SHIM))


def kills():
    """SIGKILL at random moments: each region reads, and is equal to the dead program's own books."""
    check(sys.argv[1] if len(sys.argv) > 1 else 300, sys.argv[2] if len(sys.argv) > 2 else 1)


if __name__ == "__main__":
    main(kills)
