"""tracemalloc that is started and stopped while the program runs."""
import os
import signal
import tracemalloc

kept = []


def block():
    return bytes(100)  # 60 blocks of 133


for _ in range(3):
    kept += [block() for _ in range(10)]
    tracemalloc.start(5)
    kept += [block() for _ in range(10)]
    tracemalloc.stop()
os.kill(os.getpid(), signal.SIGKILL)
