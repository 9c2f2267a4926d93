#!/usr/bin/env python3
"""Text reports have the numbers and the format of Python's own tracemalloc, which is asked itself here."""
import json
import os
import re
import shutil
import sys
import tempfile
import tracemalloc

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cmd_region  # noqa: E402
from cmd_tap import check, equal, finish, need_tool, tool  # noqa: E402

# Around every step from one unit or precision to the next; averages that round up and down.
SIZES = [(1, 1), (3, 2), (10239, 1), (10240, 1), (102349, 1), (102400, 1), (20479, 2), (335, 100),
         (1584000, 3), (10485759, 1), (10485760, 1), (104857600, 7), (123456789, 1000), (3 << 30, 5),
         (11 << 40, 1), (5, 3), (12287, 12), (0, 1)]
LIBRARY = "/nowhere/lib.so"

work = tempfile.mkdtemp()


def make(sizes, name, offset=0x1000, **arguments):
    region = cmd_region.Region(**arguments)
    module = region.module(LIBRARY)
    for i, (size, count) in enumerate(sizes):
        region.context([(module, offset + 16 * i)], (count, size), peak=(count, size))
    snapshot = os.path.join(work, name)
    tool("snap", region.write(work), "-o", snapshot).check_returncode()
    return snapshot


def rows(text):
    return [line for line in text.splitlines() if re.match(r"\S+: size=", line)]


def traceback(label):
    name, line = label.rsplit("+", 1)
    return tracemalloc.Traceback([(name + "+" + line, 0)])


def statistic(size, count, label):
    """tracemalloc's text, whose file:line is our label."""
    text = str(tracemalloc.Statistic(traceback(label), size, count))
    return text.replace(label + ":0", label)


def difference(old, new, label):
    (size, count), (old_size, old_count) = new, old
    text = str(tracemalloc.StatisticDiff(traceback(label), size, size - old_size, count,
                                         count - old_count))
    return text.replace(label + ":0", label)


def label(i):
    return "%s+%#x" % (LIBRARY, 0x1000 + 16 * i)


def test_stats(snapshot):
    shown = rows(tool("stats", "--top", "0", snapshot).stdout)
    expected = [statistic(size, count, label(i)) for i, (size, count) in enumerate(SIZES)]
    equal("as many rows as contexts", len(shown), len(expected))
    for line in expected:
        check(line, "" if line in shown else "not in:\n" + "\n".join(shown))
    sizes = [SIZES[int(re.search(r"0x(\w+)", line)[1], 16) - 0x1000 >> 4][0] for line in shown]
    equal("sorted by size", sizes, sorted(sizes, reverse=True))


def test_top(snapshot):
    text = tool("stats", "--top", "4", snapshot).stdout
    equal("four rows", len(rows(text)), 4)
    rest = sum(sorted(size for size, _ in SIZES)[:-4])
    total = sum(size for size, _ in SIZES)
    for line in ("%d other: %s" % (len(SIZES) - 4, tracemalloc._format_size(rest, False)),
                 "Total allocated size: " + tracemalloc._format_size(total, False)):
        check(line, "" if line in text.splitlines() else text)


def test_diff():
    old = [(size, count) for size, count in SIZES]
    new = [(size, count) for size, count in reversed(SIZES)]
    text = tool("diff", "-n", "0", make(old, "old.tsnap"), make(new, "new.tsnap")).stdout
    shown = rows(text)
    for i in range(len(SIZES)):
        line = difference(old[i], new[i], label(i))
        check(line, "" if line in shown else "not in:\n" + text)


def test_gone():
    text = tool("diff", make([(4000, 4), (50, 1)], "a.tsnap"), make([(4000, 4)], "b.tsnap")).stdout
    line = difference((50, 1), (0, 0), label(1))
    check("a row that is gone: " + line, "" if line in rows(text) else text)
    text = tool("stats", make([(0, 0), (50, 1)], "c.tsnap")).stdout
    equal("a row of nothing is not shown", len(rows(text)), 1)


def test_stack():
    program, symbols = cmd_region.compile_program(work)
    file = cmd_region.example(program, symbols).write(work)
    text = tool("stats", "--group-by", "stack", "--top", "1", file).stdout
    source = os.path.join(work, "table.c")
    expected = ["3 blocks: 1547 KiB",
                '  File "%s", line 10, in main' % source,
                "    return table_new() == NULL;",
                '  File "%s", line 5, in table_new' % source,
                "    return malloc(528000);"]
    check("a traceback, most recent call last", "" if "\n".join(expected) in text else text)
    text = tool("stats", file).stdout
    line = "%s:5: size=1547 KiB, count=3, average=516 KiB  [table_new]" % source
    check("the function after the row", "" if line in text.splitlines() else text)
    check("a drop with what it means", "" if "dropped 2 stacks that ended at code" in text else text)
    for sort, shown in (("peak", ", peak=1547 KiB"), ("allocated", ", allocated=1554 KiB"),
                        ("temporary", ", temporary=7")):
        text = tool("stats", "--sort", sort, file).stdout
        check("sorted by %s, it is shown" % sort, "" if shown in text else text)


def test_color(snapshot):
    plain = tool("stats", snapshot).stdout
    check("no colour off a terminal", "" if "\033" not in plain else plain)
    colored = tool("stats", "--color", "always", snapshot).stdout
    check("colour when it is asked for", "" if "\033" in colored else colored)
    equal("colour changes nothing else", re.sub("\033\\[\\d+m", "", colored), plain)


def listed():
    """What ps says of the example; root sees other processes, too."""
    return [row for row in tool("ps", "--no-pager").stdout.splitlines() if "./example" in row]


def test_estimates():
    """Who reads the figures of a sampled process is told that they are estimates, each time."""
    line = "estimated from one sample per 512 KiB\n"
    exact = make([(1000, 2)], "exact.tsnap")
    equal("an exact report says nothing of it", "estimate" in tool("stats", exact).stdout, False)
    equal("nor does ps", [row for row in listed() if "~" in row], [])
    region = cmd_region.Region(sample=512 << 10)
    region.context([(region.module(LIBRARY), 0x1000)], (2, 1000), peak=(2, 1000))
    sampled = os.path.join(work, "sampled.tsnap")
    saved = tool("snap", region.write(work), "-o", sampled)
    equal("snap says it", line in saved.stderr, True)
    marked = [row for row in listed() if "   ~1000 B         ~2    ~1000 B " in row]
    equal("ps marks its figures", len(marked), 1)
    equal("ps says what the mark means", tool("ps", "--no-pager").stdout.count("\n~ estimated"), 1)
    for options in ([], ["--group-by", "stack"], ["--sort", "peak"]):
        equal("stats %s" % " ".join(options), tool("stats", *options, sampled).stdout.count(line), 1)
    unlike = "old is %s, new is %s: the differences are estimates\n"
    for old, new, count, said in ((exact, exact, 0, None), (sampled, sampled, 2, None),
                                  (exact, sampled, 1, ("exact", "estimated")),
                                  (sampled, exact, 1, ("estimated", "exact"))):
        text = tool("diff", old, new).stdout
        name = "diff %s %s" % (os.path.basename(old), os.path.basename(new))
        equal(name, (text.count(line), text.count("differences are estimates")), (count, int(bool(said))))
        equal(name + ": which side", said is None or unlike % said in text, True)
    for command in ("stats", "export"):
        report = json.loads(tool(command, *(["--json"] if command == "stats" else []), sampled).stdout)
        equal(command + " as JSON", (report["sampled"], report["process"]["sample"]), (True, 512 << 10))
    report = json.loads(tool("diff", "--json", sampled, exact).stdout)
    equal("diff as JSON", (report["sampled"], report["old"]["sampled"]), (False, True))
    rows = json.loads(tool("ps", "--json").stdout)["processes"]
    rows = [row for row in rows if row["source"].startswith(work)]
    equal("ps as JSON", [row["process"]["sample"] for row in rows], [512 << 10])


def main():
    need_tool()
    os.environ["TRACESNAP_DIR"] = work
    snapshot = make(SIZES, "stats.tsnap")
    test_stats(snapshot)
    test_top(snapshot)
    test_diff()
    test_gone()
    test_stack()
    test_color(snapshot)
    test_estimates()
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
