"""The CPython interpreters of this machine that tracesnap knows: Debian's, /usr/local's, pyenv's."""

import glob
import os
import subprocess

MINORS = range(9, 15)
PYENV = os.path.expanduser(os.environ.get("PYENV_ROOT", "~/.pyenv"))
PLACES = ("/usr/bin", "/usr/local/bin", PYENV + "/versions/*/bin")


def is_program(path):
    """Not a script that starts one, as pyenv's own commands are."""
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def interpreters():
    """[(version as "3.11.2", path)], each program once."""
    found = {}
    for minor in MINORS:
        for place in PLACES:
            for path in sorted(glob.glob(f"{place}/python3.{minor}")):
                if os.access(path, os.X_OK) and is_program(path):
                    found.setdefault(os.path.realpath(path), path)
    listed = []
    for path in found.values():
        environment = {name: value for name, value in os.environ.items()
                       if name != "LD_PRELOAD" and not name.startswith(("PYTHON", "TRACESNAP"))}
        done = subprocess.run([path, "-I", "-c", "import platform; print(platform.python_version())"],
                              capture_output=True, env=environment, check=False)
        if done.returncode == 0:
            listed.append((done.stdout.decode().strip(), path))
    return listed
