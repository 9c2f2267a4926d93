#!/usr/bin/env python3
"""Memory that C code asks for without the interpreter's lock, from threads that run Python: it has the line that called the
C code, in the domain that was asked. Where mem is asked without the lock, which is a mistake, that does no harm; CPython itself
dies of it from 3.12 on.

    lock_test.py [VERSION]...    only these interpreters, for example 3.11.2
"""

import sys

from traced import Regions, Tap, drops, equal, pythons, run

# ctypes.CDLL gives the lock away around each call, PyDLL does not.
PROGRAM = """
import ctypes, sys, threading

def function(library, name):
    found = getattr(library(None), name)
    found.argtypes, found.restype = [ctypes.c_size_t], ctypes.c_void_p
    return found

kept, busy = [], True
def work(count):
    malloc, raw = function(ctypes.CDLL, "malloc"), function(ctypes.CDLL, "PyMem_RawMalloc")
    held, mistaken = function(ctypes.PyDLL, "PyMem_Malloc"), function(ctypes.CDLL, "PyMem_Malloc")
    for i in range(count):
        kept.append(malloc(7001))  # libc
        kept.append(raw(7103))  # raw
        kept.append(held(7207))  # mem
        if sys.version_info < (3, 12):
            mistaken(7309)

def turn():
    while busy:
        [str(i) for i in range(300, 400)]

others = [threading.Thread(target=turn) for _ in range(2)]
workers = [threading.Thread(target=work, args=(100,)) for _ in range(3)]
[thread.start() for thread in others + workers]
[thread.join() for thread in workers]
busy = False
[thread.join() for thread in others]
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
SIZES = {"libc": 7001, "raw": 7103, "mem": 7207}
COUNT = 300


def line_of(domain):
    return next(n for n, text in enumerate(PROGRAM.splitlines(), 1) if text.endswith(f"# {domain}"))


def check(python):
    with Regions() as regions:
        program = regions.scratch / "lock.py"
        program.write_text(PROGRAM)
        run([python.path, "-B", program], regions.traced(), -9)
        for domain, size in SIZES.items():
            document = regions.stats(regions.all()[0], "--domain", domain)
            rows = {row["line"]: (row["size"], row["count"]) for row in document["stats"] if row["file"] == str(program)}
            size_of, count = rows.get(line_of(domain), (0, 0))
            # The interpreter's own small blocks of the line are in the same row, and the list that grows there.
            if not (COUNT <= count <= COUNT + 20 and COUNT * size <= size_of <= COUNT * size + 16000):
                raise AssertionError(f"{domain}: {count} blocks of {size_of} bytes, expected {COUNT} of {size} each")
            equal("drops", drops(document), [])


def main():
    tap = Tap()
    for python in pythons():
        tap.check(f"{python}: C code without the lock is charged to the line that called it", check, python)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
