#!/usr/bin/env python3
"""The model against CPython's own tracemalloc: the same random traces, the same text in the same order.

oracle_driver (argv[1], or $builddir/tests/unit/oracle_driver, or compiled here from the tree) prints what the
model makes of them. The seed is printed; ORACLE_SEED and ORACLE_CASES choose others.
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import tracemalloc

SOURCES = """tests/unit/oracle_driver.c tools/base/message.c tools/base/hash_map.c tools/base/printable.c
tools/base/strpool.c tools/model/domain.c tools/model/filter.c tools/model/format.c tools/model/frames.c
tools/model/group.c tools/model/place.c tools/model/python_object.c tools/model/report.c tools/model/sort.c
tools/model/stacks.c tools/model/user_code.c tools/symbol/python_lines.c""".split()

FILES = ["a.py", "b.py", "dir/a.py", "dir/sub/c.c", "z.pyc", "z.py", "B.cc", "\u00e9.c", "\uffee.c",
         "\U0001d11e.c", "dir with blank/x.rs", "a", "aa.py", "[a].py", "-", "<string>"]
GLOBS = ["*", "*.py", "dir/*", "a?.py", "[ab]*", "[!a]*", "?.c", "*/sub/*", "*.pyc", "dir*c", "a.py",
         "[[]a].py", "nothing", "*a*", "??.py", "dir/a.py", "[a-c].*", "*[!c]"]
EDGES = [0, 1, 99, 100, 1023, 1024, 10239, 10240, 10241, 102348, 102349, 102350, 102399, 102400,
         10485759, 10485760, 104857599, 104857600, 10737418239, 10737418240, 107374182399, 107374182400,
         1 << 40, (100 << 40) - 1, 100 << 40, 10240 << 40]
GROUPS = {"line": "lineno", "file": "filename", "stack": "traceback"}
# What the frames are, and who may be charged then so that it is the innermost frame that tracemalloc knows of.
LANGUAGES = {"native": ["user", "native", "leaf"], "python": ["user", "python", "leaf"], "mixed": ["user", "python"]}


def driver(scratch):
    """The program under test, and where it came from."""
    if len(sys.argv) > 1:
        return sys.argv[1]
    built = pathlib.Path(os.environ.get("builddir", "/nonexistent"), "tests/unit/oracle_driver")
    if built.exists():
        return str(built)
    top = pathlib.Path(__file__).resolve().parents[2]
    program = str(pathlib.Path(scratch, "oracle_driver"))
    subprocess.run([os.environ.get("CC", "cc").split()[0], "-std=gnu11", "-D_GNU_SOURCE", "-g", "-O1",
                    f"-I{top}", "-o", program, *(str(top / s) for s in SOURCES), "-ljansson"], check=True)
    return program


def average(stat):
    return "%.17g" % (float(stat.size) / stat.count if stat.count else 0.0)


def text(stat, group):
    """tracemalloc's own line; of a traceback all frames, of the average all digits."""
    line = str(stat).split(", average=")[0] + ", average=" + average(stat)
    if group == "stack":
        line = " ".join(str(f) for f in stat.traceback) + line[len(str(stat.traceback)):]
    return line


def random_size(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(EDGES)
    if kind == 1:
        return max(0, rng.choice(EDGES) + rng.randint(-2, 2))
    if kind == 2:
        return rng.choice([16, 16, 32, 64])
    return rng.getrandbits(rng.randint(1, 46))


def random_traces(rng, files, lines):
    """(domain, size, frames, depth), innermost first, with recursion and equal stacks."""
    traces, stacks = [], []
    for _ in range(rng.choice([0, 1, 3, 10, 40])):
        if stacks and rng.random() < 0.4:
            stack = rng.choice(stacks)
        elif rng.random() < 0.05:
            stack = (("<unknown>", 0),)
        else:
            stack = tuple((rng.choice(files), rng.randint(1, lines)) for _ in range(rng.randint(1, 7)))
            if stacks and rng.random() < 0.4:
                stack += rng.choice(stacks)
                stack = tuple(f for f in stack if f[1]) or stack
        stacks.append(stack)
        traces.append((0, random_size(rng), stack, len(stack)))
    return traces


def python_field(rng, stack, native):
    """Frames of Python, and native ones before, between and behind them, of which tracemalloc knows nothing."""
    fields = []
    for name, line in stack:
        fields += [f"{rng.choice(FILES)}:1" for _ in range(rng.choice([0, 0, 1, 2]) if native else 0)]
        fields.append(f"@{name}:{line}")
    return fields + [f"{name}:2" for name in FILES[:native and rng.randrange(3)]]


def frames_field(rng, stack, language, attribute):
    if stack == (("<unknown>", 0),):
        return [f"{rng.choice(FILES)}:1"] if language == "mixed" and attribute == "python" else []
    if language != "native":
        return python_field(rng, stack, language == "mixed")
    fields = [f"{name}:{line}" for name, line in stack]
    joined, i = [], 0
    while i < len(fields):
        step = rng.choice([1, 1, 1, 2, 3])
        joined.append("|".join(fields[i:i + step]))
        i += step
    return joined


def make_case(rng):
    """One input for the driver and the lines expected of it."""
    files, lines = rng.sample(FILES, rng.randint(1, 6)), rng.choice([1, 3, 50])
    language = rng.choice(list(LANGUAGES))
    attribute = rng.choice(LANGUAGES[language])
    charged_only = language == "mixed"  # tracemalloc does not see the other frames
    group = rng.choice(["line", "file"] if charged_only else list(GROUPS))
    cumulative = rng.random() < 0.4 and group != "stack" and not charged_only
    all_frames = rng.random() < 0.5 and not charged_only
    new, old = random_traces(rng, files, lines), random_traces(rng, files, lines)
    if rng.random() < 0.5:
        old = [t for t in new if rng.random() < 0.7] + old[:3]
    filters = [(rng.random() < 0.5, rng.choice(GLOBS + files), rng.choice([None, None, rng.randint(1, lines)]))
               for _ in range(rng.choice([0, 0, 1, 2, 3]))]
    is_diff = rng.random() < 0.5
    source = ["\t".join(["options", group, "size", attribute, str(int(cumulative)), str(int(all_frames))])]
    for inclusive, glob, line in filters:
        source.append("\t".join(["filter", "+" if inclusive else "-", str(line or 0), glob]))
    for side, traces in (("new", new), ("old", old)):
        for _, size, stack, _ in traces:
            source.append("\t".join(["trace", side, str(size), str(rng.choice([0, 0, 5])),
                                     *frames_field(rng, stack, language, attribute)]))
    source.append("go\t" + ("diff" if is_diff else "statistics"))

    kinds = [tracemalloc.Filter(i, g, l, all_frames) for i, g, l in filters]
    now = tracemalloc.Snapshot(new, 25).filter_traces(kinds)
    before = tracemalloc.Snapshot(old, 25).filter_traces(kinds)
    if is_diff:
        stats = now.compare_to(before, GROUPS[group], cumulative)
    else:
        stats = now.statistics(GROUPS[group], cumulative)
    totals = f"totals: {sum(t[1] for t in now.traces._traces)} {len(now.traces._traces)}"
    return source, [totals, *(text(s, group) for s in stats), "end"]


def run(program, source):
    return subprocess.run([program], input="\n".join(source) + "\n", capture_output=True, text=True,
                          encoding="utf-8", check=True).stdout.split("\n")[:-1]


def check_sizes(program, rng):
    numbers = [s * sign for s in EDGES for sign in (1, -1)]
    numbers += [rng.getrandbits(rng.randint(1, 50)) * rng.choice([1, -1]) for _ in range(2000)]
    expected = [tracemalloc._format_size(n, False) + "\t" + tracemalloc._format_size(n, True)
                for n in numbers]
    found = run(program, [f"size\t{n}" for n in numbers])
    wrong = [(n, e, f) for n, e, f in zip(numbers, expected, found) if e != f]
    for number, want, got in wrong[:5]:
        print(f"# {number}: expected {want!r}, found {got!r}")
    return not wrong and len(found) == len(numbers)


def check_cases(program, rng, count):
    """Which case fails, if any: its input goes to stdout, so that it can be fed to the driver alone."""
    cases = [make_case(rng) for _ in range(count)]
    found = run(program, [line for source, _ in cases for line in source])
    at, rows = 0, 0
    for number, (source, expected) in enumerate(cases):
        end = found.index("end", at) + 1
        if found[at:end] != expected:
            print(f"# case {number} differs; its input:", *source, sep="\n#   ")
            print("# expected:", *expected, "# found:", *found[at:end], sep="\n#   ")
            return False
        rows += end - at - 2
        at = end
    print(f"# {count} cases, {rows} rows")
    return rows > count


def check_refusal(program):
    found = run(program, ["options\tstack\tsize\tuser\t1\t0", "trace\tnew\t1\t0\ta.py:1", "go\tstatistics"])
    return found == ["error: --cumulative does not go with --group-by stack: use line, function, file or"
                     " object", "end"]


def main():
    seed = int(os.environ.get("ORACLE_SEED", "20260711"))
    count = int(os.environ.get("ORACLE_CASES", "600"))
    rng = random.Random(seed)
    print(f"# seed {seed}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as scratch:
        program = driver(scratch)
        results = [("sizes read as tracemalloc's", check_sizes(program, rng)),
                   ("rows, order and text are tracemalloc's", check_cases(program, rng, count)),
                   ("cumulative by stack is refused", check_refusal(program))]
    for number, (name, passed) in enumerate(results, 1):
        print(f"{'ok' if passed else 'not ok'} {number} - {name}")
    print(f"1..{len(results)}")
    return 0 if all(passed for _, passed in results) else 1


if __name__ == "__main__":
    sys.exit(main())
