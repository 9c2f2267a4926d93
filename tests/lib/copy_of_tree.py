"""A copy of the sources and a build of it, in which one place at a time is changed: can a test fail?"""

import pathlib
import shutil
import subprocess


class Copy:
    """The tree under `source`, built under `build`, both below a directory that the caller removes."""

    def __init__(self, original, directory):
        directory = pathlib.Path(directory)
        self.source, self.build = directory / "source", directory / "build"
        skip = shutil.ignore_patterns(".git", "build", "autom4te.cache")
        shutil.copytree(original, self.source, symlinks=True, ignore=skip)
        self.build.mkdir(parents=True)
        self.run([str(self.source / "configure"), "-q", "CFLAGS=-g -O2"])

    def run(self, command):
        done = subprocess.run(command, cwd=self.build, capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"'{' '.join(command)}' failed: {done.stderr.decode()[-2000:]}")

    def make(self, *targets):
        self.run(["make", "-s", *targets])

    def mutate(self, file, *changes):
        """Changes every place where `old` stands, for each of `old, new, ...`; returns what undoes it, or None when one of
        them is not there."""
        path = self.source / file
        text = changed = path.read_text(encoding="utf-8")
        for old, new in zip(changes[::2], changes[1::2]):
            if old not in changed:
                return None
            changed = changed.replace(old, new)
        path.write_text(changed, encoding="utf-8")
        return lambda: path.write_text(text, encoding="utf-8")
