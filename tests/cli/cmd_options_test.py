#!/usr/bin/env python3
"""Options mean the same wherever they stand and however they are written."""
import json
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cmd_region  # noqa: E402
from cmd_tap import check, equal, finish, need_tool, tool  # noqa: E402

work = tempfile.mkdtemp()


def report(*arguments):
    done = tool(*arguments)
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr}


def labels(*arguments):
    return [os.path.basename(row["label"]) for row in report("stats", "--json", *arguments).get("stats", [])]


def test_spelling(file):
    expected = report("stats", "--json", "--sort", "count", "--group-by", "object", "--top", "1", file)
    equal("the report is of that kind", (expected.get("sort"), expected.get("group_by"),
                                         len(expected.get("stats", []))), ("count", "object", 1))
    for arguments in (["--sort=count", "--group-by=object", "--top=1", "--json", file],
                      [file, "--json", "--sort", "count", "--group-by", "object", "--top", "1"],
                      ["--json", "-s", "count", "-g", "object", "-n", "1", file],
                      ["--json", "-scount", "-gobject", file, "-n1"],
                      ["--json", "-c", "-scount", "-gobject", "-n1", "--sort", "size", "-s", "count", file],
                      ["--json", "-s", "count", "-g", "object", "-n", "1", "--", file]):
        found = report("stats", *arguments)
        if "-c" in arguments:
            equal("the last of an option is in force", found.get("sort"), "count")
            continue
        same = all(found.get(key) == expected[key] for key in ("sort", "group_by", "stats"))
        check(" ".join(arguments[:-1]), "" if same else json.dumps(found))


def test_filters(file):
    everything = labels("--attribute", "leaf", file)
    equal("two rows", sorted(everything), ["libexample.so+0x2000", "table.c:5"])
    cases = ((["--filter", "*/table.c"], ["table.c:5"]),
             (["--exclude", "*/table.c"], ["libexample.so+0x2000"]),
             (["--filter", "*/table.c", "--filter", "*libexample*"], everything),
             (["--filter", "*/table.c", "--exclude", "*"], []),
             (["--filter", "*/table.c:5"], ["table.c:5"]),
             (["--filter", "*/table.c:6"], []),
             (["--filter", "*/table.c:10"], []),
             (["--filter", "*/table.c:10", "--all-frames"], everything),
             (["--exclude", "*/table.c:10", "--all-frames"], []))
    for options, expected in cases:
        equal(" ".join(options), sorted(labels("--attribute", "leaf", *options, file)), sorted(expected))
    exported = report("export", "--filter", "*/table.c", "--attribute", "leaf", file)
    equal("export filters, too", exported.get("totals", {}).get("size"), 1584000)


def test_names_with_dashes(file):
    shutil.copy(file, os.path.join(work, "--json"))
    os.chdir(work)
    equal("-- ends the options", tool("stats", "--", "--json").returncode, 0)


def main():
    need_tool()
    os.environ["TRACESNAP_DIR"] = work
    program, symbols = cmd_region.compile_program(work)
    file = cmd_region.example(program, symbols).write(work)
    test_spelling(file)
    test_filters(file)
    test_names_with_dashes(file)
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
