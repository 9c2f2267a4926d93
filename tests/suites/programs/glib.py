"""GLib's installed tests: a program or script each, which speaks TAP."""

import configparser
import pathlib
import shlex

import debian
from suite import EXIT, Suite, tap

PLACE = pathlib.Path("/usr/share/installed-tests/glib")


class Glib(Suite):
    name = "glib"
    about = "GLib's installed tests (libglib2.0-tests): threads, main loops, spawning, sockets, D-Bus, slices."
    packages = ("libglib2.0-tests", "dbus", "dbus-x11", "python3-gi")
    timeout = 300

    def version(self):
        return debian.version("libglib2.0-tests")

    def units(self):
        return sorted(path.name.removesuffix(".test") for path in PLACE.glob("*.test"))

    def command(self, unit, directory):
        told = configparser.ConfigParser(interpolation=None)
        told.read(PLACE / f"{unit}.test")
        return shlex.split(told["Test"]["Exec"]), directory, {"XDG_RUNTIME_DIR": str(directory)}

    def outcomes(self, unit, directory, output, status):
        names = tap(output)
        names[EXIT] = str(status)
        if len(names) == 1:
            names["the whole program"] = str(status)
        return names
