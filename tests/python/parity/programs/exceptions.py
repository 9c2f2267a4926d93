"""Exceptions with tracebacks that are kept, chained ones, finally, context managers."""

import contextlib
import traceback


class Failed(Exception):
    def __init__(self, i):
        super().__init__(f"failed at {i}")
        self.i = i


def fail(depth, i):
    local = [i] * depth
    if depth == 0:
        raise Failed(i)
    fail(depth - 1, i)
    return local


def chain(i):
    try:
        fail(3, i)
    except Failed as error:
        raise ValueError(str(i)) from error


kept = []
for i in range(100):
    try:
        fail(i % 10, i)
    except Failed as error:
        kept.append(error)
chained = []
for i in range(50):
    try:
        chain(i)
    except ValueError as error:
        chained.append(error)
texts = [traceback.format_exception(type(e), e, e.__traceback__) for e in chained[:10]]
ended = []
for i in range(500):
    try:
        try:
            [][i]
        finally:
            ended.append(str(i))
    except IndexError:
        pass
with contextlib.ExitStack() as stack:
    for i in range(20):
        stack.callback(ended.append, (i,))
with contextlib.suppress(KeyError):
    {}["missing"]
stop = [next(iter([]), [i]) for i in range(20)]
