#!/usr/bin/env python3
"""Runs the examples of tracesnap-json(5): the page and the tool cannot disagree.

An example is a block between .EX and .EE whose first line is a command after "$ ". Its output must have
the keys and the types of the page's JSON, and every key must be described in the page.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cmd_region  # noqa: E402

TOOL = os.environ.get("TRACESNAP", "../tools/tracesnap")
PAGE = os.path.join(HERE, "..", "..", "man", "tracesnap-json.5")


def read_page():
    with open(PAGE) as page:
        raw = page.read()
    plain = re.sub(r"\\f[BIRP]", "", raw).replace("\\-", "-").replace("\\e", "\\")
    plain = plain.replace("\\(dq", '"').replace("\\(aq", "'").replace("\\&", "")
    blocks = re.findall(r"^\.EX\n(.*?)^\.EE", plain, re.S | re.M)
    described = set(re.findall(r"^\.TP\n\.BR? \"?([a-z_]+)", plain, re.M))
    for names in re.findall(r"^\.TP\n\.BR (.*)", plain, re.M):
        described.update(re.findall(r"[a-z_]+", names))
    return blocks, described


def difference(page, tool, where):
    """The first place where two values differ in keys or types; null stands for any type."""
    if page is None or tool is None:
        return None
    if isinstance(page, dict) and isinstance(tool, dict):
        for key in page.keys() | tool.keys():
            if key not in tool or key not in page:
                side = "page" if key in page else "output"
                return "%s.%s is only in the %s" % (where, key, side)
            found = difference(page[key], tool[key], where + "." + key)
            if found:
                return found
        return None
    if isinstance(page, list) and isinstance(tool, list):
        if not page or not tool:
            return None if not page and not tool else "%s is empty on one side" % where
        for i, item in enumerate(tool):
            found = difference(page[0], item, "%s[%d]" % (where, i))
            if found:
                return found
        return None
    if type(page) is not type(tool):
        return "%s is %s in the page, %s in the output" % (where, type(page).__name__,
                                                           type(tool).__name__)
    if where.endswith((".schema", ".group_by", ".sort")) and page != tool:
        return "%s is '%s' in the page, '%s' in the output" % (where, page, tool)
    return None


def keys_of(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def run_example(block, names):
    command, text = block.split("\n", 1)
    page = json.loads(text)
    words = shlex.split(command[2:])
    arguments = [names.get(word, word) for word in words[1:]]
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True)
    messages = [line for line in done.stderr.splitlines() if "tracesnap.note/1" not in line]
    output = done.stdout or "\n".join(messages)
    try:
        return page, json.loads(output), None
    except json.JSONDecodeError as error:
        return page, None, "no JSON from '%s' (status %d): %s\n%s" % (
            " ".join(arguments), done.returncode, error, done.stderr)


def main():
    if not os.access(TOOL, os.X_OK):
        print("1..0 # SKIP no tool at '%s': set TRACESNAP" % TOOL)
        return 77
    work = tempfile.mkdtemp()
    os.environ["TRACESNAP_DIR"] = os.path.join(work, "regions")
    os.mkdir(os.environ["TRACESNAP_DIR"], 0o700)
    program, symbols = cmd_region.compile_program(work)
    names = {"4242": str(os.getpid()), "app.tsnap": work + "/app.tsnap",
             "new.tsnap": work + "/new.tsnap", "./app": program}
    failures, described_keys = 0, set()
    for count, name in ((2, "app.tsnap"), (3, "new.tsnap")):
        cmd_region.example(program, symbols, count).write(os.environ["TRACESNAP_DIR"])
        subprocess.run([TOOL, "snap", str(os.getpid()), "-o", names[name]], check=True,
                       stderr=subprocess.DEVNULL)
    blocks, described = read_page()
    examples = [block for block in blocks if block.startswith("$ tracesnap")]
    has_library = os.access(os.environ.get("TRACESNAP_LIB", ""), os.R_OK)
    print("1..%d" % (len(examples) + 2))
    for number, block in enumerate(examples, 1):
        command = block.split("\n", 1)[0]
        if command.startswith("$ tracesnap run") and not has_library:
            print("ok %d - %s # SKIP no library at TRACESNAP_LIB" % (number, command))
            continue
        page, output, problem = run_example(block, names)
        problem = problem or difference(page, output, "")
        described_keys.update(keys_of(page))
        failures += problem is not None
        print("%s %d - %s" % ("not ok" if problem else "ok", number, command))
        if problem:
            print("# " + problem)
    missing = sorted(described_keys - described)
    failures += bool(missing)
    print("%s %d - every key is described" % ("not ok" if missing else "ok", len(examples) + 1))
    if missing:
        print("# describe in tracesnap-json(5): " + " ".join(missing))
    few = len(examples) < 9
    failures += few
    print("%s %d - the page has an example of every document" % ("not ok" if few else "ok",
                                                                 len(examples) + 2))
    shutil.rmtree(work)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
