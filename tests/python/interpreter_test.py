#!/usr/bin/env python3
"""What reports say of the interpreter's own state, of regions made by hand."""

import json
import os
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "cli")]

import cmd_region  # noqa: E402
from tap import Tap  # noqa: E402
from tracesnap import TIMEOUT, TOOL, Regions  # noqa: E402

SECOND = 10**9
KEYS = ("threshold", "count", "collections", "collected", "uncollectable")
GENERATIONS = [(700, 612, 1234, 45, 1), (10, 3, 112, 6, 0), (-1, 0, 9, 7000, 2)]
BEGIN = "Python 3.11.2: gc enabled; collections 1,234/112/9, collected 45/6/7,000, uncollectable 3"


def equal(name, have, want):
    if have != want:
        raise AssertionError(f"{name} is {have!r}, expected {want!r}")


def made(version=0x030b02f0, seen=None, **more):
    """A region of this process, five seconds old; in small blocks of mem and obj there are 3000 bytes."""
    region = cmd_region.Region()
    region.python, region.python_version = cmd_region.TRACED, version
    module = region.module("/nowhere/lib.so")
    for count, size, domain in ((4, 1000, cmd_region.MEM), (5, 2000, cmd_region.OBJ), (1, 513, cmd_region.OBJ),
                                (90, 9000, cmd_region.LIBC)):
        region.context([(module, size)], (count + 7, size + 50), (7, 50), domain=domain)
    more = {"enabled": 1, "generations": GENERATIONS, **more}
    region.collector(5 * SECOND if seen is None else seen, **more)
    return region


def line(text):
    lines = [row for row in text.splitlines() if row.startswith("Python ")]
    return lines[0] if len(lines) == 1 else lines


def report(regions, region):
    """(the line of text, the member of JSON)"""
    for path in regions.all():
        path.unlink()
    path = region.write(regions.path)
    document = json.loads(regions.tool("stats", "--json", path))
    return line(regions.tool("stats", path).decode()), document["interpreter"]


def in_full(regions):
    region = made(arena_bytes=12 << 20)
    text, state = report(regions, region)
    equal("the line", text, BEGIN + "; pymalloc's arenas 12.0 MiB, about 12.0 MiB of it in no traced block")
    seen_at = state.pop("seen_at")
    equal("the moment", seen_at[-1:] == "Z" and len(seen_at), len("2026-01-01T00:00:00.000000Z"))
    equal("as JSON", state, {
        "version": "3.11.2", "arena_bytes": 12 << 20,
        "gc": {"enabled": True, "generations": [dict(zip(KEYS, numbers)) for numbers in GENERATIONS]}})
    text, state = report(regions, made(enabled=0, arena_bytes=5000))
    expected = BEGIN.replace("enabled", "disabled")
    expected += "; pymalloc's arenas 5000 B, about 2000 B of it in no traced block"
    equal("disabled, little untraced", (text, state["gc"]["enabled"]), (expected, False))
    text, state = report(regions, made(arena_bytes=3000))
    equal("all traced", text, BEGIN + "; pymalloc's arenas 3000 B")


def in_part(regions):
    text, state = report(regions, made())
    equal("no arenas", (text, state["arena_bytes"]), (BEGIN, None))
    text, state = report(regions, made(known=0, arena_bytes=3 << 20))
    equal("an unknown collector", (text, state["gc"]), (
        "Python 3.11.2: pymalloc's arenas 3072 KiB, about 3069 KiB of it in no traced block", None))
    text, state = report(regions, made(arena_bytes=(1 << 64) - 4096))
    equal("more freed than there were", (text, state["arena_bytes"]), (BEGIN, None))
    equal("nothing", report(regions, made(known=0)), ([], None))
    equal("no version", report(regions, made(version=0)), ([], None))
    region = cmd_region.Region()
    equal("no Python", report(regions, region), ([], None))


def how_old(regions):
    text, _ = report(regions, made(seen=SECOND))
    before, _, age = text.partition(" (")
    equal("four seconds ago", (before, age.split(" ", 1)[1]), (BEGIN, "s before)"))
    if not 3.9 <= float(age.split()[0]) <= 59:
        raise AssertionError(f"it was seen four seconds ago: {text}")
    text, state = report(regions, made(seen=0))
    equal("never", (text, state["seen_at"]), (BEGIN, None))
    text, state = report(regions, made(seen=(1 << 64) - 5))
    equal("a time that cannot be", (text, state["seen_at"]), (BEGIN, None))
    region = made(seen=2 * SECOND)
    region.ticks, region.state, region.end = 1, cmd_region.EXITED, region.start + 2 * SECOND + 50 * 10**6
    equal("just before the end", report(regions, region)[0], BEGIN)
    region.end += 7 * SECOND
    equal("long before the end", report(regions, region)[0], BEGIN + " (7.0 s before)")


def snapshots(regions):
    """As it was, whatever comes after."""
    for path in regions.all():
        path.unlink()
    path, saved = made(arena_bytes=12 << 20).write(regions.path), regions.scratch / "a.tsnap"
    before = json.loads(regions.tool("stats", "--json", path))["interpreter"]
    regions.tool("snap", path, "-o", saved)
    document = json.loads(regions.tool("stats", "--json", saved))
    equal("in a snapshot", document["interpreter"], before)
    equal("in an export", json.loads(regions.tool("export", saved))["interpreter"], before)
    text = regions.tool("diff", saved, saved).decode()
    equal("on both sides of a difference", len(line(text)), 2)
    both = json.loads(regions.tool("diff", "--json", saved, saved))
    equal("and as JSON", (both["interpreter"], both["old"]["interpreter"]), (before, before))


def any_bytes(regions):
    """Whatever stands there, a report is made."""
    for fill in (b"\xff", b"\x80", b"\x7f"):
        region = made()
        region.interpreter = fill * 176
        region.python_version = struct.unpack("<I", fill * 4)[0]
        for path in regions.all():
            path.unlink()
        path = region.write(regions.path)
        for options in ([], ["--json"]):
            done = subprocess.run([TOOL, "stats", *options, path], capture_output=True, timeout=TIMEOUT, check=False,
                                  env=regions.environment())
            equal(f"all {fill}", (done.returncode, [note for note in done.stderr.splitlines() if b"note" not in note]),
                  (0, []))
            if options:
                json.loads(done.stdout)


def main():
    tap = Tap()
    os.environ["TZ"] = "UTC"
    with Regions() as regions:
        tap.check("all of it", in_full, regions)
        tap.check("some of it, and nothing", in_part, regions)
        tap.check("how long ago that was", how_old, regions)
        tap.check("in snapshots, exports and differences", snapshots, regions)
        tap.check("any bytes", any_bytes, regions)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
