"""Random stacks of every kind, from seeds: the tracer's contexts are what the program itself knows of its stacks, to
the last return address, call and byte. tests/walk/long goes on with new seeds. And signals at any instant."""

import sys

import interrupted
import walk

SEEDS = (1, 2)


def main():
    tap = walk.Tap()
    directory = walk.BUILD / "tests" / "walk" / "tree"
    program = walk.build(directory)
    for name in walk.PLANS:
        for seed in SEEDS:
            tap.check(f"{name}, seed {seed}", walk.run_plan, program, name, seed)
    program = interrupted.build(directory)
    for options in ("", "verify=1"):
        tap.check(f"allocated by a signal's handler {options}", interrupted.check, program, options)
    return tap.done()


sys.exit(main())
