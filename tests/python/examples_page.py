#!/usr/bin/python3
"""Runs the commands of docs/python-memory.md, and compares what they print with what stands there.

    tests/python/examples_page.py [--write]

Wants a build in build/, or what `make check` sets. Without --write it tells the rows that differ. In the page, a
command is a line "$ COMMAND" of a block between ```; what stands below it, up to the next one, it has printed. All are
run by one shell, in the order of the page, beside the files of tests/python/examples. Rows are compared to the byte,
but not what tells a pid, a time, or how much there is beside the program's own rows. "..." below a command stands for
the lines up to the first empty one.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("builddir", SOURCE / "build")).resolve()
PAGE = SOURCE / "docs" / "python-memory.md"
EXAMPLES = SOURCE / "tests" / "python" / "examples"
PYTHON = "/usr/bin/python3"  # what the page's python3 is
TOUR = "/tmp/tour"  # as which the page shows the directory in which all this is run
TIMEOUT = 300

# What is the same each time: a row of a report, or a JSON object. "983 other" counts what Python itself needs to start.
ROW = re.compile(r".+: size=\S+ \S+(?: \(\S+ \S+\))?, count=|\{")
OFFSET = re.compile(r"\+0x[0-9a-f]+")  # changes with every build of a library


def blocks(text):
    """[(first line, last line)] of the page's blocks of commands, without the ``` around them."""
    lines, found, begin = text.splitlines(), [], None
    for i, line in enumerate(lines):
        if line.startswith("```"):
            if begin is not None:
                found.append((begin, i))
            begin = i + 1 if begin is None else None
    return [(first, last) for first, last in found if lines[first].startswith("$ ")]


def programs(text):
    """The blocks of Python of the page."""
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text):
    """[[command, what the page says that it prints]] of each block."""
    lines, found = text.splitlines(), []
    for first, last in blocks(text):
        block = []
        for line in lines[first:last]:
            if line.startswith("$ "):
                block.append([line[2:], []])
            else:
                block[-1][1].append(line)
        found.append(block)
    return found


def environment(directory):
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PATH": f"{BUILD / 'tools'}:{directory / 'bin'}:/usr/bin:/bin",
        "LD_LIBRARY_PATH": str(BUILD / ".libs"),
        "TRACESNAP_DIR": str(directory / "regions"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
    }


def run(text):
    """What the commands of the page print now, in the order of commands()."""
    with tempfile.TemporaryDirectory(prefix="tracesnap-page-") as name:
        directory = pathlib.Path(name)
        work = directory / "tour"
        work.mkdir()
        for path in EXAMPLES.glob("*.py"):
            shutil.copyfile(path, work / path.name)
        (directory / "regions").mkdir(mode=0o700)
        script, count = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"], 0
        for block in commands(text):
            for command, _ in block:
                script.append(f"{{\n{command}\n}} >{directory}/{count}.out 2>&1")
                count += 1
        subprocess.run(
            ["bash", "-c", "\n".join(script)], cwd=work, env=environment(directory), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False,
        )
        outputs = []
        for i in range(count):
            printed = (directory / f"{i}.out").read_text(encoding="utf-8")
            outputs.append(printed.replace(str(work), TOUR).splitlines())
        return outputs


def rows(lines):
    return [OFFSET.sub("+0x...", line) for line in lines if ROW.match(line)]


def left_out(lines, printed):
    """What is printed, without the beginning that the page leaves out."""
    return ["...", *printed[printed.index(""):]] if lines[:1] == ["..."] and "" in printed else printed


def differences(text, outputs):
    """Of every command whose rows are not those of the page: what the page has (-) and what it printed (+)."""
    wrong, expected = [], [pair for block in commands(text) for pair in block]
    for (command, lines), printed in zip(expected, outputs):
        want, have = rows(lines), rows(printed)
        if want != have or bool(lines) != bool(printed):
            wrong += [f"$ {command}", *(f"- {line}" for line in want or lines)]
            wrong += [f"+ {line}" for line in have or printed]
    return wrong


def written(text, outputs):
    """The page with what its commands print now."""
    lines, outputs = text.splitlines(), iter(outputs)
    blocks_now = [[(command, left_out(old, next(outputs))) for command, old in block] for block in commands(text)]
    for (first, last), block in reversed(list(zip(blocks(text), blocks_now))):
        lines[first:last] = [line for command, printed in block for line in (f"$ {command}", *printed)]
    return "\n".join(lines) + "\n"


def foreign_programs(text):
    """The blocks of Python that stand in no example."""
    sources = [path.read_text(encoding="ascii") for path in EXAMPLES.glob("*.py")]
    return [program for program in programs(text) if not any(program in source for source in sources)]


def version():
    """Of the page's interpreter, as `python3 --version` tells it."""
    return subprocess.run([PYTHON, "--version"], capture_output=True, check=True).stdout.decode().strip()


def main():
    text = PAGE.read_text(encoding="utf-8")
    outputs = run(text)
    if "--write" in sys.argv:
        PAGE.write_text(written(text, outputs), encoding="utf-8")
        return 0
    wrong = differences(text, outputs) + foreign_programs(text)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
