"""lru_cache without a bound keeps every result; with one, the latest."""

from functools import lru_cache

from snapshot import snapshot


@lru_cache(maxsize=None)
def page(number):
    return f"page {number} ".ljust(100, ".")


@lru_cache(maxsize=100)
def bounded_page(number):
    return f"page {number} ".ljust(100, ".")


for number in range(10_000):
    page(number)
for number in range(10_000):
    bounded_page(number)
snapshot("cache.tsnap")
