"""Two nodes that point at each other are freed by the collector only."""

import gc

from snapshot import snapshot


class Node:
    def __init__(self):
        self.other = None


def tie_two():
    left = Node()
    right = Node()
    left.other, right.other = right, left


gc.disable()
tie_two()
snapshot("start.tsnap")
for _ in range(10_000):
    tie_two()
snapshot("grown.tsnap")
gc.collect()
snapshot("collected.tsnap")
