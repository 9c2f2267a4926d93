"""redis' own tests, from its source package, against the installed server."""

import re

import debian
from suite import EXIT, FAILED, OK, SKIPPED, Names, Suite, copy_tree

# Debian's server and client are in one package; the server is the program that its checkers are links to.
PROGRAMS = {
    "redis-server": "redis-check-rdb",
    "redis-sentinel": "redis-check-rdb",
    "redis-check-rdb": "redis-check-rdb",
    "redis-check-aof": "redis-check-aof",
    "redis-cli": "redis-cli",
    "redis-benchmark": "redis-benchmark",
}
KINDS = {"ok": OK, "err": FAILED, "exception": FAILED, "timeout": FAILED, "skip": SKIPPED, "ignore": SKIPPED}


class Redis(Suite):
    name = "redis"
    about = "redis' own tests (Tcl, from the source package) with the installed redis-server and its tools."
    packages = ("redis-tools", "tcl8.6", "dpkg-dev", "procps")
    source = "redis"
    timeout = 1200

    def version(self):
        return debian.version("redis-tools")

    def units(self):
        helper = (self.tree() / "tests" / "test_helper.tcl").read_text(encoding="utf-8")
        return re.search(r"set ::all_tests \{(.*?)\}", helper, re.S)[1].split()

    def command(self, unit, directory):
        tree = self.tree()
        copy_tree(tree / "tests", directory / "tests")
        (directory / "src").mkdir()
        for name, installed in PROGRAMS.items():
            (directory / "src" / name).symlink_to(f"/usr/bin/{installed}")
        (directory / "redis.conf").write_bytes((tree / "redis.conf").read_bytes())
        command = ["tclsh8.6", "tests/test_helper.tcl", "--clients", "1", "--single", unit]
        return command, directory, {}

    def outcomes(self, unit, directory, output, status):
        names = Names({EXIT: str(status)})
        for kind, name in re.findall(r"^(?:\x1b\[[0-9;]*m)?\[(\w+)(?:\x1b\[[0-9;]*m)?\]: (.*)$", output, re.M):
            if kind in KINDS:
                names.add(re.sub(r"\s*\(\d+ ms\)|\x1b\[[0-9;]*m| in tests/.*$", "", name), KINDS[kind])
        return names
