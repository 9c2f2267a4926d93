"""The examples of docs/python-memory.md, plain programs run traced: their lines hold what the page says they hold.

Sizes are exact where CPython promises them; else they lie between what sys.getsizeof says and that rounded up to
8 bytes for each object. The page's own figures are what page_test.py compares.
"""

import ast
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

# pylint: disable=wrong-import-position
from interpreters import interpreters  # noqa: E402
from tap import Skip, Tap  # noqa: E402
from tracesnap import SHIM, TIMEOUT, Regions, drops  # noqa: E402

EXAMPLES = HERE / "examples"
DEBIANS = "/usr/bin/python3.11"
FREE_LIST = 100  # no free list of CPython keeps more objects of one kind, but for tuples
NONE = {"size": 0, "count": 0, "size_diff": 0, "count_diff": 0, "allocated_count": 0, "temporary_count": 0}


def line_of(name, text):
    """The number of the one line of an example that has this text."""
    lines = (EXAMPLES / f"{name}.py").read_text(encoding="ascii").splitlines()
    (number,) = [i for i, line in enumerate(lines, 1) if text in line]
    return number


def within(what, value, low, high):
    if not low <= value <= high:
        raise AssertionError(f"{what} is {value}, expected {low} to {high}")


def equal(what, value, expected):
    within(what, value, expected, expected)


class Example:
    """One example, run to its end by one interpreter in a directory of its own."""

    def __init__(self, python, name):
        self.python, self.name = python, name

    def __enter__(self):
        self.regions = Regions().__enter__()
        self.directory = self.regions.scratch
        for path in EXAMPLES.glob("*.py"):
            shutil.copy(path, self.directory)
        return self

    def __exit__(self, *unused):
        self.regions.__exit__(*unused)

    def run(self, options=""):
        command = [self.python, "-B", f"{self.name}.py"]
        done = subprocess.run(
            command, env=self.regions.traced(options), cwd=self.directory, capture_output=True, timeout=TIMEOUT,
            check=False,
        )
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}, {done.stderr.decode(errors='replace')}")
        return done.stdout.decode().splitlines()

    def ask(self, expression):
        """What the interpreter itself, untraced, says of something."""
        program = f"import sys; from sys import getsizeof; print(repr({expression}))"
        command = [self.python, "-I", "-c", program]
        done = subprocess.run(command, env=self.regions.environment(), capture_output=True, timeout=TIMEOUT, check=True)
        return ast.literal_eval(done.stdout.decode())

    def report(self, command, *arguments):
        words = [str(self.directory / word) if word.endswith(".tsnap") else word for word in arguments]
        return json.loads(self.regions.tool(command, "--json", "--top", "0", *words))

    def rows(self, snapshot, *options, file=None):
        """{line: row} of the example's own file."""
        file = str(self.directory / (file or f"{self.name}.py"))
        document = self.report("stats", *options, "--filter", file, snapshot)
        wrong = drops(document)
        if wrong:
            raise AssertionError("\n".join(wrong))
        return {row["line"]: row for row in document["stats"]}

    def line(self, snapshot, text, *options):
        return self.rows(snapshot, *options).get(line_of(self.name, text), NONE)

    def diff(self, old, new, *options):
        """The rows that differ."""
        rows = self.report("diff", *options, old, new)["stats"]
        return [row for row in rows if row["size_diff"] or row["count_diff"]]


def squares(example):
    """A list holds all its elements, a generator one"""
    example.run()
    text = "[n * n for n"
    held = example.line("list.tsnap", text)
    sizes = example.ask("[getsizeof(n * n) for n in range(100_000) if n * n > 256]")
    elements = example.ask("getsizeof([n for n in range(100_000)]) - getsizeof([])")
    header = example.ask("getsizeof([])")
    within("count of the list", held["count"], len(sizes) + 1, len(sizes) + 2)
    rounded = sum(-(-size // 8) * 8 for size in sizes)
    within("size of the list", held["size"], sum(sizes) + elements, rounded + elements + header)
    equal("count of the list, once it is gone", example.line("generator.tsnap", text)["count"], 0)
    generator = example.line("generator.tsnap", "(n * n for n")
    within("count of the generator", generator["count"], 1, 4)
    within("size of the generator", generator["size"], 1, 1000)
    done = example.line("end.tsnap", "(n * n for n")
    within("numbers that the generator made", done["allocated_count"], len(sizes), 2 * 100_000 + 10)
    within("of which live", done["size"], 0, 1000)


def slots(example):
    """Without __slots__ an object takes more"""
    example.run()
    listed = example.ask("getsizeof([n for n in range(100_000)])")
    slotted = example.line("slots.tsnap", "slotted = [")
    size = example.ask("getsizeof(type('Slotted', (), {'__slots__': ('x', 'y')})())")
    within("blocks with __slots__", slotted["count"], 100_000, 100_010)
    within("bytes with __slots__", slotted["size"], 100_000 * size, 100_000 * size + listed + 1000)
    lines = range(line_of("slots", "class Point:"), line_of("slots", "class SlottedPoint:"))
    held = example.rows("slots.tsnap")
    rows = [row for line, row in held.items() if line in lines or line == line_of("slots", "points = [")]
    within("bytes without", sum(row["size"] for row in rows), 1.5 * slotted["size"], 10 * slotted["size"])
    within("blocks without", sum(row["count"] for row in rows), 100_000, 300_010)


def copies(example):
    """A shallow copy shares its blocks, a deep one has its own"""
    example.run()
    table = example.line("table.tsnap", "table = [")
    within("lists and their elements", table["count"], 20_000 - FREE_LIST, 20_002)
    rows = example.diff("table.tsnap", "shallow.tsnap")
    copied = [row for row in rows if (row["file"] or "").endswith("/copy.py") and row["size_diff"] >= 80_000]
    equal("lines with a shallow copy", len(copied), 1)
    within("its bytes", copied[0]["size_diff"], 80_000, 80_200)
    within("its blocks", copied[0]["count_diff"], 1, 2)
    others = [row for row in rows if row is not copied[0]]  # the interpreter's caches may let go of a name
    within("bytes of others", sum(abs(row["size_diff"]) for row in others), 0, 1000)
    within("blocks of others", sum(abs(row["count_diff"]) for row in others), 0, 10)
    rows = example.diff("shallow.tsnap", "deep.tsnap")
    places = {pathlib.PurePath(row["file"]).name for row in rows if row["count_diff"] > 100}
    if places != {"copy.py"}:
        raise AssertionError(f"the deep copy is charged to {places}")
    within("blocks of the deep copy", sum(row["count_diff"] for row in rows), 20_000 - FREE_LIST, 20_100)
    rows = example.diff("shallow.tsnap", "deep.tsnap", "--all-frames", "--cumulative", "--filter",
                        str(example.directory / "copies.py") + f":{line_of('copies', 'deepcopy(')}")
    mine = [row for row in rows if row["line"] == line_of("copies", "deepcopy(") and row["file"].endswith("copies.py")]
    within("of which under the line that called it", mine[0]["count_diff"], 20_000 - FREE_LIST, 20_100)


def containers(example):
    """A list, a set and a deque of the same numbers"""
    example.run()
    many = "range(1000, 101_000)"
    numbers = example.ask(f"[getsizeof(n) for n in {many}]")
    listed = example.line("containers.tsnap", "in_list =")
    within("count of list and numbers", listed["count"], 100_001, 100_002)
    size = example.ask(f"getsizeof(list({many}))")
    within("their size", listed["size"], sum(numbers) + size - 100, sum(-(-n // 8) * 8 for n in numbers) + size)
    put = example.line("containers.tsnap", "in_set =")
    within("blocks of the set", put["count"], 1, 2)
    size = example.ask(f"getsizeof(set(list({many})))")
    within("size of the set", put["size"], size - 300, size)
    queue = example.line("containers.tsnap", "in_deque =")
    within("blocks of the deque", queue["count"], 100_000 // 64, 100_000 // 64 + 4)
    size = example.ask(f"getsizeof(__import__('collections').deque({many}))")
    within("size of the deque", queue["size"], size - 1000, size + 1000)


def integers(example):
    """Numbers as objects, in an array and in numpy's"""
    if subprocess.run([example.python, "-I", "-c", "import numpy"], capture_output=True, check=False).returncode != 0:
        raise Skip("this interpreter has no numpy")
    example.run()
    listed = example.line("integers.tsnap", "in_list =")
    within("count of the list", listed["count"], 100_001, 100_002)
    within("its size", listed["size"], 100_000 * (28 + 8), 100_000 * (32 + 8) + 1000)
    packed = example.line("integers.tsnap", "in_array =")
    within("count of the array", packed["count"], 1, 2)
    within("its size", packed["size"], 800_000, 900_000)
    numpy = example.line("integers.tsnap", "in_numpy =")
    within("count of numpy's", numpy["count"], 1, 2)
    within("its size", numpy["size"], 800_000, 800_300)
    data = example.line("integers.tsnap", "in_numpy =", "--domain", "libc")
    equal("of which from malloc", data["size"], 800_000)


def cache(example):
    """lru_cache keeps every result, or the latest hundred"""
    example.run()
    lines = (EXAMPLES / "cache.py").read_text(encoding="ascii").splitlines()
    first, second = [i for i, line in enumerate(lines, 1) if "return f" in line]
    rows = example.rows("cache.tsnap", "--sort", "allocated")
    equal("results kept without a bound", rows[first]["count"], 10_000)
    equal("results kept with one", rows[second]["count"], 100)
    equal("of as many that were made", rows[second]["allocated_count"], rows[first]["allocated_count"])
    equal("bytes of one", rows[second]["size"] * 100, rows[first]["size"])


def cycle(example):
    """A cycle grows while gc is disabled, and is gone after gc.collect()"""
    example.run()
    file = str(example.directory / "cycle.py")
    grown = {row["line"]: row for row in example.diff("start.tsnap", "grown.tsnap", "--filter", file)}
    gone = {row["line"]: row for row in example.diff("grown.tsnap", "collected.tsnap", "--filter", file)}
    for text in "left = Node()", "right = Node()":
        line = line_of("cycle", text)
        each = grown[line]["count_diff"] // 10_000
        within(f"blocks for each '{text}'", each, 1, 2)
        equal("what grew", grown[line]["count_diff"], each * 10_000)
        equal("what is left of it", gone[line]["count"], 0)
        equal("what is gone", gone[line]["count_diff"], -each * 10_001)
    before, after = (example.report("stats", snapshot)["interpreter"]["gc"] for snapshot in
                     ("grown.tsnap", "collected.tsnap"))
    if before["enabled"] or after["enabled"]:
        raise AssertionError(f"the collector was off: {before}, {after}")
    oldest, oldest_after = before["generations"][2], after["generations"][2]
    equal("full collections", oldest_after["collections"] - oldest["collections"], 1)
    found = oldest_after["collected"] - oldest["collected"]
    within("objects that it found", found, 2 * 10_001, 4 * 10_001 + 100)


def pool(example):
    """From a pool, fewer blocks are allocated and temporary"""
    example.run()
    rows = example.rows("pool.tsnap", "--sort", "allocated")
    first, second, last = (line_of("pool", text) for text in ("def fresh", "def pooled", "fresh(10_000)"))

    def total(lines, figure):
        return sum(row[figure] for line, row in rows.items() if line in lines)

    fresh, pooled = range(first + 1, second), range(second + 1, last)
    within("blocks of fresh buffers", total(fresh, "allocated_count"), 20_000, 20_010)
    within("of which temporary", total(fresh, "temporary_count"), 9_990, 10_010)
    within("their bytes", total(fresh, "allocated_size"), 10_000 * 4096, 10_000 * 4300)
    within("blocks of the pool", total(pooled, "allocated_count"), 8, 30)
    within("of which temporary", total(pooled, "temporary_count"), 0, 8)


def service(example):
    """What is kept too long grows with the requests, seen from outside"""
    for name in "requests", "answers":
        os.mkfifo(example.directory / name)
    command = [example.python, "-B", "service.py"]
    with subprocess.Popen(command, env=example.regions.traced(), cwd=example.directory) as process:
        try:
            for asked, snapshot in (10, "before.tsnap"), (1000, "after.tsnap"):
                script = f"echo {asked} > requests; cat answers"
                done = subprocess.run(
                    ["sh", "-c", script], cwd=example.directory, capture_output=True, timeout=TIMEOUT, check=True
                )
                equal("bytes of an answer", int(done.stdout.split()[2]), asked * 2000)
                example.regions.tool("snap", process.pid, "-o", example.directory / snapshot)
        finally:
            process.kill()
    grown = {row["line"]: row for row in example.diff("before.tsnap", "after.tsnap")
             if (row["file"] or "").endswith("/service.py")}
    kept = grown[line_of("service", "bytes(2000)")]
    body = example.ask("getsizeof(bytes(2000))")
    within("blocks of the requests", kept["count_diff"], 2000 - FREE_LIST, 3000)
    within("their bytes", kept["size_diff"], 1000 * body, 1000 * (body + 300))
    within("numbers of the requests", grown[line_of("service", "sum(answer")]["count_diff"], 700, 760)


def loop(example):
    """tracemalloc's own statistics and those of tracesnap: the same lines in the same order"""
    said = example.run()
    rows = example.report("stats", "--domain", "mem,obj", "--filter", str(example.directory / "loop.py"),
                          "loop.tsnap")["stats"]
    theirs = []
    for line in said:
        number, kilobytes, count = re.search(r":(\d+): size=(\S+) KiB, count=(\d+)", line).groups()
        theirs.append((int(number), float(kilobytes), int(count)))
    ours = [row for row in rows if row["line"] >= line_of("loop", "words = [f")]
    if [row["line"] for row in ours] != [line for line, _, _ in theirs]:
        raise AssertionError(f"tracemalloc: {theirs}; tracesnap: {[(row['line'], row['size']) for row in ours]}")
    equal("lines", len(theirs), 5)
    for row, (line, kilobytes, count) in zip(ours, theirs):
        within(f"size of line {line} in KiB", row["size"] / 1024, kilobytes - 1, kilobytes + 1)
        within(f"count of line {line}", row["count"], count - 10, count + 10)


def extension(example):
    """What sqlite3 allocates stands at the Python line that caused it"""
    said = example.run()
    within("what tracemalloc knows of it", int(said[0].split()[1]), 0, 100)
    row = example.line("extension.tsnap", "database.executemany", "--domain", "libc")
    within("bytes that malloc gave", row["size"], 1_000_000, 3_000_000)
    rows = example.report("stats", "--attribute", "native", "-g", "object", "extension.tsnap")["stats"]
    library = sum(row["size"] for row in rows if "sqlite3" in row["object"])
    within("of which sqlite3's own", library, row["size"] * 0.9, row["size"] * 1.1)


def free_lists(example):
    """Objects from a free list keep the line of their first birth"""
    example.run()
    lines = (EXAMPLES / "free_lists.py").read_text(encoding="ascii").splitlines()
    first, second = [i for i, line in enumerate(lines, 1) if "float(n)" in line]
    few, many = example.rows("few.tsnap"), example.rows("many.tsnap")
    within("floats of the second line that stand at the first", few[first]["count"], 30, 50)
    within("that stand at the second", few[second]["count"], 1, 20)
    within("of many, that stand at the first", many[first]["count"], 1, 2 * FREE_LIST)
    within("that stand at the second", many[second]["count"], 50_000 - 2 * FREE_LIST, 50_001)
    if example.ask("sys.version_info >= (3, 13)"):
        example.run("python=exact")
        few = example.rows("few.tsnap")
        within("with python=exact, at the second", few[second]["count"], 50, 52)
        equal("at the first", few.get(first, NONE)["count"], 0)


def arenas(example):
    """What is resident is more than what lives"""
    said = example.run()
    before, after = (int(line.split()[1]) * 1024 for line in said)
    every = example.line("all.tsnap", "names = [f")
    some = example.line("some.tsnap", "names = [f")
    equal("strings and their list", every["count"], 500_001)
    equal("strings that are left", some["count"], 5000)
    within("resident with all", before, every["size"], 10 * every["size"])
    within("resident with some", after, 20 * some["size"], before)


def c_thread(example):
    """A thread without Python has native frames"""
    example.run()
    rows = example.report("stats", "-g", "object", "--domain", "libc", "c_thread.tsnap")["stats"]
    (row,) = [row for row in rows if row["size"] >= 1_000_000]
    if row["object"] is None or "libc.so" not in row["object"]:
        raise AssertionError(f"charged to {row}")
    equal("its size", row["size"], 1_000_000)
    equal("blocks", row["count"], 1)


FEW = cache, cycle, pool, free_lists  # by which every interpreter is tried; by all of them with --all
ALL = (squares, slots, copies, containers, integers, cache, cycle, pool, service, loop, extension, free_lists,
       arenas, c_thread)


def check(python, function):
    with Example(python, function.__name__) as example:
        function(example)


def every_example_is_tested():
    there = {path.stem for path in EXAMPLES.glob("*.py")} - {"snapshot"}
    if there != {function.__name__ for function in ALL}:
        raise AssertionError(f"in examples/: {sorted(there)}")


def main():
    tap = Tap()
    found = interpreters()
    if not any(path == DEBIANS for _, path in found):
        tap.skip("Debian's python3.11", "not on this machine")
    tap.check("every example has its test", every_example_is_tested)
    for version, python in found:
        for function in ALL if python == DEBIANS or "--all" in sys.argv else FEW:
            tap.check(f"{version} {function.__name__}: {function.__doc__}", check, python, function)
    sys.exit(tap.done())


main()
