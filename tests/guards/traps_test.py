#!/usr/bin/env python3
"""TRAPS.md names files and tests that are there, and guards stand where tests/guards says."""

import importlib.util
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "lib"))

from tap import Tap  # noqa: E402

TESTS = SOURCE / "tests"
CODE = [SOURCE / name for name in ("shim", "region", "tools/source", "tools/symbol", "tools/base", "tools/cmd")]
FILE = r"[\w/]+(?:\.py|\.cc|\.c|\.h|\.pml|\.am)"


def rows():
    for line in (SOURCE / "TRAPS.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.replace("\\*", "*").strip("|").split(" | ")]
        if len(cells) == 3 and not line.startswith(("| trap", "|---")):
            yield cells


def missing_code(text):
    names = [name for name in re.findall(FILE, text) if "tests/" not in name]
    return [name for name in names if not (SOURCE / name).exists() and not any((d / name).exists() for d in CODE)]


def missing_tests(text):
    """Names of tests: below tests/faults/, below tests/, or in the brackets whole paths."""
    wrong = []
    for word in re.split(r"[ ,()]+", text):
        places = [TESTS / "faults" / word, TESTS / word, TESTS / f"{word}.c", TESTS / "faults" / f"{word}.c", SOURCE / word]
        if "/" in word or re.fullmatch(FILE, word):
            if "*" not in word and not any(place.exists() for place in places):
                wrong.append(word)
    return wrong


def guards():
    for path in sorted(HERE.glob("*.py")):
        if path.name in ("remove.py", pathlib.Path(__file__).name):
            continue
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from module.GUARDS.items()


def check_rows():
    table = list(rows())
    wrong = [name for row in table for name in missing_code(row[1]) + missing_tests(row[2])]
    if wrong or len(table) < 50:
        raise AssertionError(f"{len(table)} rows; TRAPS.md names what is not there: {wrong}")


def check_guards():
    wrong = []
    for name, guard in guards():
        if (SOURCE / guard["file"]).read_text(encoding="utf-8").count(guard["old"]) != 1:
            wrong.append(f"{name}: its text is not once in {guard['file']}")
        test = SOURCE / guard["test"]
        if not test.exists() and not test.with_suffix(".c").exists():
            wrong.append(f"{name}: there is no test {guard['test']}")
        if guard["old"] == guard["new"]:
            wrong.append(f"{name}: nothing is removed")
    if wrong:
        raise AssertionError("\n".join(wrong))


TAP = Tap()
TAP.check("every row of TRAPS.md names code and tests that are there", check_rows)
TAP.check("every guard stands where tests/guards says", check_guards)
sys.exit(TAP.done())
