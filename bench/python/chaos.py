"""a fractal by the chaos game: small immutable points with operators, affine maps, a grid of counts"""

import random
import sys

ROUNDS = 24
SIZE = 128
POINTS = 12000


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Point(self.x - other.x, self.y - other.y)

    def __mul__(self, factor):
        return Point(self.x * factor, self.y * factor)

    def towards(self, other, part):
        return self + (other - self) * part


class Affine:
    def __init__(self, a, b, c, d, shift):
        self.row_x = (a, b)
        self.row_y = (c, d)
        self.shift = shift

    def __call__(self, point):
        (a, b), (c, d) = self.row_x, self.row_y
        return Point(a * point.x + b * point.y, c * point.x + d * point.y) + self.shift


FERN = [
    (0.85, Affine(0.85, 0.04, -0.04, 0.85, Point(0.0, 1.6))),
    (0.92, Affine(0.20, -0.26, 0.23, 0.22, Point(0.0, 1.6))),
    (0.99, Affine(-0.15, 0.28, 0.26, 0.24, Point(0.0, 0.44))),
    (1.00, Affine(0.0, 0.0, 0.0, 0.16, Point(0.0, 0.0))),
]
CORNERS = [Point(0.0, 0.0), Point(1.0, 0.0), Point(0.5, 0.866)]


def chosen(maps, chance):
    for limit, transform in maps:
        if chance <= limit:
            return transform
    return maps[-1][1]


def fern(source, grid):
    point = Point(0.0, 0.0)
    for _ in range(POINTS):
        point = chosen(FERN, source.random())(point)
        column = min(SIZE - 1, int((point.x + 2.7) / 5.4 * SIZE))
        row = min(SIZE - 1, int(point.y / 10.1 * SIZE))
        grid[row][column] += 1


def triangle(source, grid):
    point = Point(0.3, 0.3)
    for _ in range(POINTS):
        corner = CORNERS[int(source.random() * 3)]
        point = point.towards(corner, 0.5)
        grid[int(point.y * (SIZE - 1))][int(point.x * (SIZE - 1))] += 1


def main(rounds):
    source = random.Random(7)
    total = 0
    for _ in range(rounds):
        grid = [[0] * SIZE for _ in range(SIZE)]
        fern(source, grid)
        triangle(source, grid)
        total += sum(row * column * grid[row][column] for row in range(SIZE) for column in range(SIZE)) % 99991
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
