#!/usr/bin/env python3
"""Resource limits set before exec, by the program itself and by a forked child before its first allocation: the
program does what it does untraced; what the region lacks is counted."""

import re
import resource
import signal

from limits import Regions, Run, Tap, build, compare, equal, stats

TAP = Tap()
KIB, MIB = 1 << 10, 1 << 20
FULL = ("region_full", "contexts_full", "no_index", "no_counter", "no_shard", "no_unwind")


def judge(run, regions, traced, may_drop):
    """traced: how many of the two processes must have a region."""
    equal("on stderr", run.stderr, "")
    equal("processes that came to their end", len(run.own), 2)
    reports = {path.name.split("-")[0]: stats(regions, path) for path in regions.all()}
    if len(reports) not in traced:
        raise AssertionError(f"{len(reports)} regions, expected one of {traced}")
    lost = 0
    for pid, report in reports.items():
        compare(pid, run.own[pid], report)
        may = may_drop + ("untraced_children",)
        wrong = {cause: n for cause, n in report["drops"].items() if n and cause not in may}
        equal(f"drops of {pid}", wrong, {})
        lost += report["drops"]["untraced_children"]
    if len(reports) == 1:
        equal("children counted as not traced", lost, 1)


def before(number, value, traced, may_drop=()):
    def limit():
        resource.setrlimit(number, (value, value))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with Regions() as regions:
        judge(Run(regions, [build("limits/bounded.c", "-pthread")], preexec_fn=limit), regions, traced, may_drop)


def itself(who, number, value, traced, may_drop=()):
    with Regions() as regions:
        run = Run(regions, [build("limits/bounded.c", "-pthread"), who, number, value])
        judge(run, regions, traced, may_drop)


AS, DATA, FSIZE = resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE
NOFILE, STACK, MEMLOCK = resource.RLIMIT_NOFILE, resource.RLIMIT_STACK, resource.RLIMIT_MEMLOCK
BEFORE = (
    ("RLIMIT_AS of 40 MiB", AS, 40 * MIB, (2,), FULL),
    ("RLIMIT_AS of 128 MiB", AS, 128 * MIB, (2,)),
    ("RLIMIT_DATA of 16 MiB", DATA, 16 * MIB, (2,), FULL),
    ("RLIMIT_FSIZE of 0", FSIZE, 0, (0,)),
    ("RLIMIT_FSIZE of 1 MiB", FSIZE, MIB, (2,), FULL),
    ("RLIMIT_FSIZE of 64 MiB", FSIZE, 64 * MIB, (2,)),
    ("RLIMIT_NOFILE of 4", NOFILE, 4, (0,)),  # the directory and the file in it are open at once
    ("RLIMIT_NOFILE of 5", NOFILE, 5, (2,)),
    ("RLIMIT_STACK of 64 KiB", STACK, 64 * KIB, (2,)),
    ("RLIMIT_MEMLOCK of 0", MEMLOCK, 0, (2,)),
)
ITSELF = (
    ("RLIMIT_AS of 40 MiB", AS, 40 * MIB, (2,), FULL),
    ("RLIMIT_DATA of 16 MiB", DATA, 16 * MIB, (2,), FULL),
    ("RLIMIT_FSIZE of 0", FSIZE, 0, (1, 2)),
    ("RLIMIT_FSIZE of 1 MiB", FSIZE, MIB, (2,), FULL),
    ("RLIMIT_NOFILE of 0", NOFILE, 0, (1, 2)),
    ("RLIMIT_STACK of 16 KiB", STACK, 16 * KIB, (2,)),
    ("RLIMIT_MEMLOCK of 0", MEMLOCK, 0, (2,)),
)
for name, *case in BEFORE:
    TAP.check(f"{name} before exec", before, *case)
for who, words in ("self", "by the program itself"), ("child", "by a forked child before it allocates"):
    for name, number, value, traced, *more in ITSELF:
        # A child that forbids itself files gets its region before; a child of a parent that did so gets none.
        must = (2,) if who == "child" or 1 not in traced else (1,)
        TAP.check(f"{name} {words}", itself, who, number, value, must, *more)
raise SystemExit(TAP.done())
