"""Code objects that die and whose addresses come again: the lines are those of the new ones."""
import os
import signal
import sys

kept = []
ROUNDS = int(sys.argv[1])
NAMES = ["one", "two", "three"]
for i in range(3 * ROUNDS):  # <one>:1, <two>:2, <three>:3 have so many blocks each
    name = NAMES[i % 3]
    space = {"kept": kept}
    exec(compile("\n" * (i % 3) + "kept.append(bytes(100 + %d))" % (i % 3), f"<{name}>", "exec"), space)
for i in range(6 * ROUNDS):
    eval("bytes(120)")
del space
os.kill(os.getpid(), signal.SIGKILL)
