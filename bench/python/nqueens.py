"""queens on a board: permutations by generators that call themselves, and sets that drop the wrong ones"""

import itertools
import sys

ROUNDS = 130
SIZE = 6


def permutations(pool, length):
    """As itertools.permutations, in Python."""
    if length == 0:
        yield ()
        return
    for i, first in enumerate(pool):
        for rest in permutations(pool[:i] + pool[i + 1 :], length - 1):
            yield (first, *rest)


def peaceful(rows):
    """Whether no two queens, one in each column, stand on one diagonal."""
    diagonals = set()
    for column, row in enumerate(rows):
        diagonals.add(("rising", row - column))
        diagonals.add(("falling", row + column))
    return len(diagonals) == 2 * len(rows)


def queens(size):
    yield from filter(peaceful, permutations(tuple(range(size)), size))


def placed(size, rows=()):
    """The same by placing one queen after the other."""
    if len(rows) == size:
        yield rows
        return
    for row in range(size):
        if all(row != r and abs(row - r) != len(rows) - c for c, r in enumerate(rows)):
            yield from placed(size, rows + (row,))


def main(rounds):
    total = 0
    for number in range(rounds):
        total += sum(sum(c * r for c, r in enumerate(rows)) for rows in queens(SIZE))
        total += len(list(placed(SIZE + 1)))
        total += sum(1 for _ in itertools.permutations(range(SIZE), 3)) * number
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
