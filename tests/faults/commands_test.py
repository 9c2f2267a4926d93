#!/usr/bin/env python3
import json
import subprocess

from fault import Regions, build, drops, equal, main

COMMANDS = ["clear", "reset-peak", "clear", "pause", "clear", "resume"]


def commands():
    """clear, pause, reset-peak while four threads allocate: in the end nothing is live."""
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
            answer = process.stdout.readline()
            equal("the total by tracesnap_get_traced_memory() is 0", answer, b"y\n")
            stats = regions.stats(process.pid, "--filter", "*commands.c*")
            document = json.loads(regions.tool("export", "--format", "json", process.pid))
            process.stdin.write(b"e")
        equal("status", process.returncode, 0)
    live = [row for row in stats["stats"] if row["size"] or row["count"]]
    equal("rows with something live", live, [])
    equal("drops", drops(stats), [])
    values = [max(moment["size"], moment["count"]) for moment in document["timeline"]]
    equal(f"impossible moments of {len(values)}", sum(value > 1 << 40 for value in values), 0)


main(commands)
