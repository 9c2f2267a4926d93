#!/usr/bin/env python3
"""The models beside the code (*.pml), searched by spin through all their states; and again with each guard removed,
when spin must find an error.

    model_test.py [long]    larger bounds, too, for which a machine needs some GiB and an hour
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from proof import SOURCE, Skip, Tap, note

# What is searched: model, what is defined, and what that means.
SOUND = [
    ("shim/table.pml", "GROWERS=0 LOOKER", "two insert one path, a third looks"),
    ("shim/table.pml", "", "two insert one path while the table grows"),
    ("shim/table.pml", "OTHER", "two insert two paths while the table grows"),
    ("shim/table.pml", "ONE_WRITER LOOKER", "one inserts and one looks while the table grows"),
    ("shim/table.pml", "ONE_WRITER GROWERS=2", "one inserts, two let the table grow"),
    ("shim/region.pml", "", "two want one slab"),
    ("shim/region.pml", "OTHER FULL", "two want two slabs, and memory may be refused"),
    ("region/cell.pml", "", "counts and a new peak"),
    ("region/cell.pml", "CLEAR", "counts and a clear"),
]
# Without a guard: the guard's name as the model has it, and in which of the above it is missed.
MUTANTS = [
    ("shim/table.pml", "OTHER NO_SECOND_LOOK", "what was found in a table that is not the present one"),
    ("shim/table.pml", "OTHER GROWERS=0 NO_CLAIM", "a slot claimed without compare-and-swap"),
    ("shim/table.pml", "GROWERS=0 NO_COMPARE", "a number published without compare-and-swap"),
    ("shim/table.pml", "GROWERS=0 NO_RECORD_FIRST", "a number filed before its record is published"),
    ("shim/table.pml", "GROWERS=0 WAIT_FOR_NUMBER", "waiting for who claimed a slot"),
    ("shim/region.pml", "NO_HELP", "a slab used before it is in the region's table"),
    ("shim/region.pml", "NO_COMMIT", "a slab used before it is backed by memory"),
    ("shim/region.pml", "NO_COMPARE_OF_COUNT", "a slab's number taken without compare-and-swap"),
    ("region/cell.pml", "NO_FREED_FIRST", "allocated read before freed"),
    ("region/cell.pml", "NO_SECOND_STAMP", "the stamp not read a second time"),
    ("region/cell.pml", "CLEAR NO_STAMP_LAST", "the stamp stored before the zeros"),
    ("region/cell.pml", "NO_PEAK", "the live value not put aside at a new peak"),
]
LONG = [
    ("shim/table.pml", "OTHER LOOKER", "two insert two paths and one looks while the table grows"),
    ("shim/table.pml", "OTHER GROWERS=2", "two insert two paths, two let the table grow"),
    ("shim/region.pml", "WRITERS=3", "three want one slab"),
    ("region/cell.pml", "CLEAR COMMANDS=2", "counts and two clears"),
    ("region/cell.pml", "COMMANDS=2", "counts and two peaks"),
]
states = 0


def search(model, defines, optimise):
    """(number of errors, what pan printed). Searches all states or until the first error."""
    with tempfile.TemporaryDirectory(prefix="tracesnap-model-") as directory:

        def call(*command):
            return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)

        made = call("spin", *(f"-D{name}" for name in defines.split()), "-a", str(SOURCE / model))
        if made.returncode != 0 or not (pathlib.Path(directory) / "pan.c").exists():
            raise AssertionError(f"spin does not understand {model}: {made.stdout}{made.stderr}")
        memory = ["-DMEMLIM=8000", "-DCOLLAPSE"] if optimise == "-O2" else []
        built = call("gcc", optimise, "-w", "-DSAFETY", *memory, "-o", "pan", "pan.c")
        if built.returncode != 0:
            raise AssertionError(built.stderr)
        printed = call("./pan", "-m200000", "-w20").stdout
        found = [line for line in printed.splitlines() if "errors:" in line]
        if not found or "max search depth too small" in printed or "out of memory" in printed:
            raise AssertionError(f"the search did not come to its end: {printed}")
        return int(found[0].rsplit(None, 1)[1]), printed


def sound(model, defines, optimise):
    global states
    began = time.monotonic()
    errors, printed = search(model, defines, optimise)
    if errors != 0:
        raise AssertionError(f"-D{defines}: {printed}")
    searched = int(next(line for line in printed.splitlines() if "states, stored" in line).split()[0])
    note(f"{model} {defines}: {searched} states, {time.monotonic() - began:.1f} s")
    states += searched


def mutant(model, defines):
    errors, printed = search(model, defines, "-O0")
    if errors == 0:
        raise AssertionError(f"{model} -D{defines}: no error found: {printed}")
    if " NO_" not in f" {defines}":
        return
    if "assertion violated" not in printed:
        raise AssertionError(f"{model} -D{defines}: another error than the one expected: {printed}")


def main(arguments):
    if shutil.which("spin") is None or shutil.which("gcc") is None:
        print(f"1..0 # SKIP {Skip('spin or gcc is not there')}")
        return 0
    tap = Tap()
    for model, defines, what in SOUND:
        tap.check(f"{model}: {what}", sound, model, defines, "-O1")
    for model, defines, what in MUTANTS:
        tap.check(f"{model}: spin finds {what}", mutant, model, defines)
    for model, defines, what in LONG if arguments == ["long"] else []:
        tap.check(f"{model}: {what}", sound, model, defines, "-O2")
    note(f"states in all {states}")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
