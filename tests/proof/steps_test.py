#!/usr/bin/env python3
"""Every order of a few threads in the shim's own code, and every death: see steps.c. Arguments: SEEDS STRIDE."""

import sys

import proof


def build(source=proof.SOURCE, name="steps"):
    files = [f"tests/proof/{part}.c" for part in ("steps", "steps_table", "steps_nodes", "steps_region", "steps_cells", "steps_live", "actors")]
    files += ["tests/unit/reader_promises.c", "tests/unit/reader_build.c"]
    files = [source / file for file in files] + proof.sources(source)
    hooks = ["-include", str(source / "tests/proof/hooks.h")]
    return proof.compile_program(name, [*files, *proof.TOOL], *hooks, source=source)


def main(arguments):
    if proof.is_instrumented():
        print("1..0 # SKIP the steps change stacks, which sanitizers do not follow")
        return 0
    with proof.Regions() as regions:
        timeout = proof.TIMEOUT if len(arguments) == 0 else None
        return proof.run_tap([build(), *(arguments or ["150", "29"])], regions.environment(), timeout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
