"""What the driver knows of a suite: how to fetch it, what it consists of, how a part of it is run, what it says.

A suite is a list of units (a file of tests, a program), each run on its own, in a directory of its own. A unit's
output is read into {name of the test: outcome}. The suite's files and programs are used as they are.
"""

import pathlib
import re
import shutil

OK, FAILED, SKIPPED, MISSING = "ok", "failed", "skipped", "missing"
EXIT = "(exit status)"  # compared like a test, not counted as one


class Suite:
    name = ""
    about = ""  # one line, for RESULTS.md
    packages = ()  # Debian's binary packages
    source = None  # Debian's source package
    timeout = 600  # of a unit, in seconds
    left_out = {}  # unit: why it is not run at all
    # Drops that lose no block and no byte: {cause: explanation}; any other is reported as unexplained.
    drops = {
        "depth_cut": "recursion deeper than the default depth of 256 frames: the outermost frames are left out",
    }
    # Differences that are explained: [(regular expression on "unit: test", explanation)]
    differences = ()

    def __init__(self, place):
        self.place = place  # the directory of this suite: its sources, if any, are below

    def built(self, tree):
        """Builds what has to be built in the source tree; called once."""

    def tree(self):
        """The unpacked source package."""
        trees = [path for path in self.place.iterdir() if path.is_dir() and (path / "debian").is_dir()]
        if len(trees) != 1:
            raise RuntimeError(f"{len(trees)} source trees in '{self.place}', expected 1")
        return trees[0]

    def version(self):
        raise NotImplementedError

    def units(self):
        raise NotImplementedError

    def command(self, unit, directory):
        """(argv, working directory, more environment) of a unit; `directory` is empty and its own."""
        raise NotImplementedError

    def outcomes(self, unit, directory, output, status):
        """{test: outcome} of what a unit printed and left."""
        raise NotImplementedError


class Names(dict):
    """Outcomes by name; a name that comes again gets a number."""

    def add(self, name, outcome):
        name, count = name.strip(), 1
        unique = name
        while unique in self:
            count += 1
            unique = f"{name} #{count}"
        self[unique] = outcome


def tap(output):
    """Reads TAP: numbers tell tests of equal names apart, and nothing else that may change from run to run."""
    names = Names()
    for line in output.splitlines():
        found = re.match(r"(not )?ok\b *(\d+)? *-? *(.*)", line)
        if not found:
            continue
        name = re.sub(r"\s*#\s*(skip|todo)\b.*", "", found[3], flags=re.I)
        skipped = re.search(r"#\s*skip", found[3], re.I)
        todo = re.search(r"#\s*todo", found[3], re.I)
        outcome = SKIPPED if skipped else FAILED if found[1] else OK
        names.add(f"{found[2] or ''} {name}", f"todo {outcome}" if todo else outcome)
    return names


def copy_tree(source, target):
    shutil.copytree(source, target, symlinks=True)
    return pathlib.Path(target)
