"""Debian's packages, binary and source: what the suites need is installed and fetched here, once."""

import pathlib
import subprocess

SOURCES_LIST = pathlib.Path("/etc/apt/sources.list.d/tracesnap-suites.sources")
# The same mirror as Debian's own list; sources are not in it by default.
SOURCES = """Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


class Refused(Exception):
    """What a suite needs cannot be had; says why."""


def _run(command, log, **more):
    with log.open("ab") as out:
        done = subprocess.run(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, check=False, **more)
    if done.returncode != 0:
        raise Refused(f"'{' '.join(map(str, command))}' ended with {done.returncode}, see '{log}'")


def version(package):
    command = ["dpkg-query", "-W", "-f=${Version} ${db:Status-Status}", package]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return said[0] if said[1:] == ["installed"] else None


def install(packages, log):
    missing = [name for name in packages if version(name) is None]
    if missing:
        _run(["apt-get", "-q", "update"], log)
        _run(["apt-get", "-q", "-y", "--no-install-recommends", "install", *missing], log,
             env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"})


def fetch_source(package, place, log):
    """Unpacks a source package below `place`."""
    if not SOURCES_LIST.exists():
        SOURCES_LIST.write_text(SOURCES, encoding="utf-8")
        _run(["apt-get", "-q", "update"], log)
    _run(["apt-get", "-q", "source", package], log, cwd=place)
