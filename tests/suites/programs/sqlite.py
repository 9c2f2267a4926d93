"""sqlite's own tests: the Tcl scripts of test/, with testfixture built from Debian's source package."""

import re
import subprocess

from suite import EXIT, FAILED, OK, Names, Suite

# The last number of these names counts rows that are random.
RANDOM = r"^((?:av)?trans-9\.\d+\.\d+)-\d+$"
FIRST = r"thread|lock|shared|^wal|busy|multi|notify|^exec|pager|savepoint"  # then every fifth of the others


class Sqlite(Suite):
    name = "sqlite"
    about = "sqlite's own Tcl tests, by a testfixture (with threads) built from the source package."
    packages = ("build-essential", "tcl8.6-dev", "dpkg-dev", "zlib1g-dev")
    source = "sqlite3"

    def built(self, tree):
        build = tree / "bld"
        build.mkdir()
        for command in ["../configure", "--with-tcl=/usr/lib/tcl8.6"], ["make", "-s", "testfixture", "sqlite3"]:
            subprocess.run(command, cwd=build, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def version(self):
        return self.tree().name.removeprefix("sqlite3-")

    def units(self):
        """As `veryquick` chooses: no test of soak, crash, memory or many minutes."""
        names = sorted(path.name for path in (self.tree() / "test").glob("*.test"))
        permutations = (self.tree() / "test" / "permutations.test").read_text(encoding="utf-8")
        listed = re.search(r"set allquicktests \[test_set \$alltests -exclude \{(.*?)\}\]", permutations, re.S)[1]
        slow = set(listed.split()) | {"permutations.test", "all.test", "quick.test", "veryquick.test", "full.test"}
        pattern = r"malloc|ioerr|fault|bigfile|^(extraquick|rtree|misuse|memleak|.*soak|crash.*|corrupt.*)\.test$"
        names = [name for name in names if name not in slow and not re.search(pattern, name)]
        others = [name for name in names if not re.search(FIRST, name)]
        return [name for name in names if re.search(FIRST, name)] + [n for i in range(5) for n in others[i::5]]

    def command(self, unit, directory):
        tree = self.tree()
        return [tree / "bld" / "testfixture", tree / "test" / unit, "--verbose=1"], directory, {}

    def outcomes(self, unit, directory, output, status):
        names = Names({EXIT: str(status)})
        for name, outcome in re.findall(r"^(\S+)\.\.\.(?:\s*(Ok)\b)?", output, re.M):
            names.add(re.sub(RANDOM, r"\1", name), OK if outcome else FAILED)
        return names
