"""Tcl's own tests, from its source package, by the installed tclsh."""

import re

import debian
from suite import EXIT, FAILED, OK, SKIPPED, Names, Suite

KINDS = {"PASSED": OK, "FAILED": FAILED, "SKIPPED": SKIPPED}


class Tcl(Suite):
    name = "tcl"
    about = "Tcl's own tests (from the source package) by the installed tclsh8.6."
    packages = ("tcl8.6", "tcl-thread", "dpkg-dev")
    source = "tcl8.6"

    def version(self):
        return debian.version("tcl8.6")

    def units(self):
        return sorted(path.name for path in (self.tree() / "tests").glob("*.test"))

    def command(self, unit, directory):
        tests = self.tree() / "tests"
        return ["tclsh8.6", tests / unit, "-verbose", "pass skip error", "-tmpdir", directory], tests, {}

    def outcomes(self, unit, directory, output, status):
        names = Names({EXIT: str(status)})
        for name, kind in re.findall(r"^(?:\+\+\+\+|====) (\S+).*? (PASSED|FAILED|SKIPPED)", output, re.M):
            names.add(name, KINDS[kind])
        return names
