#!/usr/bin/env python3
"""The collector of a traced interpreter, as the tool shows it from outside, against what its gc module says."""

import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from interpreters import interpreters  # noqa: E402
from tap import Skip, Tap  # noqa: E402
from tracesnap import TIMEOUT, Regions  # noqa: E402

# The collector is at rest while it is looked at. What it says is told at every 16384th block that a thread frees: work()
# frees more.
PROGRAM = """
import gc, json, sys

class Node:
    def __init__(self, other=None):
        self.other = other or Node(self)

def work():
    for number in range(20000):
        str(number)

def say():
    print(json.dumps({"enabled": gc.isenabled(), "threshold": gc.get_threshold(), "stats": gc.get_stats()}), flush=True)

gc.disable()
nodes = [Node() for _ in range(100)]
del nodes
gc.collect(0), gc.collect(1), gc.collect()
for step in range(3):
    if step == 1:
        gc.set_threshold(900000, 17, 5)
        gc.enable()
        gc.collect(1)
    if step == 2:
        gc.disable()
        gc.collect()
    say()
    while sys.stdin.readline() != "next\\n":
        work()
        print("worked", flush=True)
"""


def same(state, said):
    if state is None or state["gc"] is None:
        return False
    generations = state["gc"]["generations"]
    return state["gc"]["enabled"] == said["enabled"] and \
        [g["threshold"] for g in generations] == said["threshold"] and \
        all(g[key] == s[key] for g, s in zip(generations, said["stats"]) for key in s if key in g)


def shown(regions, process, said):
    """The interpreter's state, when it is as the program says; it works on until then."""
    begun, state = time.monotonic(), None
    while time.monotonic() < begun + TIMEOUT / 2:
        process.stdin.write(b"work\n")
        process.stdin.flush()
        process.stdout.readline()
        state = json.loads(regions.tool("stats", "--json", process.pid))["interpreter"]
        if same(state, said):
            return state
    raise AssertionError(f"{state}\nafter much work; gc says {said}")


def follow(version, path):
    with Regions() as regions:
        process = subprocess.Popen([path, "-I", "-S", "-c", PROGRAM], env=regions.traced(), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        try:
            for _ in range(3):
                state = shown(regions, process, json.loads(process.stdout.readline()))
                if state["version"] != version:
                    raise AssertionError(f"version is {state['version']}, expected {version}")
                process.stdin.write(b"next\n")
                process.stdin.flush()
            if process.wait(TIMEOUT) != 0:
                raise AssertionError(f"the program ended with {process.returncode}")
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def main():
    tap = Tap()
    found = interpreters()
    for version, path in found:
        tap.check(f"{version}: seen from outside as its gc module says", follow, version, path)
    if not found:
        tap.check("an interpreter of 3.9 to 3.14", no_interpreter)
    sys.exit(tap.done())


def no_interpreter():
    raise Skip("there is none on this machine")


if __name__ == "__main__":
    main()
