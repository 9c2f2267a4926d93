#!/usr/bin/env python3
"""Threads race in the shim's own code under ThreadSanitizer: see race.c. Argument: SECONDS."""

import subprocess
import sys

import proof


def build():
    files = [proof.SOURCE / name for name in ("tests/proof/race.c", "tests/unit/reader_promises.c")]
    files += [proof.SOURCE / "tests/unit/reader_build.c", *proof.sources()]
    flags = ["-fsanitize=thread", "-include", str(proof.SOURCE / "tests/proof/race.h")]
    try:
        return proof.compile_program("race", [*files, *proof.TOOL], *flags)
    except AssertionError as error:
        if "libtsan" in str(error) or "-fsanitize" in str(error).split(": ", 1)[1]:
            raise proof.Skip("the compiler has no ThreadSanitizer") from error
        raise


def race(program, arguments, environment, timeout):
    done = subprocess.run(
        [str(program), *arguments], env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"ended with {done.returncode}: {done.stdout}{done.stderr}")
    print(done.stdout, end="", flush=True)


def main(arguments):
    if proof.is_instrumented():
        print("1..0 # SKIP the tool's objects have a sanitizer of their own")
        return 0
    try:
        program = build()
    except proof.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    with proof.Regions() as regions:
        environment = regions.environment(TSAN_OPTIONS="die_after_fork=0 exitcode=66")
        timeout = proof.TIMEOUT if len(arguments) == 0 else None
        tap = proof.Tap()
        tap.check("threads that race, a reader, and children: no data race, no broken promise", race, program,
                  arguments or ["3"], environment, timeout)
        return tap.done()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
