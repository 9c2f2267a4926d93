#!/usr/bin/env python3
from fault import build, main, traced


def early():
    """Threads that end before the shim's constructor runs give their counters back."""
    library = build("early_threads.c", "-shared", "-fPIC", "-pthread", output="early_threads.so")
    traced(build("early.c", str(library)))


main(early)
