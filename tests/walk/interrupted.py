"""Builds interrupted.c with its allocator, runs it traced, and compares what it says of its blocks with what the
tracer recorded."""

import json
import os
import shlex
import subprocess

import walk

TIMES = 3000


def build(directory):
    directory.mkdir(parents=True, exist_ok=True)
    compiler = [*shlex.split(os.environ["CC"]), "-D_GNU_SOURCE", "-O2", "-fno-builtin"]
    library = str(directory / "libreentrant.so")
    walk.compile_with([*compiler, "-shared", "-fPIC", str(walk.HERE / "reentrant.c"), "-o", library])
    program = directory / "interrupted"
    walk.compile_with([*compiler, str(walk.HERE / "interrupted.c"), library, "-o", str(program)])
    return program


def _sum(document, through, field):
    """Of the contexts of blocks that a function asked for."""
    functions = [frame["function"] for frame in document["frames"]]
    stacks = (([functions[i] for i in context["frames"]], context) for context in document["contexts"])
    return sum(context[field] for stack, context in stacks if stack[:2] == ["take", through])


def check(program, options):
    """What the handler interrupts is recorded, every block of it; of the handler's own blocks no more than there are,
    on stacks that end where they should."""
    with walk.Regions() as regions:
        done = subprocess.run(
            [str(program), str(TIMES)],
            env=regions.traced(options),
            capture_output=True,
            timeout=walk.TIMEOUT,
            check=True,
        )
        document = json.loads(regions.tool("export", "--format", "json", regions.all()[0]))
    got, by_handler, _ = map(int, done.stderr.split())
    seen = _sum(document, "handler_work", "allocated_count")
    lost = document["drops"]["reentrant"]
    wrong = walk.drops(document, possible=["reentrant"])
    if by_handler == 0:
        wrong.append("no signal came")
    if _sum(document, "down", "allocated_count") != got - by_handler or _sum(document, "down", "count") != 0:
        wrong.append(f"of {got - by_handler} blocks and frees of what was interrupted not all are recorded")
    if seen + lost != by_handler:
        wrong.append(f"{seen} blocks of the handler seen and {lost} lost, but there were {by_handler}")
    if wrong:
        raise AssertionError("\n".join(wrong))
