"""Runs one program at a time and says what it cost; makes medians and spreads of such costs."""

import os
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass

NOISE = 0.10  # (max - min) / median above which a figure is called noisy


class BenchError(Exception):
    """One line for the user: the cause, the subject in single quotes, the fix."""


@dataclass(frozen=True)
class Cost:
    """What one run took. Times in seconds, sizes in bytes."""

    wall: float
    cpu: float  # user and system
    peak: int = 0  # the largest resident set
    region: int = 0  # memory that the region's file occupied at the end


@dataclass(frozen=True)
class Figure:
    """The median of several rounds and how far they lay apart."""

    median: float
    low: float
    high: float
    values: tuple

    @classmethod
    def of(cls, values):
        values = tuple(values)
        return cls(statistics.median(values), min(values), max(values), values)

    @property
    def spread(self):
        return (self.high - self.low) / self.median if self.median else 0.0

    @property
    def noisy(self):
        return self.spread > NOISE

    def json(self):
        return {
            "median": self.median,
            "min": self.low,
            "max": self.high,
            "spread": round(self.spread, 4),
            "noisy": self.noisy,
            "values": list(self.values),
        }


def _must_be_zero(status, command):
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise BenchError(
            f"the program ended with status {code}, so its time means nothing: "
            f"'{' '.join(command)}'; run it by hand"
        )


def execute(command, environment, messages=None):
    """Runs a command, its path first, to its end; returns (pid, Cost). It must end with status 0.
    messages: a file for its stderr.

    The time is that of spawning, running and reaping. There is no peak: the kernel starts to count that
    with the address space that the child shares until its exec, and this script's is a large one.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    if messages:
        actions.append((os.POSIX_SPAWN_OPEN, 2, messages, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
    try:
        _, status, usage = os.wait4(pid, 0)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    wall = time.perf_counter() - begin
    _must_be_zero(status, command)
    return pid, Cost(wall, usage.ru_utime + usage.ru_stime)


def launch(launcher, command, environment, more, stdin=os.devnull):
    """The same with a peak, through the program of launch.c; more: variables for the command alone."""
    variables = [f"{name}={value}" for name, value in more.items()]
    with open(stdin, "rb") as file:
        done = subprocess.run(
            [launcher, *variables, "--", *command],
            env=environment,
            stdin=file,
            stdout=subprocess.PIPE,
            check=False,
        )
    if done.returncode != 0:
        raise BenchError(f"'launch' ended with status {done.returncode}; run it by hand")
    pid, status, wall, cpu, peak = map(int, done.stdout.split())
    _must_be_zero(status, command)
    return pid, Cost(wall / 1e9, cpu / 1e6, peak * 1024)


def in_turn(rounds, runs, progress):
    """Calls each of runs {name: function} once a round, one after the other; returns {name: [results]}.

    Taking turns makes a slow phase of the machine hit everybody. One round before the first is not
    counted: it fills the caches.
    """
    results = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            progress(f"round {number}/{rounds}: {name}")
            result = run()
            if number > 0:
                results[name].append(result)
    return results
