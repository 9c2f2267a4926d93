"""the spectral norm of a matrix by the power method: arithmetic in comprehensions and inner products"""

import itertools
import math
import operator
import sys

ROUNDS = 60
SIZE = 60


def element(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(vector):
    return [sum(element(i, j) * value for j, value in enumerate(vector)) for i in range(len(vector))]


def transposed_times(vector):
    rows = range(len(vector))
    return [sum(map(operator.mul, map(element, rows, itertools.repeat(i)), vector)) for i in rows]


def norm(size):
    vector = [1.0] * size
    for _ in range(4):
        other = transposed_times(times(vector))
        vector = transposed_times(times(other))
    inner = sum(map(operator.mul, vector, other))
    return math.sqrt(inner / sum(value * value for value in other))


def main(rounds):
    return f"{sum(norm(SIZE + number % 3) for number in range(rounds)):.8f}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
