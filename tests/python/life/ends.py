"""Ends of an interpreter: ends.py WAY [kill]. The lines say what each way has allocated; kill: is killed as soon as it has."""
import atexit
import os
import signal
import sys
import threading
import time

way = sys.argv[1]
dies = sys.argv[2:] == ["kill"]
kept = []


def end(dies=dies, kill=os.kill, pid=os.getpid(), number=signal.SIGKILL):
    """Needs no global name, which is gone when the interpreter ends."""
    if dies:
        kill(pid, number)


def exits():
    kept.extend([bytes(101) for _ in range(40)])  # atexit: 40 blocks of 134
    end()


class Deleted:
    """The module's dictionary is cleared before its objects are."""

    def __del__(self, end=end, range=range, bytes=bytes):
        more = [bytes(102) for _ in range(30)]  # del: 30 blocks of 135
        self.more = Again(more)  # a cycle and what it holds die later still
        self.more.me = self.more
        end()


class Again:
    def __init__(self, more):
        self.more = more


def daemon():
    while True:
        block = bytes(103)
        block = [bytes(n) for n in range(1000)]
        del block


def waits():
    time.sleep(0.1)
    kept.extend([bytes(104) for _ in range(25)])  # late: 25 blocks of 137
    end()


def leaves():
    kept.extend([bytes(105) for _ in range(20)])  # leave: 20 blocks of 138
    end()
    os._exit(7)


def raises():
    kept.extend([bytes(106) for _ in range(15)])  # raise: 15 blocks of 139
    sys.exit(9)  # ends this thread only


if way == "atexit":
    atexit.register(exits)
elif way == "del":
    deleted = Deleted()
elif way == "daemon":
    threads = [threading.Thread(target=daemon, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    atexit.register(exits)
elif way == "late":
    threading.Thread(target=waits).start()
elif way == "leave":
    threading.Thread(target=leaves).start()
    time.sleep(60)
elif way == "raise":
    thread = threading.Thread(target=raises)
    thread.start()
    thread.join()
    end()
