#!/usr/bin/env python3
"""Interpreters and code objects that are not what they should be: native frames or no line, never a crash, and the report
says why, once.

    odd_test.py [VERSION]...    only these interpreters, for example 3.11.2
"""

import os
import shutil
import struct
import subprocess
import sys

from life_test import KILLED, LIFE, check, is_about, play
from traced import Regions, Skip, Tap, equal, pythons, run

# Which word behind the first three of _Py_DebugOffsets each group begins with, as in shim/python_layout.c.
GROUPS = {(3, 13): {"thread": 16, "frame": 25}, (3, 14): {"thread": 19, "frame": 28}}


def names(python):
    """names of files that are odd, and line tables that are broken"""
    document = play(python, "names.py")
    plain = ["plain", "café", "中文", "\U0001f600", "bad\ufffd", None, "?", "new line"]
    for size, name in enumerate(plain):
        rows = [row for row in document["stats"] if row["file"] == name] if name else \
               [row for row in document["stats"] if (row["file"] or "").startswith("longlong")]
        have = [(row["size"], row["count"]) for row in rows if row["line"] == 2]
        if len(have) != 1 or not is_about(have[0], (10 * (133 + size), 10)):
            raise AssertionError(f"{name!r}:2 has {have}, expected 10 blocks of {133 + size}")
    if python.minor >= (3, 10):
        for number in range(6):
            size = sum(row["size"] for row in document["stats"] if row["file"] == f"broken{number}")
            if not 153 + number <= size <= 700:
                raise AssertionError(f"broken{number} has {size} bytes in all, expected {153 + number} and little more")


def deep(python):
    """recursion deeper than a stack is kept"""
    document = play(python, "deep.py", may_drop=("depth_cut",))
    if document["drops"]["depth_cut"] == 0:
        raise AssertionError("no stack was cut")


class Copy:
    """A copy of an interpreter: a program and, if it has one, its library, both to be changed."""

    def __init__(self, python, directory):
        self.program = shutil.copy(os.path.realpath(python.path), directory / "python3")
        self.files = [self.program]
        self.environment = {"PYTHONHOME": python.prefix}
        if python.linked:
            self.files.append(shutil.copy(python.linked, directory))
            self.environment["LD_LIBRARY_PATH"] = str(directory)

    def library(self):
        return self.files[-1]

    def play(self, regions, status=KILLED):
        run([self.program, "-B", LIFE / "plain.py"], regions.traced(**self.environment), status)
        equal("number of regions", len(regions.all()), 1)
        return regions.stats(regions.all()[0])


def symbol(path, name):
    """Where a symbol's bytes are in the file, and how many."""
    listed = subprocess.run(["readelf", "-W", "--dyn-syms", path], capture_output=True, text=True, check=True).stdout
    found = [line.split() for line in listed.splitlines() if line.split()[7:8] == [name]]
    if not found:
        raise Skip(f"no symbol {name} in the interpreter")
    address, size = int(found[0][1], 16), int(found[0][2], 0)
    segments = subprocess.run(["readelf", "-W", "-l", path], capture_output=True, text=True, check=True).stdout
    for line in segments.splitlines():
        words = line.split()
        if words[:1] == ["LOAD"]:
            offset, start, length = int(words[1], 16), int(words[2], 16), int(words[4], 16)
            if start <= address < start + length:
                return address - start + offset, size
    raise Skip(f"{name} is in no segment")


def patch(path, name, at, value):
    offset, _ = symbol(path, name)
    with open(path, "r+b") as file:
        file.seek(offset + at)
        file.write(value)


def expect_native(document, state):
    """No Python lines, and why; all blocks are there."""
    equal("state", document["process"]["python"]["state"], state)
    if not document["process"]["python"]["reason"]:
        raise AssertionError("the report does not say why there are no Python lines")
    equal("files of Python", [row["file"] for row in document["stats"] if str(row["file"]).endswith(".py")], [])
    if document["totals"]["size"] < 5 * 100033 + 50 * 133:
        raise AssertionError(f"only {document['totals']['size']} bytes in all")


def stripped(python):
    """a stripped interpreter has its lines"""
    with Regions() as regions:
        copy = Copy(python, regions.scratch)
        for file in copy.files:
            subprocess.run(["strip", "--strip-all", file], check=True)
        document = copy.play(regions)
        equal("state", document["process"]["python"]["state"], "traced")
        check(document, "plain.py")


def unknown_version(python):
    """an unknown version: native frames"""
    if python.minor < (3, 11):
        raise Skip("this version has no Py_Version")
    with Regions() as regions:
        copy = Copy(python, regions.scratch)
        patch(copy.library(), "Py_Version", 0, struct.pack("<Q", 0x035A00F0))
        expect_native(copy.play(regions), "unknown_version")


def published(python, file, group, which):
    """Where in _PyRuntime a word of a group of the published offsets is, and what it is."""
    at = 8 * (3 + GROUPS[python.minor][group] + which)
    offset, _ = symbol(file, "_PyRuntime")
    with open(file, "rb") as binary:
        binary.seek(offset + at)
        return at, binary.read(8)


def other_offsets(python):
    """a patch release that moved what lies in frames: native frames"""
    if python.minor not in GROUPS:
        raise Skip("this version publishes no offsets")
    with Regions() as regions:
        copy = Copy(python, regions.scratch)
        at, _ = published(python, copy.library(), "frame", 2)  # its code
        patch(copy.library(), "_PyRuntime", at, struct.pack("<Q", 24))
        expect_native(copy.play(regions), "unknown_layout")


def offset_to_no_address(python):
    """one that moved where the newest frame is found, to a number that is no address: it is not followed even once"""
    if python.minor not in GROUPS:
        raise Skip("this version publishes no offsets")
    with Regions() as regions:
        copy = Copy(python, regions.scratch)
        at, _ = published(python, copy.library(), "thread", 4)  # its newest frame
        _, native_thread_id = published(python, copy.library(), "thread", 6)
        patch(copy.library(), "_PyRuntime", at, native_thread_id)
        expect_native(copy.play(regions), "unknown_layout")


def free_threaded(python):
    """a build that says to be free-threaded: native frames"""
    if python.minor < (3, 13):
        raise Skip("this version publishes no offsets")
    with Regions() as regions:
        copy = Copy(python, regions.scratch)
        patch(copy.library(), "_PyRuntime", 16, struct.pack("<Q", 1))
        expect_native(copy.play(regions), "free_threaded")


def main():
    tap = Tap()
    checks = (names, deep, stripped, unknown_version, other_offsets, offset_to_no_address, free_threaded)
    for python in pythons():
        for one in checks:
            tap.check(f"{python}: {one.__doc__}", one, python)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
