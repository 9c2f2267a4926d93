"""Installed tests of GLib and of libraries upon it: programs that speak TAP or end with a status."""

import configparser
import pathlib
import re
import shlex

import debian
from suite import EXIT, FAILED, OK, SKIPPED, Suite, tap

PLACE = pathlib.Path("/usr/share/installed-tests")


class Glib(Suite):
    name = "glib"
    about = "GLib's installed tests (libglib2.0-tests): threads, main loops, spawning, sockets, D-Bus, slices."
    packages = ("libglib2.0-tests", "dbus", "dbus-x11", "python3-gi")
    folders = ("glib",)
    timeout = 300

    def version(self):
        return debian.version(self.packages[0])

    def units(self):
        paths = [path for folder in self.folders for path in sorted((PLACE / folder).rglob("*.test"))]
        return [str(path.relative_to(PLACE)).removesuffix(".test").removeprefix("glib/") for path in paths]

    def command(self, unit, directory):
        told = configparser.ConfigParser(interpolation=None)
        told.read(PLACE / f"{'glib/' if self.name == 'glib' else ''}{unit}.test")
        return shlex.split(told["Test"]["Exec"]), directory, {"XDG_RUNTIME_DIR": str(directory)}

    def outcomes(self, unit, directory, output, status):
        names = tap(re.sub(r"/seed:\d+", "/seed", output))
        names[EXIT] = str(status)
        if len(names) == 1:
            names["the whole program"] = {0: OK, 77: SKIPPED}.get(status, FAILED)
        return names


class Gjs(Glib):
    name = "gjs"
    about = "Installed tests of gjs (SpiderMonkey: code without unwind tables), glib-networking, graphene, libxmlb."
    packages = ("gjs-tests", "glib-networking-tests", "graphene-tests", "libxmlb-tests", "dbus", "dbus-x11")
    drops = {**Suite.drops, "no_unwind": "code that the just-in-time compiler makes: the stack ends there"}
    folders = ("gjs", "glib-networking", "graphene-1.0", "libxmlb")
