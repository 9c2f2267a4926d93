#!/usr/bin/env python3
"""SIGKILL at random moments under Python, in the start, at work, and in a forked child: whatever is left of the process is read,
adds up, has as many blocks on their line as the program itself wrote down, and names no line that is not there.

    kills_test.py [COUNT [SEED]]    60 kills; all interpreters in turn; prints a FIGURE when COUNT is given
"""

import functools
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import time

from life_test import LIFE
from traced import TIMEOUT, TOOL, Regions, Tap, drops, equal, interpreters

VICTIM = LIFE / "victim.py"
THREADS = 3
COUNTED = next(n for n, text in enumerate(VICTIM.read_text(encoding="utf-8").splitlines(), 1) if text.endswith("# counted"))
STOPPED = ("not ready", "is empty")  # what the tool says of a region that was just being made


class Page:
    """What the victim writes down."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(4096))

    def words(self):
        return struct.unpack_from(f"={2 + THREADS}Q", self.path.read_bytes())

    def wait_for(self, word, child):
        end = time.monotonic() + TIMEOUT
        while self.words()[word] == 0:
            if child.poll() is not None:
                raise AssertionError(f"the victim ended by itself with {child.returncode}")
            if time.monotonic() > end:
                raise AssertionError("the victim does not begin")
            time.sleep(0.0005)


def kill(path, regions, page, chance, forked):
    """Kills the victim, or its child, somewhere in its start or in its work; returns the killed one's pid."""
    command = [path, "-B", VICTIM, page.path, *(["fork"] if forked else [])]
    child = subprocess.Popen(command, env=regions.traced(), stderr=subprocess.DEVNULL)
    at_work = forked or chance.random() < 0.6
    if at_work:
        page.wait_for(chance.choice((0, 1)) if forked else 1, child)
    time.sleep(chance.random() * (0.03 if at_work else 0.08))
    victim = page.words()[0] if forked else child.pid
    os.kill(victim, signal.SIGKILL)
    child.wait(TIMEOUT)
    return victim


@functools.lru_cache(None)
def length_of(file):
    try:
        return len(pathlib.Path(file).read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return None


def check_rows(document):
    rows, totals = document["stats"], document["totals"]
    for row in rows:
        if not (0 <= row["count"] <= row["allocated_count"] and 0 <= row["size"] <= row["allocated_size"]
                and (row["count"] or not row["size"])):
            raise AssertionError(f"a row that cannot be: {row}")
        length = length_of(row["file"]) if (row["file"] or "").endswith(".py") else None
        if length is not None and not 0 <= (row["line"] or 0) <= length:
            raise AssertionError(f"no such line: {row}")
    for key in ("size", "count", "allocated_size", "allocated_count"):
        equal(f"the sum of {key}", sum(row[key] for row in rows), totals[key])


def check_books(document, words):
    """Each thread may have been between its block and its book; a few objects more are temporary, or in free lists."""
    rows = [row for row in document["stats"] if (row["file"], row["line"]) == (str(VICTIM), COUNTED)]
    count, size = sum(row["count"] for row in rows), sum(row["size"] for row in rows)
    done = words[2:]
    if not sum(done) <= count <= sum(done) + THREADS + 4:
        raise AssertionError(f"{count} blocks of victim.py:{COUNTED}, the program has {done}")
    least = sum(n * (133 + i) for i, n in enumerate(done))
    if not least <= size <= least + (THREADS + 4) * 200:
        raise AssertionError(f"{size} bytes of victim.py:{COUNTED}, the program has {least}")


def examine(path, regions, words):
    """False: the region was just being made."""
    command = [TOOL, "stats", "--json", "--top", "0", "--sort", "allocated", "--attribute", "python", "--sysroot", regions.path, path]
    done = subprocess.run(command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=False)
    try:
        document = json.loads(done.stdout if done.returncode == 0 else done.stderr)
    except ValueError:
        raise AssertionError(f"no JSON, status {done.returncode}: {done.stdout[:500]} {done.stderr[:500]}") from None
    if done.returncode != 0:
        if any(text in document["error"] for text in STOPPED):
            return False
        raise AssertionError(f"stats says {document['error']}")
    equal("state", document["process"]["state"], "ended")
    equal("drops", drops(document), [])
    check_rows(document)
    check_books(document, words)
    return True


def kills(count, seed):
    """killed at random moments, what is left adds up, and is what the program wrote down"""
    chance, pythons = random.Random(seed), [path for _, path in interpreters()]
    read = 0
    for number in range(count):
        with Regions() as regions:
            page = Page(regions.scratch / "page")
            victim = kill(pythons[number % len(pythons)], regions, page, chance, forked=number % 4 == 3)
            for path in regions.of(victim):
                try:
                    read += examine(path, regions, page.words())
                except AssertionError as error:
                    raise AssertionError(f"kill {number} of seed {seed}, {pythons[number % len(pythons)]}: {error}") from None
    if read < count // 2:
        raise AssertionError(f"only {read} of {count} regions could be read")
    if len(sys.argv) > 1:
        print(f"FIGURE: kills of Python survived {count}", flush=True)


def main():
    count, seed = (list(map(int, sys.argv[1:])) + [60, 1][len(sys.argv) - 1:])[:2]
    tap = Tap()
    tap.check(kills.__doc__, kills, count, seed)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
