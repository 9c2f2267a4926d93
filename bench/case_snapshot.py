"""Snapshots: how long one of more than 100,000 contexts takes, whether the process notices, and how long a
report of it takes."""

import os
import time
from contextlib import contextmanager

from helper import Contexts
from measure import Figure, in_turn
from report import Result, Table, Verdict, milliseconds, seconds, spread
from tracers import TRACESNAP

NAME = "snapshot"
SNAPSHOTS = 5  # in a row while the process looks for gaps
SNAP_LIMIT = 0.1  # seconds
STATS_LIMIT = 1.0  # seconds
GAP_ALLOWANCE = 1e-3  # seconds: what a virtual machine or an interrupt takes by itself

REPORTS = {
    "line": ["--group-by", "line"],
    "line, cumulative": ["--group-by", "line", "--cumulative"],
    "function": ["--group-by", "function"],
    "file": ["--group-by", "file"],
    "object": ["--group-by", "object"],
    "stack": ["--group-by", "stack"],
}


@contextmanager
def apart():
    """Leaves one processor to the traced process, so that nobody's snapshot takes it away; yields its
    number, -1 where there is but one."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        yield -1
        return
    os.sched_setaffinity(0, processors[:-1])
    try:
        yield processors[-1]
    finally:
        os.sched_setaffinity(0, processors)


def take_snapshots(bench, file):
    """{"snap": Figure, "snapshots": Figure, "quiet": Figure}: the time of a snapshot, and the longest gaps
    of the process with snapshots and, for as long, without."""
    snaps, gaps, quiet = [], [], []
    with apart() as cpu, Contexts(bench, bench.tracers[TRACESNAP], 1, cpu) as target:

        def snapshots():
            for _ in range(SNAPSHOTS):
                snaps.append(bench.call_tool("snap", str(target.pid), "-o", file).wall)

        snapshots()
        del snaps[:]
        for number in range(bench.rounds):
            bench.progress(f"{NAME}, round {number + 1}/{bench.rounds}")
            begin = time.perf_counter()
            gaps.append(target.longest_gap(snapshots))
            lasted = time.perf_counter() - begin
            quiet.append(target.longest_gap(lambda lasted=lasted: time.sleep(lasted)))
    bench.clear_regions()
    return {"snap": Figure.of(snaps), "snapshots": Figure.of(gaps), "quiet": Figure.of(quiet)}


def time_reports(bench, file):
    """{report: Figure} of the wall time of `tracesnap stats`."""
    runs = {
        name: lambda options=options: bench.call_tool("stats", "--no-pager", *options, file).wall
        for name, options in REPORTS.items()
    }
    walls = in_turn(bench.rounds, runs, lambda text: bench.progress(f"stats, {text}"))
    return {name: Figure.of(values) for name, values in walls.items()}


def snapshot_of_compiler(bench, file):
    """A snapshot of what the compiler left; the Figure of the time it took, None if there is no compiler."""
    for program in bench.programs():
        if program.name == "cc1plus":
            pid, _ = bench.launch(bench.tracers[TRACESNAP], program)
            region = bench.region_of(pid)
            calls = range(bench.rounds + 1)
            walls = [bench.call_tool("snap", region, "-o", file).wall for _ in calls]
            bench.clear_regions()
            return Figure.of(walls[1:])
    return None


def add_rows(table, name, contexts, snap, reports):
    table.rows.append([name, str(contexts), "snap", milliseconds(snap.median), spread(snap, milliseconds)])
    for report, figure in reports.items():
        cells = ["", "", f"stats by {report}", milliseconds(figure.median), spread(figure, milliseconds)]
        table.rows.append(cells)


def gap_table(found):
    table = Table(
        "Longest time for which a thread of the process did not get on",
        ["meanwhile", "median", "min..max"],
        note=f"The thread allocates, frees and reads the clock; a round is {SNAPSHOTS} snapshots or as long"
        " without any. Gaps without snapshots are the machine's.",
    )
    for name, key in (("snapshots", "snapshots"), ("none", "quiet")):
        table.rows.append([name, milliseconds(found[key].median), spread(found[key], milliseconds, False)])
    return table


def judge(found, reports):
    slowest = max(reports.values(), key=lambda figure: figure.median)
    snap, gap, quiet = (found[key].median for key in ("snap", "snapshots", "quiet"))
    # A gap that a busy machine makes by itself hides one of the length of a snapshot.
    stays = gap <= max(2 * quiet, quiet + GAP_ALLOWANCE) if quiet < snap / 4 else None
    return [
        Verdict(
            f"snapshot: taken in less than {milliseconds(SNAP_LIMIT)}",
            snap < SNAP_LIMIT,
            milliseconds(snap),
        ),
        Verdict(
            "snapshot: stops nobody",
            stays,
            f"longest gap {milliseconds(gap)} with snapshots, {milliseconds(quiet)} without",
        ),
        Verdict(
            f"stats: any report in less than {seconds(STATS_LIMIT)}",
            slowest.median < STATS_LIMIT,
            f"slowest {seconds(slowest.median)}",
        ),
    ]


def run(bench):
    table = Table("Snapshots and reports", ["of", "contexts", "command", "median", "min..max"])
    result = Result(NAME, [table])
    if not bench.helper("contexts"):
        return result
    file = os.path.join(bench.scratch, "contexts.tsnap")
    found = take_snapshots(bench, file)
    reports = time_reports(bench, file)
    contexts = bench.stats(file)["totals"]["contexts"]
    add_rows(table, "contexts.c, running", contexts, found["snap"], reports)
    result.tables.append(gap_table(found))
    result.verdicts = judge(found, reports)
    result.data["contexts"] = {
        "contexts": contexts,
        "snapshot_bytes": os.path.getsize(file),
        "snap": found["snap"].json(),
        "gap": {"snapshots": found["snapshots"].json(), "quiet": found["quiet"].json()},
        "stats": {name: figure.json() for name, figure in reports.items()},
    }

    file = os.path.join(bench.scratch, "cc1plus.tsnap")
    snap = snapshot_of_compiler(bench, file)
    if snap:
        reports = time_reports(bench, file)
        contexts = bench.stats(file)["totals"]["contexts"]
        add_rows(table, "cc1plus, ended", contexts, snap, reports)
        result.data["cc1plus"] = {
            "contexts": contexts,
            "snapshot_bytes": os.path.getsize(file),
            "snap": snap.json(),
            "stats": {name: figure.json() for name, figure in reports.items()},
        }
    return result
