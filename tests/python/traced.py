"""What tests that run Python programs traced share: the interpreters, C programs beside them, and how to run both."""

import functools
import json
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from interpreters import interpreters  # noqa: E402
from tap import Skip, Tap, note  # noqa: E402,F401
from tracesnap import BUILD, SHIM, SOURCE, TIMEOUT, TOOL, Regions, drops  # noqa: E402,F401

PROGRAMS = BUILD / "tests" / "python" / "programs" / pathlib.Path(sys.argv[0]).stem
ASKED = """
import json, os, sys, sysconfig as s
linked = [line.split()[-1] for line in open("/proc/self/maps") if "/libpython" in line]
library = os.path.join(s.get_config_var("LIBDIR") or "", s.get_config_var("LDLIBRARY") or "")
json.dump([s.get_path("include"), library, linked[0] if linked else "", sys.base_prefix], sys.stdout)
"""


class Python:
    """An interpreter, and where its headers are, its library, and that which the program itself is linked with, if any."""

    def __init__(self, name, path):
        self.name, self.path = name, path
        self.minor = tuple(map(int, name.split(".")[:2]))
        self.include, self.library, self.linked, self.prefix = json.loads(run([path, "-I", "-c", ASKED], os.environ))

    def __str__(self):
        return self.name

    def has_headers(self):
        return os.path.exists(os.path.join(self.include, "Python.h"))

    def has_library(self):
        return self.library.endswith(".so") and os.path.exists(self.library)


@functools.lru_cache(None)
def pythons():
    """All, or those whose versions the command names, as 3.11.2; oldest first."""
    wanted = [name for name in sys.argv[1:] if name != "all"]
    found = [Python(name, path) for name, path in interpreters() if not wanted or name in wanted]
    return sorted(found, key=lambda python: python.minor)


def chosen():
    """The system's interpreter and the newest one, unless the command names some, or all of them by `all`."""
    found = pythons()
    if sys.argv[1:]:
        return found
    system = [python for python in found if python.path.startswith("/usr/")]
    return list(dict.fromkeys(system[:1] + found[-1:]))


def compile_c(name, *flags, output=None, shared=False):
    """Compiles tests/python/NAME; returns the program or library."""
    source = HERE / name
    made = PROGRAMS / (output or source.stem)
    made.parent.mkdir(parents=True, exist_ok=True)
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
