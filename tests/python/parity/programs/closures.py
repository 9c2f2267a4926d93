"""Closures, default arguments, partial functions, decorators, lambdas, lru_cache."""

import functools


def counter(start):
    count = [start]
    history = {}

    def step(by=1):
        count[0] += by
        history[count[0]] = str(by)
        return count[0]

    return step


def traced(function):
    calls = []

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        calls.append((args, kwargs))
        return function(*args, **kwargs)

    wrapper.calls = calls
    return wrapper


@traced
def add(a, b=2):
    return a + b


@functools.lru_cache(maxsize=64)
def square(n):
    return n * n * 1000003


steps = [counter(i * 1000) for i in range(100)]
for step in steps:
    for i in range(5):
        step(i)
sums = [add(i, b=i + 0.5) for i in range(100)]
partials = [functools.partial(add, i, b=i) for i in range(100)]
squares = [square(i % 100) for i in range(1000)]
lambdas = [lambda i=i: [i] * i for i in range(50)]
results = [f() for f in lambdas]
