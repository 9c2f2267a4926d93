#!/usr/bin/env python3
from fault import build, main, traced


def left():
    """A program that leaves malloc by siglongjmp is traced on, and what was lost is counted."""
    library = build("raiser.c", "-shared", "-fPIC", output="raiser.so")
    traced(build("longjmp.c", str(library)), must_drop=["reentrant"])


main(left)
