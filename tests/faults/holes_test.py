#!/usr/bin/env python3
from fault import build, main, traced


def unmapped_between():
    """A hole comes up between a coroutine's stack and the thread's own, which it passes for."""
    traced(build("holes.c", "-pthread"), may_drop=("depth_cut", "no_unwind"))


main(unmapped_between)
