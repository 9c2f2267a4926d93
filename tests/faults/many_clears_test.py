#!/usr/bin/env python3
import pathlib
import tempfile

from fault import Regions, build, equal, main, run


def clears():
    """After 32768 clears, what was recorded before them is still forgotten."""
    with tempfile.TemporaryDirectory() as directory, Regions() as regions:
        run([build("many_clears.c")], regions.traced(), cwd=directory)
        for name, allocated in (("held", 1), ("freed", 5000 + 1)):
            totals = regions.stats(pathlib.Path(directory) / f"{name}.tsnap")["totals"]
            equal(f"{name}: allocated since the last clear", totals["allocated_size"], allocated)
            equal(f"{name}: live bytes", totals["size"], allocated - 1)
            equal(f"{name}: freed bytes", totals["freed_size"], 1)


main(clears)
