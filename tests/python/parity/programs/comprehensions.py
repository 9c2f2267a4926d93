"""Comprehensions of every kind, nested and with conditions, in functions and classes."""

squares = [i * i for i in range(2000)]
odd = {i: str(i) for i in squares if i % 2}
remainders = {i % 97 * 1000 for i in squares}
matrix = [[x * y + 1000 for x in range(20)] for y in range(20)]
transposed = [[row[i] for row in matrix] for i in range(20)]
lazy = (str(i) for i in squares)
some = [next(lazy) for _ in range(100)]


def inner(n):
    return {name: [c for c in name] for name in [f"name{i}" for i in range(n)]}


class Table:
    rows = [tuple(range(i, i + 5)) for i in range(100)]
    index = {row[0]: row for row in rows}


names = inner(200)
unpacked = [*squares[:100], *(i / 2 for i in range(100))]
walrus = [y for x in range(300) if (y := x * 1001) % 2]
