#!/usr/bin/env python3
"""Names that hold terminal sequences, bytes of no encoding or turned writing: no output has any of it, JSON is valid."""

import json
import os
import subprocess
import sys

from hostile import SOURCE, TIMEOUT, TOOL, Regions, equal, main

sys.path.insert(0, str(SOURCE / "tests" / "cli"))
import cmd_region  # noqa: E402

EVIL = b"\x1b]0;owned\x07\x1b[2J\r\x08\x7f\xc2\x9b31m\x9b1m\xff\xc3\xe2\x80\xaetxet\xe2\x81\xa6\n\xed\xa0\x80\xf4\x90\x80\x80end"
GROUPS = ("line", "function", "file", "object", "stack", "domain")


def orders(text):
    """What a terminal would obey in a text, line ends aside."""
    turned = set(range(0x202A, 0x202F)) | set(range(0x2066, 0x206A))
    return sorted({c for c in text if (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) <= 0x9F or ord(c) in turned})


def ask(regions, *arguments, status=0):
    """All that the tool prints, which must be UTF-8 and without orders."""
    command = [TOOL, *arguments]
    done = subprocess.run(command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=False)
    equal(f"status of {arguments[:2]}: {done.stderr}", done.returncode, status)
    output = done.stdout.decode("utf-8") + done.stderr.decode("utf-8")
    equal(f"orders in what {arguments[:3]} prints", orders(output), [])
    if "--json" in arguments and done.stdout:
        json.loads(done.stdout)
    return output


def everything(regions, source, name):
    """All reports; `name`, in one of them, shows that they speak of it."""
    output = ask(regions, "ps", "--all") + ask(regions, "ps", "--all", "--json")
    for group in GROUPS:
        for options in ([], ["--json"], ["--all-frames"]):
            output += ask(regions, "stats", source, "--top", "0", "--group-by", group, *options)
    output += ask(regions, "diff", source, source, "--top", "0") + ask(regions, "diff", source, source, "--json")
    output += ask(regions, "export", source, "--format", "json")
    saved = str(regions.scratch / "a.tsnap")
    ask(regions, "snap", source, "-o", saved)
    output += ask(regions, "stats", saved, "--group-by", "stack", "--top", "0")
    equal(f"{name} is in it", name in output, True)


class Evil(cmd_region.Region):
    """A region whose every text is EVIL."""

    def header(self, slab_count):
        header = bytearray(super().header(slab_count))
        for old in (b"/usr/bin/example", b"example-host", b"0.1.0", b"./example --size 3"):
            at = header.index(old)
            header[at : at + len(EVIL)] = EVIL
        return bytes(header)


def region():
    """In a region: executable, command line, host, version, paths, names of threads and of Python code."""
    with Regions() as regions:
        evil = Evil(pid=2**31 - 2, ticks=5)
        module = evil.module(os.fsdecode(b"/nowhere/" + EVIL))
        evil.threads = [(1, "placeholder")]
        evil.context([(module, 0x1000), (module, 0x2000)], (3, 300), (0, 0), (3, 300))
        code = evil.code(os.fsdecode(b"/nowhere/" + EVIL), os.fsdecode(EVIL), 1)
        evil.context([(module, 0x1000), cmd_region.python(code)], (1, 100), domain=cmd_region.OBJ)
        source = evil.write(regions.path)
        with open(source, "r+b") as file:
            data = file.read()
            file.seek(data.index(b"placeholder"))
            file.write(EVIL[:15])
        everything(regions, source, "end")


def executable():
    """In an executable that is traced: names of functions and source files."""
    with Regions() as regions:
        name = "placeholder_of_a_name".ljust(len(EVIL), "_")
        source = regions.scratch / f"{name}.c"
        source.write_text(
            "#include <stdlib.h>\n"
            f"__attribute__((noinline)) void *{name}(void)\n"
            '{ void *block = malloc(528000); __asm__ volatile(""); return block; }\n'
            f"int main(void) {{ return {name}() == NULL; }}\n"
        )
        program = regions.scratch / "evil"
        compiler = os.environ["CC"].split()
        subprocess.run([*compiler, "-g", "-O1", "-w", "-o", program, source], check=True, capture_output=True)
        program.write_bytes(program.read_bytes().replace(name.encode(), EVIL))
        subprocess.run([program], env=regions.traced(), check=True, timeout=TIMEOUT)
        everything(regions, str(regions.all()[0]), "end")
        ask(regions, "run", "-o", str(regions.scratch / "b.tsnap"), "--", str(program))
        ask(regions, "doctor", "--", str(program))


def messages():
    """In messages, plain and as JSON."""
    with Regions() as regions:
        name = os.fsdecode(b"/nowhere/" + EVIL)
        for command in (["stats", name], ["snap", "1", "-o", name], ["stats", "--sort", name, "1"], [name]):
            ask(regions, *command, status=2)
            ask(regions, *command, "--json", status=2)
        ask(regions, "run", "--", name, status=127)


main(region, executable, messages)
