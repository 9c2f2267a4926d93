"""What the tests of this directory share."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from fault import BUILD, SHIM, TOOL, Regions, Skip, build, drops, equal, main, run, traced  # noqa: E402,F401

PROGRAMS = BUILD / "tests" / "faults" / "process"


def program(name, *flags, **more):
    return build(f"process/{name}", *flags, **more)


def blocks(stats):
    """(ever allocated, live) of the blocks of life.c's `allocate`."""
    rows = [row for row in stats["stats"] if row["function"] == "allocate"]
    return sum(row["allocated_count"] for row in rows), sum(row["count"] for row in rows)


def life(regions, *operations, status=0, options="", **more):
    """Runs life.c with these operations; returns what it printed, a list of pids."""
    environment = regions.traced(options, **more.pop("environment", {}))
    command = [program("life.c", "-pthread"), *" ".join(map(str, operations)).split()]
    return [int(line) for line in run(command, environment, status, **more).split()]


def expect(regions, *wanted, may_drop=(), must_drop=()):
    """The regions that there are, by what they say of `allocate` and the process's state: [(allocated, live, state)]."""
    found = []
    for path in regions.all():
        stats = regions.stats(path)
        found.append((*blocks(stats), stats["process"]["state"]))
        equal(f"drops of {path.name}", drops(stats, must_drop, may_drop), [])
    equal("regions", sorted(found), sorted(wanted))


def only_root():
    if os.geteuid() != 0:
        raise Skip("only root may do that")
