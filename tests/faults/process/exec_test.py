#!/usr/bin/env python3
"""exec of what cannot be traced: nothing is said to the program, and the region of the one before says `replaced`."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess

from process import SHIM, TOOL, Regions, blocks, equal, main, only_root, program

from fault import Skip, build

NOBODY = 65534


@contextlib.contextmanager
def after_exec(regions, sleeper, user=None):
    """life.c has become the sleeper, which waits."""
    environment = regions.environment(LD_PRELOAD=str(shim(regions)))
    command = [reachable(regions, program("life.c", "-pthread")), *f"alloc 10 free 3 exec {sleeper}".split()]
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    ) as process:
        first = process.stdout.readline()
        if first != b"up\n":
            raise AssertionError(f"the program says {first}, {process.stderr.read()}")
        yield process
        process.stdin.close()
        equal("stderr", process.stderr.read(), b"")
    equal("status", process.returncode, 0)


def reachable(regions, path):
    """A copy that every user can run."""
    directory = pathlib.Path(regions.temporary.name)
    directory.chmod(0o755)
    copy = directory / path.name
    shutil.copyfile(path, copy)
    copy.chmod(0o755)
    return copy


def shim(regions):
    return reachable(regions, pathlib.Path(SHIM))


def is_as_it_was(regions, pid, reader=None):
    """What the tool says of the process, called by `reader`."""
    command = [reachable(regions, pathlib.Path(TOOL)), "stats", "--json", "--top", "0", str(pid)]
    done = subprocess.run(
        command, env=regions.environment(), capture_output=True, timeout=100, check=True, user=reader, group=reader
    )
    stats = json.loads(done.stdout)
    equal("the region of the program before", (*blocks(stats), stats["process"]["state"]), (10, 7, "replaced"))
    equal("regions", len(regions.all()), 1)
    listed = json.loads(regions.tool("ps", "--json"))["processes"]
    equal("traced processes", listed, [])


def static_program():
    """A static program: not traced, and the region of the program before it tells."""
    sleeper = build("process/sleeper.c", "-static", output="sleeper-static")
    with Regions() as regions, after_exec(regions, sleeper) as process:
        is_as_it_was(regions, process.pid)


def setuid_program():
    """A setuid program of root's, run by a user: not traced, and nothing on its stderr."""
    only_root()
    with Regions() as regions:
        if os.statvfs(regions.path).f_flag & os.ST_NOSUID:
            raise Skip(f"'{regions.path}' is on a file system without setuid")
        sleeper = reachable(regions, build("process/sleeper.c"))
        sleeper.chmod(0o4755)
        os.chown(regions.path, NOBODY, NOBODY)
        with after_exec(regions, sleeper, user=NOBODY) as process:
            is_as_it_was(regions, process.pid)
            is_as_it_was(regions, process.pid, reader=NOBODY)


def cleared_environment():
    """A program whose environment was cleared: not traced, and the region tells."""
    with Regions() as regions, after_exec(regions, f"/usr/bin/env -i {build('process/sleeper.c')}") as process:
        pids = {path.name.split("-")[0] for path in regions.all()}
        equal("processes", pids, {str(process.pid)})
        states = [regions.stats(path)["process"]["state"] for path in regions.of(process.pid)]
        equal("life.c's region and env's", states, ["replaced", "replaced"])


if __name__ == "__main__":
    main(static_program, setuid_program, cleared_environment)
