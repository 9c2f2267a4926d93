"""jq's own tests, from its source package, with the installed jq."""

import re

import debian
from suite import EXIT, FAILED, OK, Names, Suite

FILES = ("jq.test", "base64.test", "onig.test", "optional.test")


class Jq(Suite):
    name = "jq"
    about = "jq's own tests (from the source package) by the installed jq."
    packages = ("jq", "dpkg-dev")
    source = "jq"
    timeout = 120

    def version(self):
        return debian.version("jq")

    def units(self):
        return list(FILES)

    def command(self, unit, directory):
        tests = self.tree() / "tests"
        return ["jq", "-L", tests / "modules", "--run-tests", tests / unit], directory, {}

    def outcomes(self, unit, directory, output, status):
        names = Names({EXIT: str(status)})
        tests = re.split(r"^Testing ", output, flags=re.M)[1:]
        for number, said in enumerate(tests, 1):
            wrong = re.search(r"\*\*\*|Assertion", said)
            names.add(f"{number} {said.splitlines()[0]}", FAILED if wrong else OK)
        return names
