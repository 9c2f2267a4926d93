"""Objects born from a free list: floats that were first made on one line, died, and are born again on another. Each list of
floats is as long as those that died before it, so that all of its floats are born again."""
import os
import signal
import sys


def first(n):
    return [i * 1.1 for i in range(n)]


def second(n):
    return [i * 1.2 for i in range(n)]  # 60 blocks of 24


if len(sys.argv) > 1:
    import tracemalloc

    tracemalloc.start(3)
    first(10)
    tracemalloc.stop()
    kept = second(10)  # new stacks, by which the shim notices that nobody listens to births
    del kept
dying = first(60)
del dying
kept = second(60)
os.kill(os.getpid(), signal.SIGKILL)
