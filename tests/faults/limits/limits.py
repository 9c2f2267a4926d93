"""What the tests of this directory share: a program prints its own count of its allocations, a line for each of
its processes, and the regions must say the same, up to what they count as lost."""

import functools
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import fault  # noqa: E402
from fault import Regions, Skip, Tap, equal  # noqa: E402,F401
from tracesnap import SHIM, SOURCE, TIMEOUT, TOOL  # noqa: E402,F401

build = functools.cache(fault.build)  # each program once in a test

# Drops of which each is an allocation that no total holds; the others only say that something is less precise.
LOST = ("reentrant", "early", "no_index", "no_shard", "no_counter")


def stats(regions, source):
    """A report without lines, which would take longest."""
    return regions.stats(source, "--group-by", "object")


class Run:
    """A program run traced to its end, with what it printed of itself."""

    def __init__(self, regions, command, status=0, environment=None, **more):
        self.regions = regions
        command = [str(part) for part in command]
        done = subprocess.run(command, env=environment or regions.traced(), capture_output=True, timeout=TIMEOUT,
                              check=False, **more)
        if done.returncode != status:
            raise AssertionError(f"'{' '.join(command)}' ended with {done.returncode}, expected {status}: "
                                 f"{done.stderr.decode(errors='replace')}")
        self.stderr = done.stderr.decode()
        self.output = done.stdout.decode()
        self.own = {}
        for line in self.output.splitlines():
            name, *numbers = line.split()
            keys = ("allocated_count", "allocated_size", "count", "size")
            self.own[name] = dict(zip(keys, map(int, numbers)))

    def stats(self):
        """The reports of all regions, those of forked children last."""
        reports = [stats(self.regions, path) for path in self.regions.all()]
        return sorted(reports, key=lambda report: report["process"]["pid"])


def compare(name, own, report):
    """The region's totals are the program's own, up to what was counted as lost: allocations, and frees."""
    lost = sum(report["drops"][cause] for cause in LOST)
    totals = {key: report["totals"][key] for key in own}
    if lost == 0:
        equal(f"totals of {name}", totals, own)
        return
    if not own["allocated_count"] - lost <= totals["allocated_count"] <= own["allocated_count"]:
        raise AssertionError(f"{name} made {own['allocated_count']} allocations, {totals['allocated_count']} are "
                             f"recorded and {lost} counted as lost")
    if not abs(totals["count"] - own["count"]) <= lost:
        raise AssertionError(f"{name} has {own['count']} blocks, {totals['count']} are recorded, {lost} lost")


def is_root():
    return os.geteuid() == 0


def need_root(what):
    if not is_root():
        raise Skip(f"{what} needs root")
