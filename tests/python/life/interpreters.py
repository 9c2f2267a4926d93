"""Sub-interpreters, with the main interpreter's lock and, from 3.12 on, with their own."""
import os
import signal
import sys
import threading

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

CODE = """
def block():
    return bytes(101)
kept = [block() for _ in range(20)]
import sys
sys.kept_of_this_one = kept
"""
EXEC = getattr(interpreters, "exec", None) or interpreters.run_string


def make(isolated):
    if sys.version_info >= (3, 13):
        return interpreters.create("isolated" if isolated else "legacy")
    return interpreters.create(isolated=isolated) if sys.version_info >= (3, 12) else interpreters.create()


kept = [bytes(102) for _ in range(10)]  # 10 blocks of 135
made = [make(False), make(True)]
for one in made:
    EXEC(one, CODE)
threads = [threading.Thread(target=EXEC, args=(one, "more = [bytes(103) for _ in range(25)]")) for one in made]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
os.kill(os.getpid(), signal.SIGKILL)
