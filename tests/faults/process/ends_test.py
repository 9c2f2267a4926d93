#!/usr/bin/env python3
import subprocess

from process import Regions, equal, main, program, run, blocks, drops


def ends():
    """Stack overflow, abort, quick_exit, the end of the first thread: what was held can be read."""
    wanted = {
        "overflow-exit": (7, 15, "ended"),
        "overflow-jump": (0, 17, "exited"),
        "overflow-raise": (-11, 15, "ended"),
        "abort": (-6, 15, "ended"),
        "quick": (9, 10, "ended"),
        "thread": (8, 13, "exited"),
    }
    for how, (status, count, state) in wanted.items():
        with Regions() as regions:
            run([program("ends.c", "-pthread"), how], regions.traced(), status)
            equal(f"regions of {how}", len(regions.all()), 1)
            stats = regions.stats(regions.all()[0])
            equal(f"drops of {how}", drops(stats, (), ("depth_cut",)), [])
            equal(how, (*blocks(stats), stats["process"]["state"]), (count, count, state))


def first_thread():
    """A process whose first thread has ended is seen to run."""
    with Regions() as regions:
        command = [program("ends.c", "-pthread"), "thread-wait"]
        with subprocess.Popen(
            command, env=regions.traced(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            pid = int(process.stdout.readline())
            stats = regions.stats(pid)
            process.stdin.close()
        equal("status", process.returncode, 8)
        equal("state", (*blocks(stats), stats["process"]["state"]), (13, 13, "running"))


if __name__ == "__main__":
    main(ends, first_thread)
