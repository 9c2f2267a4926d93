#!/usr/bin/env python3
"""The figures in JSON are those of the region, agree with each other, and any text becomes valid JSON."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cmd_region  # noqa: E402
from cmd_tap import TOOL, check, equal, finish, need_tool, tool  # noqa: E402

work = tempfile.mkdtemp()


def document(*arguments):
    done = subprocess.run([TOOL, *arguments], capture_output=True)
    return json.loads(done.stdout.decode("utf-8", "strict"))


def total(rows, key):
    return sum(row[key] for row in rows)


def test_totals(file):
    for group in ("line", "function", "file", "object", "stack"):
        report = document("stats", "--json", "--sort", "allocated", "-g", group, "-n", "0", file)
        for key in ("size", "count", "allocated_size", "allocated_count", "temporary_count",
                    "peak_size", "peak_count"):
            equal("rows by %s add up to the total's %s" % (group, key), total(report["stats"], key),
                  report["totals"][key])
    totals = report["totals"]
    equal("totals", totals, {
        "size": 1584640, "count": 13, "peak_size": 1589120, "peak_count": 83,
        "allocated_size": 1597400, "allocated_count": 110, "freed_size": 12760, "freed_count": 97,
        "temporary_count": 47, "contexts": 3})
    equal("drops by cause", {key for key, n in report["drops"].items() if n}, {"no_unwind"})
    equal("timeline", [(point["time"], point["size"]) for point in report["timeline"]],
          [(1.0, 1000), (2.0, 5000)])


def test_export(file):
    capture = document("export", file)
    equal("contexts add up", total(capture["contexts"], "size"), capture["totals"]["size"])
    frames = capture["frames"]
    texts = [json.dumps(frame) for frame in frames]
    equal("a frame stands once in the table", len(texts), len(set(texts)))
    stacks = [[frames[n]["function"] or frames[n]["object"] for n in context["frames"]]
              for context in capture["contexts"]]
    check("stacks, innermost first", "" if ["table_new", "main"] in stacks else str(stacks))
    modules = {module["path"]: module["build_id"] for module in capture["modules"]}
    equal("modules with build-ids", modules["/nowhere/libexample.so"], bytes(range(20)).hex())
    equal("threads", [thread["name"] for thread in capture["threads"]], ["main", "worker"])


def test_diff(old, new):
    report = document("diff", "--json", "-n", "0", old, new)
    equal("differences add up", total(report["stats"], "size_diff"),
          report["totals"]["size"] - report["old"]["totals"]["size"])
    first = report["stats"][0]
    equal("what grew", (first["size_diff"], first["count_diff"], first["function"]),
          (2 * 528000, 2, "table_new"))
    back = document("diff", "--json", "-n", "0", new, old)
    equal("the other way round", total(back["stats"], "size_diff"), -2 * 528000)


def test_text():
    region = cmd_region.Region(cmdline="plain")
    for path in (b"/bad/\xff\xfe.so", b"/cut/\xe2\x82", "/good/\u20ac\U0001f600.so".encode(),
                 b"/surrogate/\xed\xa0\x80", b"/long/\xc0\x80/\xf5\x80\x80\x80", b"/quote\"\\.so"):
        module = region.module(os.fsdecode(path))
        region.context([(module, 0x1000)], (1, 100))
    report = document("export", region.write(work))
    paths = {module["path"] for module in report["modules"]}
    equal("bytes that are not UTF-8 become U+FFFD", paths, {
        "/bad/\ufffd\ufffd.so", "/cut/\ufffd\ufffd", "/good/\u20ac\U0001f600.so",
        "/surrogate/\ufffd\ufffd\ufffd", "/long/\ufffd\ufffd/\ufffd\ufffd\ufffd\ufffd", "/quote\"\\.so"})


def main():
    need_tool()
    os.environ["TRACESNAP_DIR"] = work
    program, symbols = cmd_region.compile_program(work)
    file = cmd_region.example(program, symbols).write(work)
    snapshot = os.path.join(work, "old.tsnap")
    tool("snap", file, "-o", snapshot).check_returncode()
    test_totals(file)
    test_export(file)
    file = cmd_region.example(program, symbols, table_count=5).write(work)
    test_diff(snapshot, file)
    test_text()
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
