#!/usr/bin/env python3
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, main, traced  # noqa: E402


def adjoining_thread():
    """A coroutine's stack that adjoins a thread's own is unmapped, and a smaller one comes to its place."""
    traced(build("code/adjoining.c", "-pthread", output="adjoining"), "thread")


def adjoining_block():
    """The same where it adjoins the first thread's control block, and the first allocation is on it."""
    traced(build("code/adjoining.c", "-pthread", output="adjoining"), "block")


def outrun():
    """A page that a false frame pointer points to is taken away at any instant: no fault."""
    program = build("code/outrun.c", "-pthread", output="outrun")
    for how in ("generated", "tables", "coroutine"):
        traced(program, how, must_drop=["no_unwind"])


if __name__ == "__main__":
    main(adjoining_thread, adjoining_block, outrun)
