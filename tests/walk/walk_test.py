"""Random stacks of every kind, from seeds: the tracer's contexts are what the program itself knows of its stacks, to
the last return address, call and byte. tests/walk/long goes on with new seeds."""

import sys

import walk

SEEDS = (1, 2)


def main():
    tap = walk.Tap()
    program = walk.build(walk.BUILD / "tests" / "walk" / "tree")
    for name in walk.PLANS:
        for seed in SEEDS:
            tap.check(f"{name}, seed {seed}", walk.run_plan, program, name, seed)
    return tap.done()


sys.exit(main())
