#!/usr/bin/env python3
"""Processes in pid and mount namespaces of their own, read from outside: by the pid that they have there."""

import contextlib
import os
import pathlib
import signal
import subprocess

from limits import Regions, Skip, Tap, build, compare, equal, stats

TAP = Tap()


def child_of(pid):
    """The one child of a process, as soon as there is one."""
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    while True:
        children = path.read_text().split()
        if children:
            return int(children[0])


@contextlib.contextmanager
def container(regions, setup, **environment):
    """(pid as seen from here, the program's own count). setup: what a shell does inside before."""
    variables = {**regions.traced(), **environment}
    preload = variables.pop("LD_PRELOAD")
    command = ["unshare", "-pmf", "--mount-proc", "sh", "-c", f'{setup}LD_PRELOAD={preload} exec "$0"',
               str(build("limits/resident.c"))]
    variables = {name: value for name, value in variables.items() if value is not None}
    with subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        try:
            line = process.stdout.readline().split()
            if len(line) != 5:
                raise AssertionError("the program did not run")
            keys = ("allocated_count", "allocated_size", "count", "size")
            yield child_of(process.pid), dict(zip(keys, map(int, line[1:])))
        finally:
            process.stdin.close()


def need_namespaces():
    done = subprocess.run(["unshare", "-pmf", "--mount-proc", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        raise Skip("namespaces of its own are not allowed here")


def private():
    """A container with a /dev/shm of its own: stats and snap by the pid outside"""
    need_namespaces()
    with Regions() as regions:
        setup = "mount -t tmpfs -o mode=1777 none /dev/shm && "
        with container(regions, setup, TRACESNAP_DIR=None) as (pid, own):
            compare("the container's process", own, stats(regions, pid))
            snapshot = regions.scratch / "saved.tsnap"
            regions.tool("snap", pid, "-o", snapshot)
            compare("its snapshot", own, stats(regions, snapshot))
        equal("regions outside", regions.all(), [])


def shared():
    """Two containers, whose processes have the same pid inside, in one region directory: each is itself"""
    need_namespaces()
    with Regions() as regions:
        with container(regions, "") as (first, own), container(regions, "ulimit -c 0; ") as (second, other):
            equal("pids inside", {int(path.name.split("-")[0]) for path in regions.all()}, {1})
            equal("regions", len(regions.all()), 2)
            compare("the first", own, stats(regions, first))
            compare("the second", other, stats(regions, second))
            reports = [regions.stats(path, "--group-by", "object") for path in regions.all()]
            equal("states by the files' names", [report["process"]["state"] for report in reports], ["running"] * 2)
            os.kill(first, signal.SIGKILL)
            compare("the second, after the first was killed", other, stats(regions, second))
        for path in regions.all():
            compare("one that is gone, by its file", own, stats(regions, path))


for check in private, shared:
    TAP.check(check.__doc__, check)
raise SystemExit(TAP.done())
