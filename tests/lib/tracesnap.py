"""Calls the tool under test and traces programs with the shim under test, each test in a region directory of
its own."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading

TOOL = os.environ["TRACESNAP"]
SHIM = os.environ["TRACESNAP_LIB"]
SOURCE = pathlib.Path(os.environ["srcdir"]).resolve()
BUILD = pathlib.Path(os.environ["builddir"]).resolve()
TIMEOUT = 120  # seconds; nothing here takes a tenth of it, so whoever gets there hangs


class Regions:
    """A region directory of one test; it goes away at the end."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="tracesnap-test-")
        self.path = pathlib.Path(self.temporary.name) / "regions"
        self.path.mkdir(mode=0o700)
        self.scratch = pathlib.Path(self.temporary.name) / "scratch"
        self.scratch.mkdir()
        return self

    def __exit__(self, *unused):
        self.temporary.cleanup()

    def environment(self, options="", **more):
        """The caller's environment without any tracing, looking into this directory."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if name != "LD_PRELOAD" and not name.startswith("TRACESNAP")
        }
        environment["TRACESNAP_DIR"] = str(self.path)
        environment["LC_ALL"] = "C.UTF-8"
        if options:
            environment["TRACESNAP_OPTIONS"] = options
        environment.update(more)
        return environment

    def traced(self, options="", **more):
        return self.environment(options, LD_PRELOAD=SHIM, **more)

    def of(self, pid):
        """The regions of a process, in the order of its programs."""
        found = []
        for path in self.path.iterdir():
            numbers = path.name.split("-")
            if numbers[0] == str(pid) and all(n.isdigit() for n in numbers):
                found.append((int(numbers[1]), int(numbers[2]) if len(numbers) > 2 else 0, path))
        return [path for _, _, path in sorted(found)]

    def all(self):
        return sorted(self.path.iterdir())

    def tool(self, *arguments):
        """Runs the tool; returns what it printed. A status other than 0 is an error."""
        command = [TOOL, *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment(), capture_output=True, timeout=TIMEOUT, check=False
        )
        if done.returncode != 0:
            raise AssertionError(
                f"'{' '.join(command)}' ended with {done.returncode}: {done.stderr.decode(errors='replace')}"
            )
        return done.stdout

    def stats(self, source, *options):
        return json.loads(self.tool("stats", "--json", "--top", "0", *options, source))


class Watchdog(threading.Timer):
    """Ends a process group that hangs, so that whoever waits for its output sees the end of it."""

    def __init__(self, group):
        super().__init__(TIMEOUT, os.killpg, (group, signal.SIGKILL))

    def __enter__(self):
        self.start()

    def __exit__(self, *unused):
        self.cancel()


def drops(document, expected=(), possible=()):
    """What was dropped though nothing should be, or not dropped though something must be."""
    wrong = []
    for cause, count in document["drops"].items():
        if cause in expected and count == 0:
            wrong.append(f"drops: {cause} is 0, expected some")
        if cause not in expected and cause not in possible and count != 0:
            wrong.append(f"drops: {cause} is {count}, expected 0")
    for cause in expected:
        if cause not in document["drops"]:
            wrong.append(f"drops: no {cause} in the report")
    return wrong
