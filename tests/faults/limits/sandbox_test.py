#!/usr/bin/env python3
"""A program puts a system call filter on itself that kills for what it does not name: it lives, and all that it
allocates is recorded or counted as lost."""

from limits import Regions, Run, Tap, build, compare, equal

TAP = Tap()
GROWTH = ("region_full", "contexts_full", "no_index", "no_counter", "no_unwind", "no_shard")


def check(who, which, way, expected, may_drop=(), must_drop=()):
    """expected: the processes that have a region, in the order of their pids."""
    with Regions() as regions:
        run = Run(regions, [build("limits/sandbox.c", "-pthread"), who, which, way])
        reports = run.stats()
        equal("regions", len(reports), len(expected))
        for name, report in zip(expected, reports):
            compare(name, run.own[name], report)
            wrong = {cause: n for cause, n in report["drops"].items() if n and cause not in may_drop + must_drop}
            equal(f"drops of {name}", wrong, {})
        for cause in must_drop:
            if not any(report["drops"][cause] for report in reports):
                raise AssertionError(f"drops: {cause} is 0 everywhere, expected some")
        equal("on stderr", run.stderr, "")


def by_libseccomp():
    """libseccomp in a forked child: traced, nothing lost"""
    with Regions() as regions:
        run = Run(regions, [build("limits/libseccomp.c", "-lseccomp")])
        paths = sorted(regions.all(), key=lambda path: int(path.name.split("-")[0]))
        equal("regions", len(paths), 2)
        for name, path in zip(("parent", "child"), paths):
            report = regions.stats(path, "--filter", "*/work.h", "--group-by", "file")
            own = {key: run.own[name][key] for key in run.own[name]}
            equal(f"rows of {name}", [{key: row[key] for key in own} for row in report["stats"]], [own])
            equal(f"drops of {name}", {cause: n for cause, n in report["drops"].items() if n}, {})


TAP.check(by_libseccomp.__doc__, by_libseccomp)
for way in "prctl", "syscall":
    TAP.check(f"{way}: a child under privilege separation, before it allocates: traced, nothing lost",
              check, "child", "usual", way, ["parent", "child"])
    TAP.check(f"{way}: the same, without files (RLIMIT_NOFILE and RLIMIT_FSIZE of 0)",
              check, "limited", "usual", way, ["parent", "child"])
    TAP.check(f"{way}: a list that looks at arguments: no growth, counted",
              check, "child", "arguments", way, ["parent", "child"], GROWTH, ("region_full",))
    TAP.check(f"{way}: the process itself: traced on, nothing lost",
              check, "self", "usual", way, ["self"])
    TAP.check(f"{way}: strict mode: no call any more, counted",
              check, "self", "strict", way, ["self"], GROWTH, ("region_full",))
    TAP.check(f"{way}: a list without rt_sigprocmask: the stack was looked at before",
              check, "self", "no-trial", way, ["self"])
    TAP.check(f"{way}: a child of a bound process has no region, and is counted",
              check, "grandchild", "forking", way, ["parent", "child"], (), ("untraced_children",))
    TAP.check(f"{way}: a vfork child's filter does not bind its parent",
              check, "vfork", "arguments", way, ["parent"])
    TAP.check(f"{way}: one thread's filter: the others are traced on",
              check, "thread", "forking", way, ["self"])
raise SystemExit(TAP.done())
