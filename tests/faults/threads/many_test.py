#!/usr/bin/env python3
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import Skip, build, equal, main, run, traced  # noqa: E402

SHARDS = 4096  # TS_SHARDS_LIMIT
SHOW = ("--filter", "*many.c", "--sort", "allocated")


def program(count):
    path = build("threads/many.c", "-pthread", output="many")
    try:
        run([path, count, 1], None)
    except AssertionError as error:
        if "ended with 77" in str(error):
            raise Skip(f"no {count} threads at once here") from error
        raise
    return path


def five_hundred():
    """500 threads at once, each with its own total, which its neighbour's end frees a part of: all exact."""
    output, stats = traced(program(500), 500, 31, show=SHOW)
    rows = [row for row in stats["stats"] if row["function"] == "work"]
    found = (sum(row["allocated_size"] for row in rows), sum(row["size"] for row in rows))
    equal("allocated and live", found, tuple(map(int, output.split())))


def too_many():
    """More threads at once than there are shards: what finds none is dropped and counted, the program unharmed."""
    count = SHARDS + 50
    output, stats = traced(program(count), count, 1, must_drop=["no_shard"], show=SHOW)
    rows = [row for row in stats["stats"] if row["function"] == "work"]
    allocated = sum(row["allocated_size"] for row in rows)
    lost = int(output.split()[0]) - allocated
    if not 0 < lost < int(output.split()[0]) // 10:
        raise AssertionError(f"{allocated} bytes recorded of {output.split()[0]}")


if __name__ == "__main__":
    main(five_hundred, too_many)
