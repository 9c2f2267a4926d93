"""The same 100,000 numbers in a list, a set and a deque."""

from collections import deque

from snapshot import snapshot

numbers = range(1000, 101_000)
in_list = list(numbers)
in_set = set(in_list)
in_deque = deque(in_list)
snapshot("containers.tsnap")
