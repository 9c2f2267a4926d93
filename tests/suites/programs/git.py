"""git's own tests: the scripts of t/, with a git built from Debian's source package.

It is built without curl, expat and gettext: the tests that need a web server skip themselves.
"""

import subprocess

from suite import EXIT, Suite, tap

# Processes, signals, threads, descriptors and large data; then every fifth of the others, then the rest.
FIRST = """
t0001 t0005 t0021 t0060 t0061 t0080 t0081 t0090 t0211 t0212 t1006 t1050 t1091 t1400 t1410 t1450 t1512 t2080 t2081
t2082 t3200 t3420 t3701 t3903 t4034 t4202 t5300 t5302 t5303 t5304 t5310 t5316 t5318 t5319 t5324 t5400 t5500 t5510
t5516 t5520 t5526 t5534 t5570 t5571 t5572 t5600 t5601 t5616 t6020 t6300 t6500 t7004 t7102 t7400 t7406 t7450 t7502 t7527
t7600 t7700 t7810 t7814 t7900 t8001 t9300 t9902
""".split()
FLAGS = ["NO_TCLTK=1", "NO_GETTEXT=1", "NO_CURL=1", "NO_EXPAT=1", "PYTHON_PATH=/usr/bin/python3"]


class Git(Suite):
    name = "git"
    about = "git's own test scripts (t/t*.sh), every process of each traced: shells, git, its helpers."
    packages = ("build-essential", "zlib1g-dev", "dpkg-dev", "perl", "procps")
    source = "git"

    def built(self, tree):
        subprocess.run(["make", "-s", "-j2", *FLAGS, "all"], cwd=tree, check=True, stdout=subprocess.DEVNULL)

    def version(self):
        return self.tree().name.removeprefix("git-")

    def units(self):
        names = sorted(path.name for path in (self.tree() / "t").glob("t[0-9][0-9][0-9][0-9]-*.sh"))
        first = [name for name in names if name[:5] in FIRST]
        others = [name for name in names if name[:5] not in FIRST]
        return first + [name for start in range(5) for name in others[start::5]]

    def command(self, unit, directory):
        return ["sh", unit, f"--root={directory}"], self.tree() / "t", {"TEST_OUTPUT_DIRECTORY": str(directory)}

    def outcomes(self, unit, directory, output, status):
        names = tap(output)
        names[EXIT] = str(status)
        return names
