#!/usr/bin/env python3
"""Writers that are read all the time and killed at random moments: see kills.c. Arguments: KILLS [SEED]."""

import sys

import proof


def main(arguments):
    if proof.is_instrumented():
        print("1..0 # SKIP the writer, which is this program, must have no sanitizer")
        return 0
    files = [proof.SOURCE / f"tests/{name}.c" for name in ("proof/kills", "unit/reader_promises", "unit/reader_build")]
    program = proof.compile_program("kills", [*files, *proof.TOOL])
    with proof.Regions() as regions:
        timeout = proof.TIMEOUT if len(arguments) == 0 else None
        return proof.run_tap([program, *(arguments or ["20"])], regions.environment(TRACESNAP_LIB=proof.SHIM), timeout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
