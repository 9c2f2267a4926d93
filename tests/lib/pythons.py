"""Python interpreters on this machine that tracesnap knows: Debian's, pyenv's, and those that PYTHONS names (paths,
divided by colons)."""

import glob
import os
import re
import subprocess

PYENV = os.path.expanduser(os.environ.get("PYENV_ROOT", "~/.pyenv"))
PLACES = ["/usr/bin/python3.*", "/usr/local/bin/python3.*", f"{PYENV}/versions/*/bin/python3.*"]


def known(path):
    """(3, 11) of an interpreter that runs and whose version is one of ours, else None."""
    if not re.search(r"python3\.\d+$", path) or not os.access(path, os.X_OK):
        return None
    script = "import sys; print(*sys.version_info[:2]) if sys.implementation.name == 'cpython' else None"
    done = subprocess.run([path, "-I", "-S", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    version = tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()
    return version if (3, 9) <= version <= (3, 14) else None


def find():
    """[(version, path)], in the order of versions; none twice."""
    paths = [path for path in os.environ.get("PYTHONS", "").split(":") if path]
    for place in PLACES:
        paths += sorted(glob.glob(place))
    found = {}
    for path in paths:
        real = os.path.realpath(path)
        version = known(path)
        if version and real not in found:
            found[real] = (version, path)
    return sorted(found.values())
