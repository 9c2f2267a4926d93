"""Works until it is killed: victim.py PAGE [fork]. Its threads write into the page how many blocks each of them has by now; the
words before are 1 once a child was forked (its pid) and 1 once they work. What else they do stays nowhere for long."""
import gc
import mmap
import os
import struct
import sys
import threading

WORDS = 8  # the child's pid, at work, blocks of each thread
with open(sys.argv[1], "r+b") as file:
    page = mmap.mmap(file.fileno(), 8 * WORDS)
kept = [[], [], []]


def say(word, value):
    struct.pack_into("=Q", page, 8 * word, value)


def block(i):
    return bytes(100 + i)  # counted


def generator(n):
    yield from (str(i) * i for i in range(n))


class Node:
    def __init__(self):
        self.me = self


def churn(i, n):
    exec(compile(f"x = [str(i) for i in range({n % 50})]\ndef f{n % 7}(): return dict(a=[{n}] * 90)\nf{n % 7}()", f"<{i}>", "exec"), {})
    for text in generator(n % 30):
        len(text)
    Node()
    if n % 50 == 0:
        gc.collect()
    try:
        raise KeyError(n)
    except KeyError:
        pass


def work(i):
    for n in range(1, 1 << 30):
        kept[i].append(block(i))
        say(2 + i, n)
        churn(i, n)
        if n % 200 == 0:
            thread = threading.Thread(target=churn, args=(i, n))
            thread.start()
            thread.join()


if sys.argv[2:] == ["fork"]:
    child = os.fork()
    if child != 0:
        say(0, child)
        os.waitpid(child, 0)
        os._exit(0)
threads = [threading.Thread(target=work, args=(i,)) for i in (1, 2)]
for thread in threads:
    thread.start()
say(1, 1)
work(0)
