"""Run by each interpreter: is what shim/python_gc.c reads of it what its own gc module says?

gc_probe.py LIBRARY: the file compiled by itself. Prints what differs; nothing if all is right.
"""

import ctypes
import gc
import sys


class Generation(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in
                ("threshold", "count", "collections", "collected", "uncollectable")]


class Interpreter(ctypes.Structure):  # struct ts_interpreter
    _fields_ = [("time", ctypes.c_uint64), ("arena_bytes", ctypes.c_uint64),
                ("gc_known", ctypes.c_uint32), ("gc_enabled", ctypes.c_uint32),
                ("generations", Generation * 3), ("reserved", ctypes.c_uint64 * 4)]


class Node:
    """Two of them that know each other are garbage that only the collector finds."""

    def __init__(self, other=None):
        self.other = other or Node(self)


library = ctypes.CDLL(sys.argv[1])
library.python_gc_copy.restype = library.python_gc_known.restype = ctypes.c_bool
main = ctypes.pythonapi.PyInterpreterState_Main
main.restype = ctypes.c_void_p
address = ctypes.c_void_p(main())
runtime = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime")))
version = ctypes.c_uint32(sys.hexversion)
copy = Interpreter(time=11, arena_bytes=22)
place = ctypes.byref(copy)


def equal(name, have, want):
    if have != want:
        print("%s: %s is %r, gc says %r" % (step, name, have, want))


def compare():
    """The youngest count moves with what asking for it allocates: not by 20, where it is 700 and more."""
    kept = [[] for _ in range(700)]
    before, read, after = gc.get_count(), library.python_gc_copy(place, address, version, runtime), gc.get_count()
    statistics, limits = gc.get_stats(), gc.get_threshold()
    equal("python_gc_copy", read, True)
    equal("gc_known", copy.gc_known, 1)
    equal("enabled", copy.gc_enabled, int(gc.isenabled()))
    if not before[0] - 20 <= copy.generations[0].count <= after[0] + 20 or before[0] < 600:
        equal("count of the youngest", copy.generations[0].count, (before[0], after[0]))
    for i, generation in enumerate(copy.generations):
        equal("threshold %d" % i, generation.threshold, limits[i])
        if i > 0:
            equal("count %d" % i, generation.count, before[i])
        for name in ("collections", "collected", "uncollectable"):
            equal("%s %d" % (name, i), getattr(generation, name), statistics[i][name])
    equal("time and arena_bytes, which are not its own", (copy.time, copy.arena_bytes), (11, 22))
    return kept


step = "known"
equal("python_gc_known", library.python_gc_known(version, runtime), True)
equal("of 3.8", library.python_gc_known(ctypes.c_uint32(0x030812f0), runtime), False)
equal("of 3.15", library.python_gc_known(ctypes.c_uint32(0x030f00f0), runtime), False)
equal("of an unknown one, copied", library.python_gc_copy(place, address, ctypes.c_uint32(0x030f00f0), runtime), False)
equal("gc_known", copy.gc_known, 0)
gc.disable()
step = "disabled"
compare()
step = "thresholds"
gc.set_threshold(100000, 23, 5)
gc.enable()
compare()
step = "collected"
for _ in range(50):
    Node()
collected = gc.collect(0) + gc.collect(1) + gc.collect(1) + gc.collect()
equal("found garbage", collected >= 50, True)
compare()
step = "middle generation"
for _ in range(3):
    gc.collect(0)
compare()
step = "objects kept for the collector's debugging"
gc.set_debug(gc.DEBUG_SAVEALL)
Node()
gc.collect()
gc.set_debug(0)
compare()
step = "threshold below zero"
gc.set_threshold(100000, -1)
compare()
step = "frozen"
gc.freeze()
compare()
gc.unfreeze()
