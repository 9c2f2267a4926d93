#!/usr/bin/env python3
import pathlib
import re
import resource
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import build, equal, main, traced  # noqa: E402

ROUNDS = 100
NO_TABLES = ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables")


def stack_of(function, *arguments, options="", lost=0):
    """The functions of the one stack under which `function` allocated, outward; its counts are exact."""
    program = build("code/shapes.c", "-ldl", output="shapes")
    dropped = ["no_unwind"] if lost else []
    show = ("--group-by", "stack", "--sort", "allocated")
    _, stats = traced(program, *arguments, options=options, must_drop=dropped, show=show)
    equal("stacks without an end", stats["drops"]["no_unwind"], lost)
    rows = [row for row in stats["stats"] if row["frames"][0]["function"] == function]
    counts = [(row["allocated_count"], row["allocated_size"], row["count"]) for row in rows]
    equal("counts", counts, [(ROUNDS, 24 * ROUNDS, 0)])
    return [frame["function"] for frame in rows[0]["frames"]], stats["shim"]


def plain_library(name, *flags):
    return build("code/plain.c", "-shared", "-fPIC", *NO_TABLES, *flags, output=name)


def framed():
    """Code without tables that keeps frame pointers: the stack goes on through it, and that is counted."""
    library = plain_library("plain_framed.so", "-fno-omit-frame-pointer")
    functions, shim = stack_of("plain_inner", "plain", library)
    equal("the stack", functions[:4], ["plain_inner", "plain_outer", "plain", "main"])
    if shim["guessed"] == 0:
        raise AssertionError("no frame was guessed")


def bare():
    """Code without tables and frame pointers: counted where it is; the stack ends there, and that is counted."""
    library = plain_library("plain_bare.so", "-fomit-frame-pointer")
    functions, _ = stack_of("plain_inner", "plain", library, lost=ROUNDS)
    equal("the innermost frame", functions[0], "plain_inner")


def overwritten(library, filling):
    """A copy of the library with other bytes for its unwind tables."""
    data = bytearray(library.read_bytes())
    listing = subprocess.run(["readelf", "-SW", str(library)], capture_output=True, check=True).stdout.decode()
    sections = re.findall(r"\] (\.eh_frame\S*) +\S+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) ", listing)
    equal("sections of unwind tables", sorted(name for name, _, _ in sections), [".eh_frame", ".eh_frame_hdr"])
    for _, offset, size in sections:
        at, end = int(offset, 16), int(offset, 16) + int(size, 16)
        data[at:end] = bytes([filling]) * (end - at)
    copy = library.with_name(f"plain_{filling}.so")
    copy.write_bytes(data)
    return copy


def stripped():
    """Libraries without the search table, and with something else for tables: counted where it is."""
    whole = build("code/plain.c", "-shared", "-fPIC", output="plain_tables.so")
    headless = build("code/plain.c", "-shared", "-fPIC", "-Wl,--no-eh-frame-hdr", output="plain_headless.so")
    for library in (headless, overwritten(whole, 0), overwritten(whole, 0xFF), overwritten(whole, 1)):
        functions, _ = stack_of("plain_inner", "plain", library, lost=ROUNDS)
        equal(f"the innermost frame in {library.name}", functions[0], "plain_inner")


def generated():
    """Generated code that keeps a frame pointer: the stack goes on through it."""
    functions, _ = stack_of("work", "generated")
    equal("the stack", (functions[0], functions[2:4]), ("work", ["generated", "main"]))


def large():
    """Frames of megabytes, and of more than 64 MiB, by alloca and by declaration: the stack is whole."""
    before = resource.getrlimit(resource.RLIMIT_STACK)
    try:
        resource.setrlimit(resource.RLIMIT_STACK, (before[1], before[1]))
        room = before[1] if before[1] != resource.RLIM_INFINITY else 1 << 40
        for mebibytes in (2, 7, 100):
            if room > (mebibytes + 1) << 20:
                functions, _ = stack_of("work", "dynamic", mebibytes)
                equal("the stack", functions[:3], ["work", "dynamic", "main"])
        if room > 82 << 20:
            functions, _ = stack_of("work", "fixed")
            equal("the stack", functions[:3], ["work", "fixed", "main"])
            functions, _ = stack_of("work", "fixed", options="libunwind=0", lost=ROUNDS)
            equal("the stack without libunwind", functions[:2], ["work", "fixed"])
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, before)


if __name__ == "__main__":
    main(framed, bare, stripped, generated, large)
