#!/usr/bin/env python3
"""Forked children, clear, pause, failing calls, odd allocators: estimates stay right, and what is gone counts
nothing."""
import os

from sampled import BY_FUNCTION, NOTHING, Regions, build, compare, drops, equal, main, rows, run

SAMPLE = 20000


def processes(output):
    """pid -> the lines that it said."""
    parts = {}
    for part in output.split("process ")[1:]:
        pid, lines = part.split("\n", 1)
        parts[int(pid)] = lines
    return parts


def lives(way, options=""):
    """Runs it, compares every process; pid -> its rows."""
    program = build("../sampling/lives.c", "-fPIE")
    with Regions() as regions:
        output = run([program, way], regions.traced(f"sample={SAMPLE}{options}"))
        found = {}
        for pid, lines in processes(output).items():
            stats = regions.stats(regions.of(pid)[0], *BY_FUNCTION)
            compare(lines, stats, SAMPLE)
            wrong = drops(stats)
            if wrong:
                raise AssertionError("\n".join(wrong))
            found[pid] = rows(stats)
        return found


def nothing_lives(found, place):
    for row in found.values():
        row = row.get(place, NOTHING)
        equal(f"{place}: live", (row["count"], row["size"]), (0, 0))


def forked():
    """A child has its parent's samples, and then chooses for itself."""
    found = lives("fork")
    equal("processes", len(found), 9)
    ends = [row.get("before", NOTHING)["count"] for row in found.values()]
    equal("children that freed all they had inherited", ends.count(0), 4)
    inherited = {row["before"]["allocated_count"] for row in found.values() if "before" in row}
    equal("what is inherited is the same in all", len(inherited), 1)
    # Each is a number of samples with the mean 195 and the standard error 14: nine alike are no chance.
    chosen = {row["after"]["allocated_count"] for row in found.values()}
    if len(chosen) < 4:
        raise AssertionError(f"nine processes that allocate the same have the estimates {sorted(chosen)}")


def cleared():
    """clear forgets samples, too."""
    nothing_lives(lives("clear"), "before")


def paused():
    """Nothing is recorded while recording is paused."""
    equal("before", [row.get("before") for row in lives("paused", ":paused=1").values()], [None])


def refused():
    """Calls that fail neither end sampling nor lose a block."""
    nothing_lives(lives("refused"), "before")


def nesting():
    """An allocator whose malloc calls calloc by name is traced exactly, and says so."""
    library = build("../sampling/nesting.c", "-shared", "-fPIC", "-fno-builtin", output="libnesting.so")
    program = build("../sampling/plain.c", "-Wl,--no-as-needed", f"-L{library.parent}", "-lnesting",
                    f"-Wl,-rpath,{library.parent}", output="nested")
    with Regions() as regions:
        run([program], regions.traced("sample=4096"))
        stats = regions.stats(regions.all()[0], *BY_FUNCTION)
        equal("sample", (stats["sampled"], stats["process"]["sample"]), (False, 0))
        equal("blocks", rows(stats)["plain"]["allocated_count"], 1000)


def bad_values():
    """A bad value costs one line; the program runs, and is traced exactly."""
    program = build("../sampling/plain.c")
    for option, most in (("sample", "1099511627776"), ("depth", "1024")):
        for value in ("0", "-1", "x", "", "1.5", "99999999999999999999999", str(int(most) + 1)):
            with Regions() as regions:
                environment = regions.traced(f"{option}={value}")
                output = run(["/bin/sh", "-c", f"LD_PRELOAD='{environment.pop('LD_PRELOAD')}' exec {program} 2>&1"],
                             environment)
                line = f"tracesnap: bad option value '{value}': {option} takes a "
                equal(f"lines of {option}={value}", (output.count("\n"), output.startswith(line)), (1, True))
                if not output.endswith(f"from 1 to {most}\n"):
                    raise AssertionError(output)
                stats = regions.stats(regions.all()[0], *BY_FUNCTION)
                equal("process", (stats["process"]["sample"], stats["process"]["depth"]), (0, 256))
                equal("blocks", rows(stats)["plain"]["count"], 1000)


def units():
    """Sizes in TRACESNAP_OPTIONS may have a unit."""
    program = build("../sampling/plain.c")
    for value, expected in (("1", 1), ("512K", 512 << 10), ("3M", 3 << 20), ("2G", 2 << 30), ("1T", 1 << 40)):
        with Regions() as regions:
            run([program], regions.traced(f"sample={value}:depth=20"))
            process = regions.stats(regions.all()[0])["process"]
            equal(f"sample={value}", (process["sample"], process["depth"]), (expected, 20))


if __name__ == "__main__":
    os.environ.pop("LD_PRELOAD", None)
    main(forked, cleared, paused, refused, nesting, bad_values, units)
