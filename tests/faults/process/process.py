"""What the tests of this directory share."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from fault import BUILD, SHIM, Regions, Skip, build, drops, equal, main, run, traced  # noqa: E402,F401

PROGRAMS = BUILD / "tests" / "faults" / "process"


def program(name, *flags, **more):
    return build(f"process/{name}", *flags, **more)
