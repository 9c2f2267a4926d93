"""The Python programs of the directory python: the interpreter that runs them, and the work of each, about a
second without tracing. A program takes the number of its rounds and prints a checksum."""

import os
import runpy
import shutil

import places
from measure import BenchError
from programs import Program

INTERPRETER = "/usr/bin/python3"  # whole: what is first on PATH may be a script that looks for one
DIRECTORY = places.HERE / "python"
QUICK_PART = 10  # of the rounds
# A set's order is a matter of chance otherwise
VARIABLES = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def names():
    return sorted(path.stem for path in DIRECTORY.glob("*.py"))


def interpreter():
    """The program that PYTHON names, as it says itself: what starts it is not to be measured."""
    given = os.environ.get("PYTHON") or INTERPRETER
    found = shutil.which(given)
    path = places.version(found, "-c", "import sys; print(sys.executable)") if found else ""
    if not path:
        raise BenchError(f"no interpreter: '{given}'; set PYTHON to one")
    return path


def prepare(python, chosen=None, quick=False):
    """[Program] of those that are chosen, None = all."""
    found = []
    for name in names():
        if chosen is None or name in chosen:
            path = DIRECTORY / f"{name}.py"
            said = runpy.run_path(str(path))
            rounds = max(1, said["ROUNDS"] // QUICK_PART) if quick else said["ROUNDS"]
            what = f"{name}: {' '.join(said['__doc__'].split())}; {rounds} rounds"
            found.append(Program(name, what, [python, str(path), str(rounds)], variables=VARIABLES))
    return found
