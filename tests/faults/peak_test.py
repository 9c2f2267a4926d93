#!/usr/bin/env python3
import subprocess

from fault import Regions, build, equal, main, run, traced


def inside():
    """The peak of random allocations: exact below 1 MiB, within 1/4096 above, also when reset."""
    traced(build("peak.c"))


def outside():
    """reset-peak from outside: smaller peaks after it are seen as well."""
    with Regions() as regions:
        command = [str(build("peak.c")), "outside"]
        with subprocess.Popen(
            command, env=regions.traced(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            for _ in range(10):
                process.stdin.write(b"go\n")
                process.stdin.flush()
                height = int(process.stdout.readline())
                peak = regions.stats(process.pid)["totals"]["peak_size"]
                if not height >= peak >= height - (height // 4096 + 1 if height >= 1 << 20 else 0):
                    raise AssertionError(f"the peak is {peak}, expected {height}")
                regions.tool("reset-peak", process.pid)
            process.stdin.close()
            equal("status", process.wait(), 0)


main(inside, outside)
