#!/usr/bin/env python3
"""Does each test of a trap fail when its guard is removed? Removes one guard at a time, in a copy of the tree, builds, and
runs the test that must fail then.

    tests/guards/remove.py [--write] [--jobs N] [NAME]...

The guards stand in the other files of this directory, one for each area: GUARDS = {name: {"trap", "file", "old", "new", "test"}}
with the text of the guard as it is in the file, and what stands there without it. --write: what was seen goes to
tests/guards/REMOVED.md, beside what earlier runs saw of other guards. Exit status 1 if a guard's removal goes unnoticed, or
its text is not in the source any more.
"""

import argparse
import concurrent.futures
import datetime
import importlib.util
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "lib"))

from copy_of_tree import Copy  # noqa: E402

TIMEOUT = 240  # seconds; a program without its guard may well hang, which is noticed, too


def load():
    """All guards by name, each with its area."""
    guards = {}
    for path in sorted(HERE.glob("*.py")):
        if path.name in ("remove.py", "traps_test.py"):
            continue
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, guard in module.GUARDS.items():
            if name in guards:
                raise SystemExit(f"remove.py: two guards are called '{name}': rename one")
            guards[name] = dict(guard, area=path.stem)
    return guards


def failure(log):
    """The first line of a test's log that says what is wrong."""
    if not log.exists():
        return "the test wrote no log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    wrong = [line for line in lines if line.startswith(("not ok", "FAIL", "ERROR", "Bail out"))]
    return wrong[0][:150] if wrong else "ended with a failure"


def run_test(copy, test):
    """What the test said when it failed; None when it passed."""
    log = copy.build / pathlib.Path(test).with_suffix(".log")
    log.unlink(missing_ok=True)
    command = ["make", "-s", "check", f"TESTS={test}"]
    child = subprocess.Popen(
        command, cwd=copy.build, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return None if child.wait(TIMEOUT) == 0 else failure(log)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return f"did not end within {TIMEOUT} s"


def remove(copy, guard):
    """(noticed, what was seen)"""
    undo = copy.mutate(guard["file"], guard["old"], guard["new"])
    if undo is None:
        return False, f"STALE: not in {guard['file']}"
    try:
        copy.make("all")
        said = run_test(copy, guard["test"])
    except SystemExit:
        return False, "DOES NOT BUILD without it"
    finally:
        undo()
    return said is not None, said or "NOT NOTICED"


def sound(copies, guards):
    """The tests that fail with all guards in place: they would prove nothing."""
    tests = sorted({guard["test"] for guard in guards.values()})

    def check(test):
        copy = copies.get()
        said = run_test(copy, test)
        copies.put(copy)
        return said

    with concurrent.futures.ThreadPoolExecutor(copies.qsize()) as pool:
        failed = {test: said for test, said in zip(tests, pool.map(check, tests)) if said is not None}
    for test, said in failed.items():
        print(f"{test} fails with all guards in place: {said}", flush=True)
    return failed


def before(guards):
    """What stands in REMOVED.md: {name: line} of the guards that are still there, and what follows the table."""
    file = HERE / "REMOVED.md"
    table, heading, rest = file.read_text(encoding="utf-8").partition("\n## ") if file.exists() else ("", "", "")
    lines = {line.split(" | ")[0].strip("| "): line for line in table.splitlines() if line.startswith("| ")}
    return {name: line for name, line in lines.items() if name in guards}, heading + rest


def write(rows, guards):
    """Puts what was seen in the place of what an earlier run saw of the same guards, and leaves the others."""
    lines, rest = before(guards)
    for row in rows:
        lines[row[0]] = "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    text = [
        "# What was seen when each guard was removed",
        "",
        f"What `tests/guards/remove.py --write` saw, in several runs, the last on {datetime.date.today()}. With all guards in",
        f"place the tests pass. {len(lines)} of {len(guards)} guards have been tried.",
        "",
        "| guard | trap | where | test | without the guard |",
        "|---|---|---|---|---|",
        *(lines[name] for name in guards if name in lines),
    ]
    (HERE / "REMOVED.md").write_text("\n".join(text) + "\n" + rest, encoding="utf-8")


def remove_all(copies, guards):
    """(noticed, row of the table) for each guard, in order."""

    def one(item):
        name, guard = item
        copy = copies.get()
        noticed, said = remove(copy, guard)
        copies.put(copy)
        print(f"{name:36} {guard['test']}: {said}", flush=True)
        return noticed, (name, guard["trap"], f"`{guard['file']}`", f"`{guard['test']}`", said)

    with concurrent.futures.ThreadPoolExecutor(copies.qsize()) as pool:
        return list(pool.map(one, guards.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write tests/guards/REMOVED.md")
    parser.add_argument("--jobs", type=int, default=1, help="so many copies of the tree at once")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    guards = load()
    unknown = [name for name in options.names if name not in guards]
    if unknown:
        print(f"remove.py: no guard '{unknown[0]}': see the files of tests/guards", file=sys.stderr)
        return 2
    chosen = {name: guard for name, guard in guards.items() if not options.names or name in options.names}
    copies = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="tracesnap-guards-") as temporary:
        for i in range(options.jobs):
            copies.put(Copy(SOURCE, pathlib.Path(temporary) / str(i)))
            copies.queue[-1].make("all")
        failed = sound(copies, chosen)
        results = remove_all(copies, {name: guard for name, guard in chosen.items() if guard["test"] not in failed})
    if options.write:
        write([row for _, row in results], guards)
    noticed = sum(noticed for noticed, _ in results)
    print(f"FIGURE: guards whose removal was noticed {noticed} of {len(chosen)}")
    return 1 if noticed < len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
