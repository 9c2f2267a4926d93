#!/usr/bin/env python3
"""The collector's state as shim/python_gc.c reads it, against the gc module of every interpreter on the machine."""

import ctypes
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

import gc_layouts as layouts  # noqa: E402
from interpreters import interpreters  # noqa: E402
from tap import Skip, Tap  # noqa: E402
from tracesnap import BUILD, SOURCE, TIMEOUT  # noqa: E402

WORDS = ("threshold", "count", "collections", "collected", "uncollectable")


class Copy(ctypes.Structure):  # struct ts_interpreter
    _fields_ = [("time", ctypes.c_uint64), ("arena_bytes", ctypes.c_uint64), ("gc_known", ctypes.c_uint32),
                ("gc_enabled", ctypes.c_uint32), ("words", ctypes.c_int64 * 15), ("reserved", ctypes.c_uint64 * 4)]


def compile_library():
    library = BUILD / "tests" / "python" / "programs" / "python_gc.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*shlex.split(os.environ["CC"]), "-std=gnu11", "-O1", "-g", "-fPIC", "-shared", f"-I{SOURCE}",
                    str(SOURCE / "shim" / "python_gc.c"), "-o", str(library)], check=True, timeout=TIMEOUT)
    return library


def probe(path, library):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([path, "-I", str(HERE / "gc_probe.py"), str(library)], capture_output=True,
                          env=environment, timeout=TIMEOUT, check=False)
    if done.returncode != 0 or done.stdout:
        raise AssertionError(f"ended with {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")


def read(library, made, version=None):
    """What is read of an interpreter made by hand; None = nothing."""
    copy = Copy()
    arguments = (ctypes.byref(copy), ctypes.byref(made.memory), ctypes.c_uint32(version or made.version),
                 ctypes.byref(made.runtime))
    if not library.python_gc_copy(*arguments):
        if bytes(copy) != bytes(Copy()):
            raise AssertionError("something was written though nothing is known")
        return None
    return copy.gc_known, copy.gc_enabled, [list(copy.words[i * 5:i * 5 + 5]) for i in range(3)]


def expected(counts=(20, 21, 22), thresholds=(1000, 1001, 1002), enabled=1):
    return 1, enabled, [[thresholds[i], counts[i], 100 * i + 1, 100 * i + 2, 100 * i + 3] for i in range(3)]


def equal(name, have, want):
    if have != want:
        raise AssertionError(f"{name} is {have!r}, expected {want!r}")


def made_by_hand(library):
    made = layouts.Made(0x030d05f0, layouts.OFFSETS_313, layouts.UP_TO_313)
    equal("3.13.5", read(library, made), expected())
    made.state.enabled = 0
    equal("3.13.5, disabled", read(library, made), expected(enabled=0))
    made = layouts.Made(0x030e00f0, layouts.OFFSETS_314, layouts.INCREMENTAL, at=512)
    equal("3.14.0, first space visited", read(library, made), expected(thresholds=(1000, 1001, 0)))
    made.state.visited_space = 1
    equal("3.14.0, second space visited", read(library, made), expected((20, 22, 21), (1000, 1001, 0)))
    made = layouts.Made(0x030e05f0, layouts.OFFSETS_314, layouts.GENERATIONAL)
    equal("3.14.5", read(library, made), expected())


def made_otherwise(library):
    """Each is wrong in one thing: nothing is read."""
    kinds = ((0x030d05f0, layouts.OFFSETS_313, layouts.UP_TO_313),
             (0x030e00f0, layouts.OFFSETS_314, layouts.INCREMENTAL),
             (0x030e05f0, layouts.OFFSETS_314, layouts.GENERATIONAL))

    def wrong(what, spoil, of=kinds):
        for kind in of:
            made = layouts.Made(*kind)
            spoil(made)
            equal(f"{what}, {kind[0]:#x}", read(library, made), None)

    wrong("free-threaded", lambda made: setattr(made.runtime, "free_threaded", 1))
    wrong("another cookie", lambda made: setattr(made.runtime, "cookie", b"xdebugpz"))
    wrong("offsets of another version", lambda made: setattr(made.runtime, "version", made.version + 0x100))
    wrong("another size", lambda made: setattr(made.runtime.gc, "size", made.runtime.gc.size + 8))
    wrong("another offset", lambda made: setattr(made.runtime.gc, "collecting", made.runtime.gc.collecting + 8))
    wrong("outside the interpreter", lambda made: setattr(made.runtime.interpreter_state, "gc", 1 << 40))
    wrong("across its end", lambda made: setattr(made.runtime.interpreter_state, "gc", 7400 + 4096 - 16))
    wrong("an interpreter of no size", lambda made: setattr(made.runtime.interpreter_state, "size", 0))
    wrong("no switch", lambda made: setattr(made.state, "enabled", 0x5a5a5a5a))
    wrong("no truth", lambda made: setattr(made.state, "collecting", -1))
    wrong("no youngest generation", lambda made: setattr(made.state, "generation0", 0), (kinds[0], kinds[2]))
    wrong("no space", lambda made: setattr(made.state, "visited_space", 2), (kinds[1],))
    made = layouts.Made(*kinds[0])
    made.runtime.version = 0x030f00f0
    equal("3.15", read(library, made, 0x030f00f0), None)
    equal("no runtime", library.python_gc_known(ctypes.c_uint32(0x030d05f0), None), False)
    moved = layouts.Made(0x030b02f0, layouts.OFFSETS_313, layouts.UP_TO_313)  # where 3.11 has it is something else
    equal("a 3.11 that was changed", read(library, moved), None)
    ctypes.memset(moved.memory, 0, len(moved.memory))
    equal("a 3.11 with nothing where it should be", read(library, moved), None)


def main():
    tap = Tap()
    path = compile_library()
    library = ctypes.CDLL(str(path))
    library.python_gc_copy.restype = library.python_gc_known.restype = ctypes.c_bool
    tap.check("interpreters made by hand: 3.13, both collectors of 3.14", made_by_hand, library)
    tap.check("what is not as it should be is not read", made_otherwise, library)
    found = interpreters()
    for version, program in found:
        tap.check(f"{version}: as its gc module says", probe, program, path)
    if not found:
        tap.check("an interpreter of 3.9 to 3.14", no_interpreter)
    sys.exit(tap.done())


def no_interpreter():
    raise Skip("there is none on this machine")


if __name__ == "__main__":
    main()
