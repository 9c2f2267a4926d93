"""Blocks of known sizes, in every way in which an interpreter can be started."""
import os
import signal


def small():
    return bytes(100)  # 50 blocks of 133


def large():
    return bytes(100000)  # 5 blocks of 100033


def ended():
    return bytes(200)  # 0 blocks of 233


kept = [small() for _ in range(50)] + [large() for _ in range(5)]
for _ in range(1000):
    ended()
os.kill(os.getpid(), signal.SIGKILL)
