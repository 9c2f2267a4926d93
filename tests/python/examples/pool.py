"""A fresh buffer for every message, and buffers from a pool."""

from itertools import repeat

from snapshot import snapshot


def handle(buffer):
    buffer[0] = 1


def fresh(messages):
    for _ in repeat(None, messages):
        handle(bytearray(4096))


def pooled(messages):
    pool = [bytearray(4096) for _ in range(4)]
    for _ in repeat(None, messages):
        buffer = pool.pop()
        handle(buffer)
        pool.append(buffer)


fresh(10_000)
pooled(10_000)
snapshot("pool.tsnap")
