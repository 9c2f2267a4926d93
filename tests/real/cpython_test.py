"""CPython's own tests of threads, fork and signals: each ends as it does untraced, every region reads, nothing is
dropped. More of them, and other programs' suites: tests/suites/run.
"""

import os
import pathlib
import subprocess
import sys

import real

sys.path.insert(0, str(real.SOURCE / "tests" / "suites"))

# pylint: disable=wrong-import-position
import compare  # noqa: E402
from programs.python import Python  # noqa: E402

PYTHON = "/usr/bin/python3.11"
TESTS = pathlib.Path("/usr/lib/python3.11/test/test_fork1.py")
MODULES = "test_fork1 test_thread test_threading_local test_threadsignals test_wait3 test_wait4 test_popen".split()


def run(regions, module, environment, way):
    """{test: outcome} of a module, and what it printed."""
    directory = regions.scratch / f"{module}-{way}"
    directory.mkdir()
    suite = Python(directory)
    command, where, _ = suite.command(module, directory)
    with subprocess.Popen(
        list(map(str, command)),
        cwd=where,
        env={**environment, "HOME": str(directory), "TMPDIR": str(directory)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process, real.Watchdog(process.pid):
        output = process.communicate()[0].decode(errors="replace")
    return suite.outcomes(module, directory, output, process.returncode), output


def same_results(module):
    with real.Regions() as regions:
        plain, _ = run(regions, module, regions.environment(), "p")
        traced, output = run(regions, module, regions.traced(), "t")
        wrong = [f"{name}: {plain.get(name)} without, {traced.get(name)} with the shim"
                 for name in compare.different(plain, traced)]
        if len(plain) < 2:
            wrong.append("no test ran")
        for path in regions.all():
            document = regions.stats(path, "--group-by", "object")
            wrong += [f"{path.name}: {drop}" for drop in real.drops(document)]
            if document["totals"]["allocated_count"] == 0:
                wrong.append(f"{path.name}: nothing was allocated")
        if not regions.all():
            wrong.append("no process was traced")
        if wrong:
            raise AssertionError("\n".join([*wrong, output[-3000:]]))


def checks(tap):
    if not (os.path.exists(PYTHON) and TESTS.exists()):
        raise real.Skip(f"no {PYTHON} with its tests (Debian: libpython3.11-testsuite)")
    for module in MODULES:
        tap.check(f"{module}: results as untraced, nothing dropped", same_results, module)


real.main("CPython's tests", checks)
