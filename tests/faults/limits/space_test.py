#!/usr/bin/env python3
"""The file system of the regions is full, from the start or from the middle of the run on, or read-only, or there is
none: the program does what it does untraced; what the region lacks is counted."""

import contextlib
import ctypes
import os
import pathlib
import subprocess
import sys

from limits import Regions, Run, Skip, Tap, build, compare, equal, stats

TAP = Tap()
KIB = 1 << 10
FULL = ("region_full", "contexts_full", "no_index", "no_counter", "no_shard", "no_unwind", "modules_full",
        "untraced_children")
ALONE = "TRACESNAP_TEST_ALONE"
MOST = 1 << 40  # more than anything here counts: a number below zero looks like it


def alone():
    """Runs this test again with mounts of its own, where that is allowed."""
    if ALONE in os.environ:
        return os.environ[ALONE] == "1"
    for options in ["-m"], ["-rm"]:
        command = ["unshare", *options]
        with contextlib.suppress(OSError):
            if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                              check=False).returncode == 0:
                os.environ[ALONE] = "1"
                os.execvp("unshare", [*command, sys.executable, *sys.argv])
    os.environ[ALONE] = "0"
    return False


@contextlib.contextmanager
def mounted(place, *options):
    if not alone():
        raise Skip("mounts of its own are not allowed here")
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "none", place], check=True)
    try:
        yield
    finally:
        if ctypes.CDLL(None).umount2(os.fsencode(place), 2) != 0:  # umount(8) needs /proc
            raise AssertionError(f"cannot unmount {place}")


def judge(run, regions, paths=None):
    """As far as there are regions. Returns the drops, added up, and how many regions there are."""
    equal("on stderr", run.stderr, "")
    equal("processes that came to their end", len(run.own), 3)
    dropped, count = {}, 0
    for path in regions.all() if paths is None else paths:
        if not path.is_file() or path.stat().st_size == 0:
            raise AssertionError(f"left behind: {path}")
        report = stats(regions, path)
        compare(path.name, run.own[path.name.split("-")[0]], report)
        count += 1
        for cause, n in report["drops"].items():
            dropped[cause] = dropped.get(cause, 0) + n
    unknown = {cause: n for cause, n in dropped.items() if n and cause not in FULL}
    equal("drops of other causes", unknown, {})
    return dropped, count


def plain():
    return [build("limits/plain.c", "-pthread")]


def size(size):
    with Regions() as regions, mounted(regions.path, f"size={size}", "mode=700"):
        dropped, count = judge(Run(regions, plain()), regions)
        if count == 3 and not any(dropped.values()):
            return  # all of it found room
        if count > 0 and not any(dropped.values()):
            raise AssertionError(f"{count} of 3 processes have a region, and no drop says so")


def filled(thread):
    with Regions() as regions, mounted(regions.path, "size=1m", "mode=700"):
        run = Run(regions, [build("limits/handover.c", "-pthread"), regions.path / "other", thread])
        (regions.path / "other").unlink()
        report = stats(regions, regions.all()[0])
        for row in [report["totals"], *report["stats"]]:
            wrong = {key: n for key, n in row.items() if isinstance(n, int) and not 0 <= n < MOST}
            equal("numbers that cannot be", wrong, {})
        own = run.own["-"]
        own = {**own, "allocated_count": own["allocated_count"] + 1}  # libc's, for the thread
        lost = report["drops"]["no_counter"] + report["drops"]["no_shard"]
        equal("blocks that live, but for libc's and the frees lost", report["totals"]["count"] - 1 - lost,
              own["count"])
        equal("allocations", report["totals"]["allocated_count"], own["allocated_count"])
        equal("blocks that the report's rows hold", sum(row["count"] for row in report["stats"]),
              report["totals"]["count"])
        if report["drops"]["region_full"] == 0:
            raise AssertionError("it was not full")


def untraced(regions, **environment):
    run = Run(regions, plain(), environment=regions.traced(**environment))
    equal("on stderr", run.stderr, "")
    equal("processes that came to their end", len(run.own), 3)


def read_only():
    """A read-only region directory: the program runs untraced"""
    with Regions() as regions, mounted(regions.path, "ro"):
        untraced(regions)
        equal("regions", regions.all(), [])


def missing():
    """A region directory that cannot be made: the program runs untraced"""
    with Regions() as regions:
        untraced(regions, TRACESNAP_DIR=str(regions.scratch / "no" / "such"))
        (regions.scratch / "file").write_text("")
        untraced(regions, TRACESNAP_DIR=str(regions.scratch / "file"))
        equal("made", sorted(path.name for path in regions.scratch.iterdir()), ["file"])


def without(*places):
    """Where the regions are when some places are read-only, by default directories."""
    with Regions() as regions, contextlib.ExitStack() as stack:
        program, environment = plain(), regions.traced()
        del environment["TRACESNAP_DIR"]
        own = pathlib.Path(f"/dev/shm/tracesnap-{os.geteuid()}")
        stack.enter_context(mounted("/dev/shm", "mode=1777", *(["ro"] if "/dev/shm" in places else [])))
        if "/proc" in places:
            stack.enter_context(mounted("/proc", "ro"))
        if "/dev/shm" in places:
            environment["TMPDIR"] = str(regions.scratch)
            own = regions.scratch / f"tracesnap-{os.geteuid()}"
        if "/tmp" in places:
            stack.enter_context(mounted(regions.scratch, "ro"))
        run = Run(regions, program, environment=environment)
        expected = 0 if "/tmp" in places else 3
        equal("regions", len(list(own.glob("*"))), expected)
        dropped, _ = judge(run, regions, sorted(own.glob("*")))
        equal("drops", {cause: n for cause, n in dropped.items() if n}, {})


def orphan():
    """A child without a region, then a child of it that could have one: both run untraced, the first is counted"""
    with Regions() as regions:
        program = build("limits/orphan.c", "-no-pie")
        run = Run(regions, [program, regions.path])
        equal("regions", len(regions.all()), 1)
        report = stats(regions, regions.all()[0])
        compare("the parent", next(iter(run.own.values())), report)
        equal("children counted", report["drops"]["untraced_children"], 1)


alone()
for kib in [4, 8, 12, 16, 20, 24, *range(32, 512, 48), *range(512, 4096, 512), 8192]:
    TAP.check(f"A file system of {kib} KiB", size, kib * KIB)
TAP.check("A file system of 1 MiB is filled by others, then a new thread frees what another allocated", filled, "new")
TAP.check("The same by a thread that has allocated before", filled, "old")
for check in read_only, missing, orphan:
    TAP.check(check.__doc__, check)
TAP.check("No /dev/shm: the regions go to TMPDIR", without, "/dev/shm")
TAP.check("No /dev/shm and no TMPDIR: the program runs untraced", without, "/dev/shm", "/tmp")
TAP.check("No /proc: the program is traced", without, "/proc")
raise SystemExit(TAP.done())
