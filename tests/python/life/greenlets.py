"""Greenlets: many stacks of C and of Python that lie in turn at the same addresses of one thread, shallow and deep, in threads,
thrown into, dropped unfinished, switched in a generator, in a callback from C and in a finalizer."""
import gc
import os
import signal
import threading

from greenlet import GreenletExit, getcurrent, greenlet

kept = []


def switch():
    getcurrent().parent.switch()


def shallow():
    for _ in range(20):
        kept.append(bytes(101))  # 40 blocks of 134
        switch()
        kept.append(bytes(102))  # 40 blocks of 135


def deep(depth):
    if depth:
        deep(depth - 1)
        kept.append(bytes(103))  # 220 blocks of 136
        return
    for _ in range(20):
        switch()
        kept.append(bytes(104))  # 80 blocks of 137


def called(n):
    switch()
    return bytes(105)  # 40 blocks of 138


def from_c():
    kept.extend(map(called, range(20)))


def generated():
    for _ in range(20):
        switch()
        yield bytes(106)  # 40 blocks of 139


def from_generator():
    for block in generated():
        kept.append(block)


def forever():
    try:
        while True:
            switch()
            kept.append(bytes(107))  # 36 blocks of 140
    except GreenletExit:
        kept.append(bytes(108))  # 2 blocks of 141
    except KeyError:
        kept.append(bytes(109))  # 2 blocks of 142
        switch()


def nested(depth):
    """Each starts the next one, which runs on top of its stack."""
    kept.append(bytes(110))  # 20 blocks of 143
    if depth:
        greenlet(nested).switch(depth - 1)
        kept.append(bytes(111))  # 18 blocks of 144


class Switches:
    def __del__(self):
        kept.append(bytes(112))  # 40 blocks of 145
        switch()
        kept.append(bytes(113))  # 40 blocks of 146


def deletes():
    for _ in range(20):
        Switches()


def play():
    ways = [shallow, lambda: deep(10), lambda: deep(100), from_c, from_generator, deletes]
    running = [greenlet(way) for way in ways]
    endless = [greenlet(forever) for _ in range(2)]
    for turn in range(22):
        for one in running:
            if not one.dead:
                one.switch()
                one.dead or kept.append(bytes(114))  # 240 blocks of 147
        if turn < 10:
            for one in endless:
                one.switch()
    endless.pop().throw(KeyError)
    endless.pop()
    greenlet(nested).switch(9)


play()
thread = threading.Thread(target=play)
thread.start()
thread.join()
gc.collect()
os.kill(os.getpid(), signal.SIGKILL)
