"""Generators: finished, suspended, nested, recursive, sent to; itertools."""

import itertools


def numbers(n):
    for i in range(n):
        yield i * 7919


def tree(depth):
    if depth == 0:
        yield [depth]
        return
    yield from tree(depth - 1)
    yield {"depth": depth}
    yield from tree(depth - 1)


def collector():
    seen = []
    while True:
        value = yield len(seen)
        seen.append([value])


suspended = [numbers(100) for _ in range(50)]
for generator in suspended:
    next(generator)
    next(generator)
everything = list(tree(7))
halfway = tree(9)
first = list(itertools.islice(halfway, 200))
collectors = [collector() for _ in range(10)]
for one in collectors:
    next(one)
    for i in range(20):
        one.send(i * 300)
chained = list(itertools.chain.from_iterable(numbers(i) for i in range(30)))
pairs = list(itertools.combinations(range(300, 320), 2))
tees = itertools.tee(numbers(500), 3)
ahead = [next(tees[0]) for _ in range(300)]
closed = [numbers(5) for _ in range(20)]
for generator in closed:
    next(generator)
    generator.close()
