#!/usr/bin/env python3
"""include/tracesnap.h: it compiles as C and as C++ without a warning, does nothing without the library, and tells
the truth with it. What a program finds wrong itself, it prints (api.c); the snapshots that it takes are read
here."""
import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["srcdir"], "tests", "lib"))
from tap import Tap  # noqa: E402
from tracesnap import SOURCE, TIMEOUT, Regions  # noqa: E402

STRICT = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-O2", "-g", "-D_GNU_SOURCE", "-pthread", "-rdynamic"]
BUILDS = {
    "C11": [*shlex.split(os.environ.get("CC", "cc")), "-std=c11", *STRICT, "-x", "c"],
    "C++": [*shlex.split(os.environ.get("CXX", "c++")), "-std=c++11", *STRICT, "-x", "c++"],
    "C11, no PIE": [*shlex.split(os.environ.get("CC", "cc")), "-std=c11", "-no-pie", "-fno-pie", *STRICT,
                    "-x", "c"],
}


def build(command, program):
    source = SOURCE / "tests/live/api.c"
    done = subprocess.run([*command, "-I", SOURCE, "-o", program, source, "-x", "none", "-ldl"],
                          capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr


def run(program, mode, regions, environment):
    """The program's lines, without its last one."""
    done = subprocess.run([program, mode, regions.scratch], env=environment, capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[-1:] == ["done"], (done.returncode, done.stdout, done.stderr)
    return lines[:-1]


def wrong_lines(lines):
    return [line for line in lines if line.startswith("line ")]


def check_untraced(program, regions):
    lines = run(program, "untraced", regions, regions.environment())
    assert not lines, "\n".join(lines)


def check_snapshot(regions, line):
    path, *numbers = line.split()[1:]
    totals = regions.stats(path)["totals"]
    names = ("count", "size", "allocated_count", "allocated_size", "peak_size")
    found = {name: totals[name] for name in names}
    expected = dict(zip(names, map(int, numbers)))
    assert found == expected, f"{found}, expected {expected}"


def check_traced(program, mode, regions):
    options = "paused=1" if mode == "paused" else ""
    lines = run(program, mode, regions, regions.traced(options))
    assert not wrong_lines(lines), "\n".join(wrong_lines(lines))
    snapshots = [line for line in lines if line.startswith("snapshot ")]
    assert len(snapshots) == 2, lines
    for line in snapshots:
        check_snapshot(regions, line)
    one, two = (line.split()[1] for line in snapshots)
    rows = regions.tool("diff", one, two, "--json", "--group-by", "function").decode()
    assert '"allocate_here"' in rows, rows


def steady_values(regions, path):
    rows = regions.stats(path, "--group-by", "function")["stats"]
    return next((row["count"], row["size"]) for row in rows if row["function"] == "steady_block")


def check_flight(program, regions):
    lines = run(program, "flight", regions, regions.traced())
    assert not wrong_lines(lines), "\n".join(wrong_lines(lines))
    wrong = []
    for line in lines:
        path, least, most, each = line.split()[1:]
        count, size = steady_values(regions, path)
        if not int(least) <= count <= int(most) or size != count * int(each):
            wrong.append(f"{count} blocks of {each} bytes, {size} bytes; expected {least} to {most}")
    assert lines and not wrong, "\n".join(wrong)


def main():
    tap = Tap()
    for name, command in BUILDS.items():
        with Regions() as regions:
            program = regions.scratch / "api_test"
            tap.check(f"{name}: compiles without a warning", build, command, program)
            tap.check(f"{name}: untraced, nothing happens", check_untraced, program, regions)
            tap.check(f"{name}: traced, the answers are right", check_traced, program, "traced", regions)
            tap.check(f"{name}: started by the program", check_traced, program, "paused", regions)
    with Regions() as regions:
        program = regions.scratch / "api_test"
        build(BUILDS["C11"], program)
        tap.check("snapshots from inside a program in full flight", check_flight, program, regions)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
