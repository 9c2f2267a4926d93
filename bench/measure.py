"""Runs one program at a time and says what it cost; makes medians and spreads of such costs."""

import os
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass

NOISE = 0.10  # (max - min) / median above which a figure is called noisy
PATIENCE = 60  # seconds, for a server to answer and to stop


class BenchError(Exception):
    """One line for the user: the cause, the subject in single quotes, the fix."""


@dataclass(frozen=True)
class Cost:
    """What one run took. Times in seconds, sizes in bytes."""

    wall: float
    cpu: float  # user and system
    peak: int = 0  # the largest resident set
    region: int = 0  # memory that the region's file occupied at the end
    private: int = 0  # the largest anonymous memory, if somebody watched
    shared: int = 0  # the largest resident part of files in memory, if somebody watched


@dataclass(frozen=True)
class Load:
    """What makes a server work. Commands, their path first."""

    ready: list  # ends with status 0 once the server answers
    work: list  # its time is what counts
    stop: list


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


def _serve(server, load):
    """Puts a server that was just started under load, stops it; returns the seconds of the load."""
    deadline = time.monotonic() + PATIENCE
    null = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    while subprocess.run(load.ready, check=False, **null).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"the server did not answer: '{' '.join(load.ready)}'; run it by hand")
        time.sleep(0.01)
    begin = time.perf_counter()
    status = subprocess.run(load.work, check=False, **null).returncode
    wall = time.perf_counter() - begin
    subprocess.run(load.stop, check=False, **null)
    if status != 0:
        raise BenchError(f"the load ended with status {status}: '{' '.join(load.work)}'; run it by hand")
    return wall


def launch(
    launcher, command, environment, more, stdin=os.devnull, output=os.devnull, load=None, watch=False
):
    """The same with a peak, through the program of launch.c. more: variables for the command alone; load:
    what a server is for, whose time is then the load's; watch: look up what the kernel keeps no peak of."""
    options = ["--watch", output] if watch else [output]
    options += [f"{name}={value}" for name, value in more.items()]
    with open(stdin, "rb") as file:
        launched = subprocess.Popen(
            [launcher, *options, "--", *command],
            env=environment,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    try:
        served = _serve(launched, load) if load else None
        printed, said = launched.communicate(timeout=PATIENCE if load else None)
    except subprocess.TimeoutExpired as error:
        os.killpg(launched.pid, signal.SIGKILL)
        launched.communicate()
        raise BenchError(f"the server did not stop: '{' '.join(load.stop)}'; run it by hand") from error
    except BaseException:
        os.killpg(launched.pid, signal.SIGKILL)  # some tracers are several processes
        launched.communicate()
        raise
    if launched.returncode != 0:
        raise BenchError(f"'launch' ended with status {launched.returncode}: {said.strip()}; run it by hand")
    pid, status, wall, cpu, peak, private, shared = map(int, printed.split())
    _must_be_zero(status, command)
    seconds = wall / 1e9 if served is None else served
    return pid, Cost(seconds, cpu / 1e6, peak * 1024, private=private * 1024, shared=shared * 1024)


def in_turn(rounds, runs, progress, warm_up=True, most=None):
    """Calls each of runs {name: function} once a round, one after the other; returns {name: [results]}.

    Taking turns makes a slow phase of the machine hit everybody. One round before the first is not
    counted: it fills the caches. Without warm_up somebody did that before. most: {name: rounds} of those that
    take no part in more.
    """
    results = {name: [] for name in runs}
    for number in range(0 if warm_up else 1, rounds + 1):
        for name, run in runs.items():
            if most and number > most.get(name, rounds):
                continue
            progress(f"round {number}/{rounds}: {name}")
            result = run()
            if number > 0:
                results[name].append(result)
    return results
