"""Threads, and a process that is forked by one of them."""
import os
import signal
import threading

kept = []


def work():
    for _ in range(100):
        kept.append(bytes(101))  # 400 blocks of 134


def fork():
    kept.append(bytes(102))  # 1 blocks of 135
    child = os.fork()
    if child == 0:
        for _ in range(30):
            kept.append(bytes(103))  # child: 30 blocks of 136
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


for target in [work] * 4 + [fork]:
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
os.kill(os.getpid(), signal.SIGKILL)
