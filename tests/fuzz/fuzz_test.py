#!/usr/bin/env python3
"""Bad bytes: every input of the corpus, by this build and by one with AddressSanitizer and UBSan, and then those that
libFuzzer makes in two minutes of all targets. FUZZ_SECONDS chooses another time for each; tests/fuzz/run takes
hours."""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

# pylint: disable=wrong-import-position
import fuzzing  # noqa: E402
from tap import Skip, Tap, note  # noqa: E402
from tracesnap import BUILD  # noqa: E402

SECONDS = int(os.environ.get("FUZZ_SECONDS") or 20)
TAP = Tap()


def replay(target):
    """The corpus by the replaying program of this build."""
    count = len(list(fuzzing.corpus(target).iterdir()))
    command = [BUILD / "tests" / "fuzz" / f"replay_{target}", fuzzing.corpus(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, errors="replace")
    if done.returncode != 0 or f"{count} inputs\n" not in done.stdout:
        raise AssertionError(f"status {done.returncode}, {count} inputs: {done.stdout}{done.stderr}"[-6000:])


def judge(result):
    if isinstance(result, Exception):
        raise result


def fuzz(directory, seconds, what):
    executions = 0
    with tempfile.TemporaryDirectory(prefix="tracesnap-fuzz-") as scratch:
        found, failed = pathlib.Path(scratch), BUILD / "tests" / "fuzz" / "failed"
        for target, count, result in fuzzing.fuzz(directory, fuzzing.TARGETS, seconds, found, failed):
            executions += count
            TAP.check(f"{target}: {what}", judge, result)
    return executions


def main():
    for target in fuzzing.TARGETS:
        TAP.check(f"{target}: the corpus by this build", replay, target)
    directory = BUILD / "tests" / "fuzz" / "libfuzzer"
    try:
        fuzzing.build(directory)
    except fuzzing.Missing as reason:
        TAP.skip("inputs that libFuzzer makes", str(reason))
        return TAP.done()
    fuzz(directory, 0, "the corpus under AddressSanitizer and UBSan")
    note(f"FIGURE: fuzz executions {fuzz(directory, SECONDS, f'inputs of {SECONDS} s')}")
    return TAP.done()


sys.exit(main())
