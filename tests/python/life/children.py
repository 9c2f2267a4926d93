"""A child by multiprocessing, started in the way that the command names."""
import multiprocessing
import os
import signal
import sys

kept = []


def child():
    for _ in range(40):
        kept.append(bytes(101))  # child: 40 blocks of 134
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    process = multiprocessing.get_context(sys.argv[1]).Process(target=child)
    process.start()
    process.join()
    if process.exitcode != -signal.SIGKILL:
        sys.exit(f"children.py: the child ended with {process.exitcode}")
    os._exit(0)
