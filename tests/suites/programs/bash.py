"""bash's own tests, from its source package, with the installed bash: a script each.

What a script prints is its difference from what is expected; it counts as a test that is equal when that is.
"""

import hashlib
import re
import subprocess

import debian
from suite import EXIT, OK, Suite, copy_tree

HELPERS = ("recho", "zecho", "xcase", "printenv")
FINDINGS = r"warning:|^\d+$"  # its own hints, and process ids


class Bash(Suite):
    name = "bash"
    about = "bash's own tests (run-* of the source package) with the installed bash, all that it starts traced."
    packages = ("bash", "build-essential", "dpkg-dev")
    source = "bash"
    timeout = 300
    left_out = {"run-all": "runs the others", "run-minimal": "runs the others"}

    def built(self, tree):
        subprocess.run(["sh", "./configure", "-q"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
        for name in HELPERS:
            command = ["cc", "-w", "-DHAVE_CONFIG_H", "-Iinclude", "-I.", "-Ilib"]
            source = tree / "support" / f"{name}.c"
            subprocess.run([*command, "-o", tree / "tests" / name, source], cwd=tree, check=True)

    def version(self):
        return debian.version("bash")

    def units(self):
        return sorted(path.name for path in (self.tree() / "tests").glob("run-*") if not path.name.endswith("~"))

    def command(self, unit, directory):
        tests = copy_tree(self.tree() / "tests", directory / "tests")
        more = {"THIS_SH": "/bin/bash", "BUILD_DIR": str(directory), "BASH_TSTOUT": str(directory / "out"),
                "PATH": f"{tests}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
        return ["sh", unit], tests, more

    def outcomes(self, unit, directory, output, status):
        output = re.sub(r"\d{3,}", "N", output.replace(str(directory), "DIR"))  # process ids
        lines = [line for line in output.splitlines() if not re.search(FINDINGS, line)]
        digest = hashlib.sha1("\n".join(lines).encode()).hexdigest()[:8]
        return {EXIT: str(status), "output": OK if not lines else f"{len(lines)} lines {digest}"}
