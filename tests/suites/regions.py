"""Collects the regions of dead processes while a suite runs: reads each, adds up its counts, deletes it.

Every region is read by `tracesnap ps --all --json`, many in one call, which reads and checks the same as `stats`;
and by `tracesnap stats --json`, one call each, as many as `every` allows.
"""

import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

from runner import OWN


def is_running(pid, ticks):
    """Whether the process that a region is named after still runs; a zombie does not."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    fields = stat.rpartition(")")[2].split()
    return fields[0] not in "ZX" and int(fields[19]) == ticks


class Sums(dict):
    """What is known of all regions together; plain numbers and lists, since it is kept as JSON."""

    def __init__(self):
        super().__init__(
            processes=0, by_stats=0, allocations=0, most_at_once=0, most_bytes=0, unreadable=[], drops={}, where={},
            states={})

    def add(self, entry):
        self["processes"] += 1
        self["allocations"] += entry["totals"]["allocated_count"]
        self.count("states", entry["process"]["state"], 1)
        program = os.path.basename(entry["process"]["exe"]) or "?"
        for cause, count in entry["drops"].items():
            if count:
                self.count("drops", cause, count)
                self["where"].setdefault(cause, {})
                self["where"][cause][program] = self["where"][cause].get(program, 0) + count

    def count(self, table, key, number):
        self[table][key] = self[table].get(key, 0) + number


def merged(first, second):
    """The sums of two runs together."""
    both = Sums()
    for sums in first, second:
        for key, value in sums.items():
            if key in ("most_at_once", "most_bytes"):
                both[key] = max(both[key], value)
            elif isinstance(value, int):
                both[key] += value
            elif isinstance(value, list):
                both[key] = both[key] + value
            else:
                _add(both[key], value)
    return both


def _add(table, more):
    for key, value in more.items():
        if isinstance(value, dict):
            _add(table.setdefault(key, {}), value)
        else:
            table[key] = table.get(key, 0) + value


class Collector:
    """A thread beside a suite. every: how many regions there are to one that `stats` reads."""

    def __init__(self, directory, kept, tool, user, every=1):
        self.live, self.dead = directory / "live", directory / "dead"
        self.kept = kept  # where unreadable ones go
        self.tool, self.user, self.every = tool, user, every
        self.sums, self.seen = Sums(), 0
        self.thread, self.stop, self.lock = None, threading.Event(), threading.Lock()
        for path in self.live, self.dead:
            path.mkdir(mode=0o700, parents=True)
        user.own(directory)

    def __enter__(self):
        self.thread = threading.Thread(target=self._work)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.collect()
        for path in self.live.iterdir():
            self.sums["unreadable"].append(f"{path.name}: its process still runs")
            path.unlink()

    def _work(self):
        while not self.stop.wait(1):
            self.collect()

    def snapshot(self):
        with self.lock:
            return copy.deepcopy(self.sums)

    def collect(self):
        with self.lock:
            self._collect()

    def _collect(self):
        files = list(self.live.iterdir())
        self.sums["most_at_once"] = max(self.sums["most_at_once"], len(files))
        self.sums["most_bytes"] = max(self.sums["most_bytes"], sum(self._size(path) for path in files))
        for path in files:
            found = re.fullmatch(r"(\d+)-(\d+)(-\d+)?", path.name)
            if found and not is_running(int(found[1]), int(found[2])):
                path.rename(self.dead / path.name)
        batch = {str(path) for path in self.dead.iterdir()}
        if batch:
            self._read(batch)

    @staticmethod
    def _size(path):
        try:
            return path.stat().st_blocks * 512
        except OSError:
            return 0

    def _tool(self, *arguments):
        environment = {"TRACESNAP_DIR": str(self.dead), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
        with OWN:
            return subprocess.run([self.tool, *arguments, "--json"], env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, check=False, timeout=600, **self.user.arguments)

    def _read(self, batch):
        done = self._tool("ps", "--all")
        listed = set()
        for entry in json.loads(done.stdout)["processes"]:
            if entry["source"] in batch:
                listed.add(entry["source"])
                self.sums.add(entry)
        for path in batch - listed:
            self._unlisted(path, done)
        for path in sorted(batch):
            if self.seen % self.every == 0:
                self._stats(path)
            self.seen += 1
            os.unlink(path)

    def _unlisted(self, path, listing):
        """ps leaves out a region that is not ready: its process was killed before it had recorded anything."""
        done = self._tool("stats", path)
        if b"is not ready" in done.stdout:
            self.sums.count("states", "killed at its start", 1)
        else:
            self._unreadable(path, "ps", listing)

    def _unreadable(self, path, command, done):
        """Says so, and keeps the file."""
        said = f"{command} ended with {done.returncode}: {done.stderr[:300]!r}"
        self.sums["unreadable"].append(f"{os.path.basename(path)}: {said}")
        shutil.copy(path, self.kept)

    def _stats(self, path):
        done = self._tool("stats", "--group-by", "object", "--top", "1", path)
        try:
            if done.returncode == 0 and json.loads(done.stdout)["totals"]["allocated_count"] >= 0:
                self.sums["by_stats"] += 1
                return
        except (ValueError, KeyError):
            pass
        self._unreadable(path, "stats", done)

