"""Runs programs (modules), with points before and after each (points.c). What tracemalloc knows then goes to
POINTS_TO.N.traces."""

import _tracemalloc
import asyncio  # noqa: F401  (large: not to be compared)
import gc
import marshal
import os
import sys

gc.disable()
sys.path.insert(0, os.environ["POINTS_PROGRAMS"])


def watch(number, module, point, get_traces, clear_traces):
    gc.collect()
    point()
    clear_traces()
    point()
    __import__(module)
    point()
    traces = get_traces()
    with open(f"{os.environ['POINTS_TO']}.{number}.traces", "wb") as file:
        marshal.dump(traces, file)


for number, name in enumerate(sys.argv[1:], 1):
    watch(number, name, os.getppid, _tracemalloc._get_traces, _tracemalloc.clear_traces)
os._exit(0)
