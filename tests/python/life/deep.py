"""Recursion deeper than what is kept of a stack."""
import os
import signal
import sys
import threading

kept = []


def down(depth):
    if depth:
        down(depth - 1)
    else:
        for _ in range(10):
            kept.append(bytes(101))  # 10 blocks of 134


sys.setrecursionlimit(20000)
threading.stack_size(256 << 20)
thread = threading.Thread(target=down, args=(5000,))
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGKILL)
