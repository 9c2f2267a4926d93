"""The interpreters of tests/lib/pythons.py by their whole versions."""

import os
import subprocess

import pythons


def version_of(path):
    environment = {name: value for name, value in os.environ.items()
                   if name != "LD_PRELOAD" and not name.startswith(("PYTHON", "TRACESNAP"))}
    done = subprocess.run([path, "-I", "-c", "import platform; print(platform.python_version())"],
                          capture_output=True, env=environment, check=True)
    return done.stdout.decode().strip()


def interpreters():
    """[(version as "3.11.2", path)], each program once."""
    return [(version_of(path), path) for _, path in pythons.find()]
