"""What the tests of this directory share: compiles a program beside them, runs it traced, and
demands its status."""

import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from tap import Skip, Tap  # noqa: E402,F401
from tracesnap import BUILD, SHIM, SOURCE, TIMEOUT, TOOL, Regions, drops  # noqa: E402,F401


def build(name, *flags, optimise="-O1", output=None):
    """Compiles tests/faults/NAME (.c or .cc); Skip where a library that it needs is missing."""
    source = HERE / name
    # Of each test its own: another that builds the same must not replace what runs here.
    directory = BUILD / "tests" / "faults" / "programs" / pathlib.Path(sys.argv[0]).stem
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / (output or source.stem)
    compiler = shlex.split(os.environ["CC"] if source.suffix == ".c" else os.environ["CXX"])
    command = [*compiler, "-D_GNU_SOURCE", f"-I{SOURCE}", "-g", "-w", optimise]
    command += [str(source), "-o", str(program), *flags]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    if done.returncode != 0:
        missing = [flag for flag in flags if f"cannot find {flag}" in done.stderr.decode()]
        if missing:
            raise Skip(f"no library for {' '.join(missing)}")
        raise AssertionError(f"{' '.join(command)}: {done.stderr.decode()}")
    return program


def run(command, environment, status=0, **more):
    """Runs to the end; returns what was printed."""
    command = [str(part) for part in command]
    done = subprocess.run(
        command, env=environment, capture_output=True, timeout=TIMEOUT, check=False, **more
    )
    if done.returncode != status:
        raise AssertionError(
            f"'{' '.join(command)}' ended with {done.returncode}, expected {status}: "
            f"{done.stderr.decode(errors='replace')}"
        )
    return done.stdout.decode()


def traced(program, *arguments, status=0, options="", may_drop=(), must_drop=(), show=(), **environment):
    """Runs a program traced, which must drop nothing but what is allowed. (output, statistics by the options `show`)"""
    with Regions() as regions:
        output = run([program, *arguments], regions.traced(options, **environment), status)
        files = regions.all()
        if len(files) != 1:
            raise AssertionError(f"{len(files)} regions, expected 1: {files}")
        stats = regions.stats(files[0], *show)
        wrong = drops(stats, must_drop, may_drop)
        if wrong:
            raise AssertionError("\n".join(wrong))
        return output, stats


def equal(name, have, want):
    if have != want:
        raise AssertionError(f"{name} is {have!r}, expected {want!r}")


def main(*checks):
    """Each check is a function; the first line of its comment is its name."""
    tap = Tap()
    for check in checks:
        tap.check(check.__doc__.splitlines()[0].rstrip("."), check)
    sys.exit(tap.done())
