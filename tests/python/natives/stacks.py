"""Random stacks of both languages: stacks.py SEED STEPS BOOKS. From step to step most stacks change in one function only, of
C or of Python, and what is called from one and the same instruction is now this and now that."""
import os
import random
import sys
import threading

import natives as n

CALLS = n.call_a, n.call_b, n.call_c, n.call_d, n.call_e, n.call_f, n.catch_a, n.catch_b
PULLS = n.pull_a, n.pull_b, n.pull_c
TAKES = n.take_a, n.take_b, n.take_c, n.take_d
SIZES = 8, 16, 24, 40, 100, 100, 100, 700


class Plan(threading.local):
    """What this thread's stack is to be: at each depth a C function and the Python function that it calls; and the domain of
    its blocks. Stacks come again."""

    def __init__(self):
        self.random = random.Random(sys.argv[1])
        self.levels, self.at, self.domain = [], 0, 0
        self.before = []
        self.generators = [producer(), producer(), producer()]
        self.busy = set()

    def change(self):
        which = self.random.randrange(10)
        if which < 5 and self.before:
            self.levels, self.domain = self.random.choice(self.before)
            return
        self.levels = self.levels[:]
        if which == 5 or not self.levels:
            self.levels = [self.level() for _ in range(self.random.randrange(1, 6))]
            self.domain = self.random.randrange(4)
        elif which == 6 and len(self.levels) < 6:
            self.levels.append(self.level())
        elif which == 7 and len(self.levels) > 1:
            self.levels.pop()
        else:
            where = self.random.randrange(len(self.levels))
            call, function = self.level()
            self.levels[where] = (call, self.levels[where][1] if which == 8 else function)
        self.before = [*self.before[-20:], (self.levels, self.domain)]

    def level(self):
        return self.random.choice(CALLS), self.random.choice((down, again, thrower, puller))


plan = None


def take():
    plan.random.choice(TAKES)(plan.random.choice(SIZES) * 4 + plan.domain)


def deeper():
    plan.at += 1
    if plan.at < len(plan.levels):
        call, function = plan.levels[plan.at]
        call(function)
    else:
        for _ in range(plan.random.randrange(1, 4)):
            take()
    plan.at -= 1


def down():
    deeper()
    if plan.random.random() < 0.2:
        take()


def again():
    for _ in range(plan.random.randrange(1, 3)):
        deeper()


def thrower():
    deeper()
    if plan.random.random() < 0.3:
        raise KeyError


def puller():
    which = plan.random.randrange(3)
    if which in plan.busy:
        return deeper()
    plan.busy.add(which)
    try:
        plan.random.choice(PULLS)(plan.generators[which])
    finally:
        plan.busy.remove(which)


def producer():
    while True:
        take()
        yield 1
        try:
            deeper()
        except KeyError:
            # A level was left in the midst; this generator goes on.
            pass
        yield 2


def step():
    plan.change()
    plan.at = 0
    call, function = plan.levels[0]
    try:
        call(function)
    except KeyError:
        pass


def steps(count):
    for _ in range(count):
        step()


def leaf():
    for which in TAKES:
        which(100 * 4 + 3)


def inner():
    n.take_a(100 * 4 + 3)


def first():
    inner()


def second():
    inner()


def callers():
    """The newest frame and its caller's lie where they lay, and nothing else allocates in between."""
    for _ in range(30):
        for function in (first, second):
            n.call_a(function)


def nothing():
    pass


def left_over():
    """shallow_moved finds its place first."""
    ways = (n.deep_plain, leaf), (n.deep_moved, leaf), (n.shallow_moved, nothing), (n.shallow_moved, leaf)
    for _ in range(30):
        for way, function in ways:
            way(function)


plan = Plan()
count = int(sys.argv[2])
steps(count)
threads = [threading.Thread(target=steps, args=(count // 4,)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
callers()
left_over()
n.save(sys.argv[3])
os._exit(0)
