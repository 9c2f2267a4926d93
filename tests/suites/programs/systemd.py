"""systemd's unit tests as Debian installs them: programs that succeed (0), are not for here (77), or fail."""

import os
import pathlib

import debian
from suite import EXIT, FAILED, OK, SKIPPED, Suite

PLACE = pathlib.Path("/usr/lib/systemd/tests")


class Systemd(Suite):
    name = "systemd"
    about = "systemd's unit tests (systemd-tests): processes, namespaces, seccomp, signals, sockets, hashes, threads."
    packages = ("systemd-tests", "systemd")
    timeout = 180

    def version(self):
        return debian.version("systemd-tests")

    def units(self):
        found = (path for path in PLACE.glob("test-*") if path.is_file() and os.access(path, os.X_OK))
        return sorted(str(path.relative_to(PLACE)) for path in found)

    def command(self, unit, directory):
        return [PLACE / unit], directory, {"XDG_RUNTIME_DIR": str(directory)}

    def outcomes(self, unit, directory, output, status):
        return {EXIT: str(status), "the whole program": {0: OK, 77: SKIPPED}.get(status, FAILED)}
