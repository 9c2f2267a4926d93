"""A class with a dictionary for each object, and one with __slots__."""

from snapshot import snapshot


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class SlottedPoint:
    __slots__ = "x", "y"

    def __init__(self, x, y):
        self.x = x
        self.y = y


points = [Point(1, 2) for _ in range(100_000)]
slotted = [SlottedPoint(1, 2) for _ in range(100_000)]
snapshot("slots.tsnap")
