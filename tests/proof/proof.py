"""What the tests of this directory share: compiles the shim's own sources a second time, into a program that takes
them apart, and runs it in a region directory of its own."""

import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from tap import Skip, Tap, note  # noqa: E402,F401
from tracesnap import BUILD, SHIM, SOURCE, TIMEOUT, Regions  # noqa: E402,F401

# All that keeps the books; not what finds stacks, hooks allocators or lives through exec.
BOOKS = (
    "capture classes contexts counters index index_large live memo memory nodes proc prune python_outer record region region_file"
    " region_fork sample table threads"
)
STAND_INS = "tests/proof/stand_ins.c"
TOOL = ["tools/libtools.a", "-ljansson", "-ldw", "-lelf", "-liberty", "-lz"]


def sources(source=SOURCE):
    """The paths of BOOKS in a source tree."""
    return [str(source / "shim" / f"{name}.c") for name in BOOKS.split()] + [str(source / STAND_INS)]


def compile_program(name, files, *flags, source=SOURCE):
    """Compiles files of a source tree into the build directory; returns the program."""
    directory = BUILD / "tests" / "proof" / "programs"
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / name
    command = [*shlex.split(os.environ["CC"]), "-std=gnu11", "-D_GNU_SOURCE", '-DPACKAGE_VERSION="0"', "-O1", "-g"]
    # Both the shim and the tool have a function of this name; the tool's is compiled already.
    command += ["-Dproc_read=shim_proc_read"]
    command += ["-w", f"-I{source}", "-o", str(program), *flags, *map(str, files)]
    command += ["-pthread"]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, cwd=BUILD)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(command)}: {done.stderr.decode()}")
    return program


def is_instrumented():
    """Whether the tool's objects need a sanitizer's library to link with."""
    makefile = (BUILD / "Makefile").read_text()
    return any(line.startswith("INSTRUMENT_FLAGS = -") for line in makefile.splitlines())


def run_tap(command, environment, timeout=TIMEOUT):
    """A program that speaks TAP speaks for this test."""
    sys.stdout.flush()
    try:
        done = subprocess.run([str(part) for part in command], env=environment, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        print(f"Bail out! {command[0]} did not end within {timeout} s", flush=True)
        return 99
    if done.returncode < 0:
        print(f"Bail out! {command[0]} was ended by signal {-done.returncode}", flush=True)
    return done.returncode
