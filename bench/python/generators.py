"""recursive generators: trees walked by yield from, lazy pipelines, and generators that are sent values"""

import itertools
import sys

ROUNDS = 48


class Tree:
    __slots__ = ("key", "left", "right")

    def __init__(self, key, left=None, right=None):
        self.key = key
        self.left = left
        self.right = right

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.key
        if self.right is not None:
            yield from self.right

    def paths(self, path=()):
        """Every leaf with the way to it."""
        path = (*path, self.key)
        if self.left is None and self.right is None:
            yield path
        for child in (self.left, self.right):
            if child is not None:
                yield from child.paths(path)


def balanced(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Tree(middle, balanced(low, middle), balanced(middle + 1, high))


def flat(nested):
    for entry in nested:
        if isinstance(entry, list):
            yield from flat(entry)
        else:
            yield entry


def nested(depth):
    return [depth, [nested(depth - 1), depth] if depth else [], *range(depth), [[depth]]]


def averages():
    """Is sent numbers, yields their mean so far."""
    total, mean = 0, None
    for count in itertools.count(1):
        total += yield mean
        mean = total / count


def pipeline(numbers):
    odd = (number for number in numbers if number % 2)
    squares = (number * number for number in odd)
    for chunk in iter(lambda: list(itertools.islice(squares, 16)), []):
        yield sum(chunk)


def main(rounds):
    total = 0
    root, deep = balanced(0, 6000), [nested(d) for d in range(40)]
    for _ in range(rounds):
        mean = averages()
        next(mean)
        for key in root:
            last = mean.send(key)
        total += int(last) + sum(len(path) for path in root.paths())
        total += sum(flat(deep)) + sum(pipeline(range(5000))) % 10007
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
