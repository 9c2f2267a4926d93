"""What the tests of this directory share: the interpreters that are at hand, and how one of them is run."""

import functools
import glob
import json
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from tap import Skip, Tap, note  # noqa: E402,F401
from tracesnap import BUILD, SHIM, SOURCE, TIMEOUT, TOOL, Regions, drops  # noqa: E402,F401

PROGRAMS = BUILD / "tests" / "python" / "programs" / pathlib.Path(sys.argv[0]).stem
PLACES = ("/usr/bin/python3*", "/usr/local/bin/python3*", "~/.pyenv/versions/*/bin/python3")
ASKED = """
import json, sys, sysconfig as s
json.dump({"version": sys.version_info[:3], "exe": sys.executable, "include": s.get_path("include"),
           "shared": s.get_config_var("Py_ENABLE_SHARED"), "library": s.get_config_var("LDLIBRARY"),
           "libraries": s.get_config_var("LIBDIR"), "free_threaded": bool(s.get_config_var("Py_GIL_DISABLED"))},
          sys.stdout)
"""


class Python:
    """An interpreter: path, version, and where its headers and its library are."""

    def __init__(self, path, answer):
        self.path = path
        self.version = tuple(answer["version"])
        self.minor = self.version[:2]
        self.include = answer["include"]
        self.library = os.path.join(answer["libraries"] or "", answer["library"] or "")
        self.is_shared = bool(answer["shared"])
        self.is_known = (3, 9) <= self.minor <= (3, 14) and not answer["free_threaded"]

    def __str__(self):
        return ".".join(map(str, self.version)) + ("" if self.is_shared else " (static)")

    def has_headers(self):
        return os.path.exists(os.path.join(self.include, "Python.h"))


def is_program(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


@functools.lru_cache(None)
def pythons():
    """All interpreters of CPython 3 on this machine, each version and kind of build once; oldest first. The variable
    TRACESNAP_PYTHONS names others in their place."""
    found = {}
    places = os.environ.get("TRACESNAP_PYTHONS")
    for place in shlex.split(places) if places else PLACES:
        for path in sorted(glob.glob(os.path.expanduser(place))):
            real = os.path.realpath(path)
            if not os.access(real, os.X_OK) or not is_program(real):
                continue
            done = subprocess.run([real, "-I", "-c", ASKED], capture_output=True, timeout=TIMEOUT, check=False)
            if done.returncode == 0:
                python = Python(real, json.loads(done.stdout))
                found.setdefault((python.version, python.is_shared), python)
    return [found[key] for key in sorted(found)]


def known():
    return [python for python in pythons() if python.is_known]


def compile_c(name, *flags, output=None, shared=False):
    """Compiles tests/python/NAME; returns the program or library."""
    source = HERE / name
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    made = PROGRAMS / (output or source.stem)
    kind = ["-shared", "-fPIC"] if shared else []
    command = [*shlex.split(os.environ["CC"]), "-D_GNU_SOURCE", f"-I{SOURCE}", "-g", "-w", "-O1", *kind]
    command += [str(source), "-o", str(made), *flags]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.decode()}")
    return made


def run(command, environment, status=0, **more):
    """Runs to the end; returns what was printed."""
    command = [str(part) for part in command]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=False, **more)
    if done.returncode != status:
        raise AssertionError(
            f"'{' '.join(command)}' ended with {done.returncode}, expected {status}: "
            f"{done.stderr.decode(errors='replace')[-1500:]}"
        )
    return done.stdout.decode()


def equal(name, have, want):
    if have != want:
        raise AssertionError(f"{name} is {have!r}, expected {want!r}")
