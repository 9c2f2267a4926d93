"""Frames of every kind: generators, coroutines, exceptions, handlers of signals, classes, recursion, code made anew."""
import asyncio
import os
import signal
import sys

kept = []
ONE = b"1"


def generator():
    for _ in range(20):
        kept.append(bytes(101))  # 20 blocks of 134
        yield


async def asynchronous():
    for _ in range(20):
        kept.append(bytes(102))  # 20 blocks of 135
        yield
        await asyncio.sleep(0)


async def coroutine():
    async for _ in asynchronous():
        kept.append(bytes(103))  # 20 blocks of 136


def raising():
    block = ONE * 104  # 30 blocks of 137
    try:
        raise ValueError(block)
    except ValueError as error:
        kept.append(error)


def handler(number, frame):
    kept.append(bytes(105))  # 10 blocks of 138


class Deleted:
    def __del__(self):
        kept.append(bytes(106))  # 15 blocks of 139


class Body:
    block = bytes(107)  # 1 blocks of 140


def recursive(depth):
    if depth:
        recursive(depth - 1)
    kept.append(bytes(108))  # 901 blocks of 141


for _ in generator():
    pass
asyncio.new_event_loop().run_until_complete(coroutine())
for _ in range(30):
    raising()
signal.signal(signal.SIGUSR1, handler)
for _ in range(10):
    os.kill(os.getpid(), signal.SIGUSR1)
for _ in range(15):
    Deleted()
sys.setrecursionlimit(3000)
recursive(900)
kept.extend(map(lambda n: bytes(109), range(25)))  # 25 blocks of 142
kept.extend([bytes(110) for _ in range(25)])  # 25 blocks of 143
os.kill(os.getpid(), signal.SIGKILL)
