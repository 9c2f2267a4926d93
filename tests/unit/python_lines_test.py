#!/usr/bin/env python3
"""Lines of Python as each interpreter on this machine says them itself: of every instruction of every function of
some hundred modules of its standard library, and of tables that no compiler made. LINES_MODULES, LINES_RANDOM and
LINES_SEED choose other numbers."""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

# pylint: disable=wrong-import-position
import pythons  # noqa: E402
from tap import Skip, Tap, note  # noqa: E402
from tracesnap import BUILD  # noqa: E402

DRIVER = BUILD / "tests" / "unit" / "python_lines_driver"
MODULES = int(os.environ.get("LINES_MODULES", "200"))
RANDOM = int(os.environ.get("LINES_RANDOM", "2000"))
SEED = int(os.environ.get("LINES_SEED", "20260711"))
ANY_BYTES = 200000


def drive(*arguments, **more):
    """(tables, instructions) that were right."""
    done = subprocess.run([DRIVER, *arguments], stdout=subprocess.PIPE, text=True, check=False, timeout=300, **more)
    found = re.search(r"^(\d+) tables, (\d+) instructions, 0 wrong$", done.stdout, re.M)
    if done.returncode != 0 or found is None:
        raise AssertionError(f"status {done.returncode}: {done.stdout}")
    return int(found[1]), int(found[2])


def compare(name, path):
    command = [path, "-I", HERE / "python_lines_tables.py", str(MODULES), str(RANDOM), str(SEED)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as interpreter:
        tables, instructions = drive(stdin=interpreter.stdout)
        complaint = interpreter.stderr.read().decode(errors="replace")
    if interpreter.returncode != 0 and "ctypes" in complaint:
        raise Skip(f"{path} has no ctypes: its own answer cannot be asked for")
    if interpreter.returncode != 0:
        raise AssertionError(f"status {interpreter.returncode}: {complaint}"[-3000:])
    if tables < RANDOM + 5 * MODULES:
        raise AssertionError(f"only {tables} tables")
    note(f"FIGURE: instructions whose line is as {name} says {instructions}")


def main():
    tap = Tap()
    found = pythons.find()
    for version, path in found:
        name = f"Python {version[0]}.{version[1]}"
        tap.check(f"lines are those of {name} ({path})", compare, name, path)
    if not found:
        tap.skip("lines are the interpreter's", "no CPython 3.9 to 3.14: install Debian's python3")
    tap.check(f"{ANY_BYTES} tables of any bytes", drive, str(ANY_BYTES))
    return tap.done()


sys.exit(main())
