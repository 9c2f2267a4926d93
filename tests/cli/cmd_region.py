#!/usr/bin/env python3
"""Makes region files by hand (region/layout.h), so that the tool can be tested without the shim.

As a program: cmd_region.py DIRECTORY makes a region of this very process, prints its pid and waits for
the end of its standard input.
"""
import os
import struct
import subprocess
import sys
import time

HEADER_SIZE = 16384
SLAB_SIZE = 16384
SLABS_MAX = 65536
SLABS_OFFSET = HEADER_SIZE + 4 * SLABS_MAX
NODES, CONTEXTS, CELLMAP, CELLS, MODULES, STRINGS, SHARDS, TIMELINE, CODES, TABLES = range(1, 11)
NATIVE, MARK, PYTHON = 1, 3, 4
LIBC, RAW, MEM, OBJ = range(4)
TRACED, UNKNOWN_VERSION = 1, 2
LNOTAB, LINETABLE, LOCATIONS = 1, 2, 3
NOT_STARTED = 0xffffffff
MARK_CATCH_ALL = 3
CHUNK_CELLS = 64
EXITED = 1
HEADER_BYTES = 10368


def start_ticks(pid):
    with open("/proc/%d/stat" % pid) as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[19])


def key(kind, module, offset):
    return kind << 60 | module << 40 | offset


def python(code, instruction=NOT_STARTED):
    """A Python frame; without an instruction it is at the first line of its code."""
    return PYTHON << 60 | code << 32 | instruction


def text(string, size):
    return string.encode()[: size - 1].ljust(size, b"\0")


class Region:
    def __init__(self, pid=None, ticks=None, session="", cmdline="./example --size 3",
                 sample=0):
        self.pid = os.getpid() if pid is None else pid
        self.ticks = start_ticks(self.pid) if ticks is None else ticks
        self.session = session
        self.cmdline = cmdline
        self.sample = sample
        self.version = 1
        self.state = 0
        self.drops = {}
        self.gauges = {}
        self.nodes = [(0, 0), (key(MARK, 0, MARK_CATCH_ALL), 0)]
        self.contexts = [(0, LIBC), (1, LIBC)]
        self.values = {}
        self.modules = []
        self.codes = [None]
        self.python = 0
        self.python_version = 0
        self.interpreter = b""
        self.threads = [(self.pid, "main"), (self.pid + 1, "worker")]
        now = time.time_ns()
        self.start = now - 5 * 10**9
        self.end = 0
        self.timeline = [(10**9, 1000, 10, 4 << 20), (2 * 10**9, 5000, 30, 5 << 20)]

    def module(self, path, build_id=b""):
        self.modules.append((path, build_id))
        return len(self.modules) - 1

    def collector(self, time, enabled, generations, arena_bytes=0, known=1):
        """The interpreter's own state; generations: threshold, count, collections, collected, uncollectable."""
        numbers = [number for generation in generations for number in generation]
        self.interpreter = struct.pack("<QQII15q", time, arena_bytes, known, enabled, *numbers)

    def code(self, file, name, first_line, table=b"", kind=LOCATIONS):
        """A code object of Python: its number, for python()."""
        self.python = self.python or TRACED
        self.python_version = self.python_version or 0x030b02f0
        self.codes.append((file, name, first_line, table, kind))
        return len(self.codes) - 1

    def context(self, frames, allocated, freed=(0, 0), peak=(0, 0), temporary=0, domain=LIBC):
        """frames: (module, offset) or python(), outermost first; the pairs are (count, size)."""
        parent = 0
        for frame in frames:
            self.nodes.append((frame if isinstance(frame, int) else key(NATIVE, *frame), parent))
            parent = len(self.nodes) - 1
        self.contexts.append((parent, domain))
        self.values[len(self.contexts) - 1] = (*allocated, *freed, temporary, 1, *peak)

    def slabs(self):
        strings, modules, codes, tables = b"", b"", bytes(64), b""
        for path, build_id in self.modules:
            path = os.fsencode(path)
            modules += struct.pack("<QQII32sIII60x", 0x400000, 0x10000, 1, len(build_id), build_id,
                                   0, len(strings), len(path))
            strings += path
        for file, name, first_line, table, kind in self.codes[1:]:
            file, name = os.fsencode(file), os.fsencode(name)
            codes += struct.pack("<4IQ6I16x", 1, first_line, kind, len(table), len(tables), 0,
                                 len(strings), len(file), 0, len(strings) + len(file), len(name))
            strings += file + name
            tables += table
        yield NODES, b"".join(struct.pack("<QII", k, parent, 0) for k, parent in self.nodes)
        yield CONTEXTS, b"".join(struct.pack("<II", *context) for context in self.contexts)
        yield CELLMAP, struct.pack("<Q", 1 << 32)
        yield CELLS, b"".join(struct.pack("<8Q", *self.values.get(i, (0,) * 8))
                              for i in range(CHUNK_CELLS))
        yield MODULES, modules
        yield STRINGS, strings
        yield SHARDS, b"".join(struct.pack("<II16sI36x", tid, tid, text(name, 16), 1)
                               for tid, name in self.threads)
        yield TIMELINE, b"".join(struct.pack("<4Q", *moment) for moment in self.timeline)
        if len(self.codes) > 1:
            yield CODES, codes
            yield TABLES, tables

    def header(self, slab_count):
        words = struct.pack("<8IQIIQ", len(self.nodes), len(self.contexts), 1, len(self.modules),
                            len(self.threads), slab_count, len(self.codes), 0,
                            SLABS_OFFSET + slab_count * SLAB_SIZE, 0, len(self.timeline), 10**9)
        process = struct.pack("<4I3Q6I2Q", self.pid, 1, os.getuid(), 0, self.ticks, self.start,
                              self.end, self.state, 4096, 256, 1, 0, 0, self.sample, 0)
        with open("/proc/sys/kernel/random/boot_id") as boot:
            process += text(boot.read().strip(), 40)
        process += text(self.session, 40) + text("0.1.0", 24) + text("example-host", 72)
        process += text("/usr/bin/example", 4096) + text(self.cmdline, 4096) + text("", 1024)
        process += struct.pack("<II", self.python, self.python_version) + self.interpreter.ljust(176, b"\0")
        head = struct.pack("<8s6I", b"TSREGION", self.version, 0x01020304, HEADER_BYTES,
                           SLAB_SIZE, SLABS_MAX, 1)
        counters = [struct.pack("<32Q", *(given.get(i, 0) for i in range(32)))
                    for given in (self.drops, self.gauges)]
        head = head.ljust(64, b"\0") + struct.pack("<Q", 1)
        return head.ljust(128, b"\0") + words.ljust(64, b"\0") + b"".join(counters) + process

    def write(self, directory):
        slabs = list(self.slabs())
        path = os.path.join(directory, "%d-%d" % (self.pid, self.ticks))
        with open(path, "wb") as out:
            out.write(self.header(len(slabs)))
            out.seek(HEADER_SIZE)
            out.write(b"".join(struct.pack("<I", kind << 24) for kind, _ in slabs))
            for i, (_, data) in enumerate(slabs):
                out.seek(SLABS_OFFSET + i * SLAB_SIZE)
                out.write(data.ljust(SLAB_SIZE, b"\0"))
        os.chmod(path, 0o600)
        return path


SOURCE = """#include <stdlib.h>

void *table_new(void)
{
    return malloc(528000);
}

int main(void)
{
    return table_new() == NULL;
}
"""


def compile_program(directory):
    """A program with lines to name: its path and the addresses of its functions."""
    source = os.path.join(directory, "table.c")
    program = os.path.join(directory, "table")
    with open(source, "w") as out:
        out.write(SOURCE)
    subprocess.run([*os.environ.get("CC", "cc").split(), "-g", "-O0", "-Wl,--build-id=none", "-o",
                    program, source], check=True)
    lines = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
    symbols = {}
    for line in lines.splitlines():
        fields = line.split()
        if len(fields) == 3:
            symbols[fields[2]] = int(fields[0], 16)
    return program, symbols


def example(program="/nowhere/table", symbols=None, table_count=3, **arguments):
    """The same region each time, with one drop, two modules and three contexts."""
    region = Region(**arguments)
    symbols = symbols or {"main": 0x1100, "table_new": 0x1200}
    module = region.module(program)
    library = region.module("/nowhere/libexample.so", bytes(range(20)))
    region.drops = {9: 2}
    region.gauges = {1: 12}
    region.python, region.python_version = TRACED, 0x030b02f0
    region.collector(4 * 10**9, 1, [(700, 12, 9, 45, 0), (10, 3, 2, 6, 0), (10, 1, 1, 0, 0)], 12 << 20)
    main = (module, symbols["main"] + 4)
    table = (module, symbols["table_new"] + 4)
    region.context([main, table], (table_count, 528000 * table_count), (0, 0), (3, 1584000))
    region.context([main, (library, 0x2000)], (100, 6400), (90, 5760), (80, 5120), 40)
    region.context([main, table, (library, 0x2040)], (7, 7000), (7, 7000), (0, 0), 7)
    return region


def python_example(program="/nowhere/table", symbols=None, **arguments):
    """A Python program: one stack of both languages, whose blocks are of two domains, and a native one."""
    region = Region(**arguments)
    symbols = symbols or {"main": 0x1100, "table_new": 0x1200}
    module = region.module(program)
    outer = python(region.code("/home/ann/app.py", "<module>", 30))
    inner = python(region.code("/home/ann/table.py", "Table.load", 12))
    native = [(module, symbols["main"] + 4), (module, symbols["table_new"] + 4)]
    stack = [native[0], outer, inner, native[1]]
    region.context(stack, (2, 2000), (0, 0), (2, 2000), domain=OBJ)
    region.context(stack, (1, 9000), (0, 0), (1, 9000), domain=MEM)
    region.context(native, (5, 500), (1, 100), (4, 400), domain=LIBC)
    return region


if __name__ == "__main__":
    path = example().write(sys.argv[1])
    print(os.getpid(), flush=True)
    sys.stdin.read()
    os.unlink(path)
