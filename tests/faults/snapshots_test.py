#!/usr/bin/env python3
import pathlib
import tempfile

from fault import Regions, build, drops, equal, main, run

THREADS = 3


def holds(row):
    return row["allocated_size"] == 1000 * row["allocated_count"] > 0 and any(
        frame["function"] == "hold" for frame in row["frames"]
    )


def snapshots():
    """Snapshots from inside while threads allocate: no block too many, no file in halves."""
    with tempfile.TemporaryDirectory() as directory, Regions() as regions:
        run([build("snapshots.c", "-pthread")], regions.traced(), cwd=directory)
        names = {path.name for path in pathlib.Path(directory).iterdir()}
        equal("files", names, {f"{i}.tsnap" for i in range(60)} | {"again.tsnap", "fifo"})
        for path in pathlib.Path(directory).glob("*.tsnap"):
            stats = regions.stats(path, "--group-by", "stack")
            equal("drops", drops(stats), [])
            rows = [row for row in stats["stats"] if holds(row)]
            wrong = [
                (row["count"], row["size"])
                for row in rows
                if not 0 <= row["count"] <= THREADS or row["size"] != 1000 * row["count"]
            ]
            equal(f"{path.name}: impossible rows", wrong, [])
            count = sum(row["count"] for row in rows)
            if count > 10 * THREADS:
                raise AssertionError(f"{path.name}: {count} blocks live, expected {THREADS}")
            nameless = [row for row in stats["stats"] if not row["frames"]]
            equal("rows without frames", nameless, [])


main(snapshots)
