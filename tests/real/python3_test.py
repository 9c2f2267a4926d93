"""python3: objects of all sizes and threads, with its own small-object allocator and without.

Its totals are compared in the same process only, and without the domains of Python's allocators, which count other
blocks than malloc does. Stacks of its own allocators are compared with libunwind's in a program of their own: each of the
many takes libunwind a tenth of a millisecond. In a run without the shim it asks for some ten blocks more: at
the first end of a thread glibc loads libgcc_s, which the shim's libunwind has already brought in.
"""

import sys

import real

SCRIPT = r"""
import collections, json, re, threading
words = ["w%d" % (i * 7919 % 3001) for i in range(8000)]
count = collections.Counter(words)
text = json.dumps({"count": count, "words": words[:5000]}, sort_keys=True)
back = json.loads(text)
print(len(text), back["count"]["w17"], len(re.findall(r"w(\d)\1", text)))
class Node:
    def __init__(self, depth):
        self.children = [Node(depth - 1) for _ in range(3)] if depth else []
    def size(self):
        return 1 + sum(child.size() for child in self.children)
print(Node(6).size(), sum(len(str(2 ** i)) for i in range(2000)))
results = []
def work(n):
    results.append(sum(len(bytes(i)) for i in range(n)))
threads = [threading.Thread(target=work, args=(n,)) for n in (1000, 1000, 1000)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sorted(results))
"""


NATIVE = {"count_options": "python=off", "verify_options": "verify=1:python=off"}

SMALL = r"""
class Pair:
    def __init__(self, depth):
        self.halves = [Pair(depth - 1), Pair(depth - 1)] if depth else [str(depth), {"depth": depth}]
def walk(pair, depth):
    yield from (walk(pair.halves[0], depth - 1) if depth else iter(pair.halves))
print(len(list(walk(Pair(6), 6))), sorted("tracesnap", key=lambda c: str(ord(c)))[:3])
"""


def checks(tap):
    command = [sys.executable, "-s", "-B", "-c", SCRIPT]
    for allocator in "pymalloc", "malloc":
        environment = {"PYTHONHASHSEED": "0", "PYTHONMALLOC": allocator}
        real.check_program(tap, f"python3 {allocator}", command, repeatable=False, **NATIVE, env=environment)
    with real.Regions() as regions:
        bench = real.Bench(regions)
        command = [sys.executable, "-s", "-B", "-c", SMALL]
        plain = bench.run(command)
        tap.check("python3: every stack of its allocators, too", real.traced_and_verified, bench, command, plain)


real.main("python3", checks)
