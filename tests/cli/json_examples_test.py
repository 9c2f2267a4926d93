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
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cmd_region  # noqa: E402
from cmd_tap import LIBRARY, check, finish, need_tool, skip, tool  # noqa: E402

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


def difference(page, output, where):
    """The first place where two values differ in keys or types; null stands for any type."""
    if page is None or output is None:
        return None
    if isinstance(page, dict) and isinstance(output, dict):
        for key in page.keys() | output.keys():
            if key not in output or key not in page:
                side = "page" if key in page else "output"
                return "%s.%s is only in the %s" % (where, key, side)
            found = difference(page[key], output[key], where + "." + key)
            if found:
                return found
        return None
    if isinstance(page, list) and isinstance(output, list):
        if not page or not output:
            # A program of a moment has no timeline yet.
            short = where == ".timeline" and page
            return None if short or page == output else "%s is empty on one side" % where
        for i, item in enumerate(output):
            found = difference(page[0], item, "%s[%d]" % (where, i))
            if found:
                return found
        return None
    if type(page) is not type(output):
        return "%s is %s in the page, %s in the output" % (where, type(page).__name__,
                                                           type(output).__name__)
    if where.endswith((".schema", ".group_by", ".sort")) and page != output:
        return "%s is '%s' in the page, '%s' in the output" % (where, page, output)
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
    done = tool(*arguments)
    messages = [line for line in done.stderr.splitlines() if "tracesnap.note/1" not in line]
    output = done.stdout or "\n".join(messages)
    try:
        return page, json.loads(output), None
    except json.JSONDecodeError as error:
        return page, None, "no JSON from '%s' (status %d): %s\n%s" % (
            " ".join(arguments), done.returncode, error, done.stderr)


def main():
    need_tool()
    work = tempfile.mkdtemp()
    os.environ["TRACESNAP_DIR"] = os.path.join(work, "regions")
    os.mkdir(os.environ["TRACESNAP_DIR"], 0o700)
    program, symbols = cmd_region.compile_program(work)
    names = {"4242": str(os.getpid()), "app.tsnap": work + "/app.tsnap",
             "new.tsnap": work + "/new.tsnap", "./app": program}
    for count, name in ((2, "app.tsnap"), (3, "new.tsnap")):
        cmd_region.example(program, symbols, count).write(os.environ["TRACESNAP_DIR"])
        tool("snap", str(os.getpid()), "-o", names[name]).check_returncode()
    names["python.tsnap"] = work + "/python.tsnap"
    cmd_region.python_example(program, symbols).write(os.environ["TRACESNAP_DIR"])
    tool("snap", str(os.getpid()), "-o", names["python.tsnap"]).check_returncode()
    cmd_region.example(program, symbols, 3).write(os.environ["TRACESNAP_DIR"])
    blocks, described = read_page()
    examples = [block for block in blocks if block.startswith("$ tracesnap")]
    shown = set()
    for block in examples:
        command = block.split("\n", 1)[0]
        if command.startswith("$ tracesnap run") and not os.access(LIBRARY, os.R_OK):
            skip(command, "no library at TRACESNAP_LIB")
            continue
        page, output, problem = run_example(block, names)
        check(command, problem or difference(page, output, "") or "")
        shown.update(keys_of(page))
    check("every key is described", ["describe in tracesnap-json(5): " + key
                                     for key in sorted(shown - described)])
    check("the page has an example of every document",
          "" if len(examples) >= 10 else "only %d examples" % len(examples))
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
