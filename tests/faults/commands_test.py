#!/usr/bin/env python3
import json
import subprocess

from fault import Regions, build, drops, equal, main

COMMANDS = ["clear", "reset-peak", "clear", "pause", "clear", "resume"]


def commands():
    """clear, pause and reset-peak while four threads allocate: in the end nothing is live, exactly."""
    program = build("commands.c", "-pthread")
    with Regions() as regions:
        with subprocess.Popen(
            [str(program)], env=regions.traced(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            equal("the beginning", process.stdout.readline(), b"go\n")
            for i in range(120):
                regions.tool(COMMANDS[i % len(COMMANDS)], process.pid)
            process.stdin.write(b"s")
            process.stdin.flush()
            equal("the total by tracesnap_get_traced_memory() is 0", process.stdout.readline(), b"y\n")
            stats = regions.stats(process.pid, "--filter", "*commands.c*")
            moments = json.loads(regions.tool("export", "--format", "json", process.pid))["timeline"]
            process.stdin.write(b"e")
        equal("status", process.returncode, 0)
    equal("rows with something live", [row for row in stats["stats"] if row["size"] or row["count"]], [])
    equal("drops", drops(stats), [])
    values = [(moment["size"], moment["count"]) for moment in moments]
    equal("impossible moments of %d" % len(values), sum(max(value) > 1 << 40 for value in values), 0)


main(commands)
