#!/usr/bin/env python3
"""The patterns that the protocols are made of, a great many times: see litmus.c. Argument: MILLISECONDS of each."""

import sys

import proof


def main(arguments):
    program = proof.compile_program("litmus", [proof.SOURCE / "tests/proof/litmus.c", *proof.sources()], "-O2")
    with proof.Regions() as regions:
        timeout = proof.TIMEOUT if len(arguments) == 0 else None
        return proof.run_tap([program, *(arguments or ["300"])], regions.environment(), timeout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
