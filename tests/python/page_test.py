"""docs/python-memory.md: its programs are those of tests/python/examples, its commands print the rows that it shows."""

import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

# pylint: disable=wrong-import-position
import examples_page as page  # noqa: E402
from tap import Skip, Tap  # noqa: E402

TEXT = page.PAGE.read_text(encoding="utf-8")


def programs():
    if len(page.programs(TEXT)) < 10:
        raise AssertionError(f"{len(page.programs(TEXT))} programs in the page")
    foreign = page.foreign_programs(TEXT)
    if foreign:
        raise AssertionError("in no example:\n" + "\n".join(foreign))


def links():
    """Every link goes to a heading of the page or to a file."""
    headings = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
                for line in TEXT.splitlines() if line.startswith("#")}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        found = target[1:] in headings if target.startswith("#") else (page.PAGE.parent / target).exists()
        if not found:
            raise AssertionError(f"no such place: '{target}'")


def outputs():
    version = re.search(r"CPython\s+(3\.\d+\.\d+)", TEXT).group(1)
    try:
        here = page.version()
    except (OSError, subprocess.CalledProcessError) as error:
        raise Skip(f"no {page.PYTHON}") from error
    if here != f"Python {version}":
        raise Skip(f"{page.PYTHON} is {here}, and the page was made with {version}")
    if subprocess.run([page.PYTHON, "-c", "import numpy"], capture_output=True, check=False).returncode != 0:
        raise Skip(f"{page.PYTHON} has no numpy")
    if shutil.which("jq") is None:
        raise Skip("no jq")
    compared = sum(len(page.rows(lines)) for block in page.commands(TEXT) for _, lines in block)
    if compared < 30:
        raise AssertionError(f"only {compared} rows in the page")
    wrong = page.differences(TEXT, page.run(TEXT))
    if wrong:
        raise AssertionError("\n".join([*wrong, "if that is right: tests/python/examples_page.py --write"]))


def main():
    tap = Tap()
    tap.check("the page's programs are the examples", programs)
    tap.check("its links lead somewhere", links)
    tap.check("its commands print the rows that it shows", outputs)
    sys.exit(tap.done())


main()
