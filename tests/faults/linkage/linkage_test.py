#!/usr/bin/env python3
"""Programs and plug-ins linked in other ways than the compiler's own: they are traced as exactly."""

import os
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS / "lib"))

from fixture import VARIANTS, Fixture, Run  # noqa: E402
from tap import Skip, Tap  # noqa: E402

LINKED = {
    "bfd": ["-fuse-ld=bfd"],
    "gold": ["-fuse-ld=gold"],
    "lld": ["-fuse-ld=lld"],
    "lazy": ["-Wl,-z,lazy"],
    "now": ["-Wl,-z,now", "-Wl,-z,relro"],
    "one-segment": ["-Wl,-z,noseparate-code"],
    "old-hash": ["-Wl,--hash-style=sysv", "-Wl,--build-id=none"],
}
PROGRAMS = ("basic.c", "containers.cc", "exceptions.cc", "plugin.c")
MODES = ("verify",)


def is_possible(flags):
    command = [*os.environ["CC"].split(), "-x", "c", "-", "-o", "/dev/null", *flags]
    return subprocess.run(command, input=b"int main(void) { return 0; }", capture_output=True, check=False).returncode == 0


def check(fixture, variant, mode):
    if not is_possible(LINKED[variant]):
        raise Skip(f"the compiler cannot link with {' '.join(LINKED[variant])}")
    program = fixture.compile(variant)
    for arguments, status in fixture.runs:
        Run(fixture, program, mode, arguments, status).check()


def main():
    tap = Tap()
    for variant, flags in LINKED.items():
        VARIANTS[variant] = (["-O2", *flags], None)
        for name in PROGRAMS:
            for mode in MODES:
                fixture = Fixture(TESTS / "programs" / name)
                tap.check(f"{name} linked by {variant}, {mode}", lambda f=fixture, v=variant, m=mode: check(f, v, m))
    return tap.done()


sys.exit(main())
