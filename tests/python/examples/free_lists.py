"""An object that is freed may wait in a free list, and be born again at another line."""

from snapshot import snapshot


def first(count):
    return [float(n) for n in range(count)]


def second(count):
    return [float(n) for n in range(count)]


first(50)
few = second(50)
snapshot("few.tsnap")
first(50)
many = second(50_000)
snapshot("many.tsnap")
