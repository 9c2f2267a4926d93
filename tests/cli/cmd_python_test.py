#!/usr/bin/env python3
"""Reports of a Python process: lines, source lines, domains, and why there are none, from regions made by hand; the
text is that of Python's own tracemalloc, which is asked itself here."""
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
from cmd_region import LIBC, MEM, OBJ, RAW, python  # noqa: E402
from cmd_tap import check, equal, finish, need_tool, tool  # noqa: E402

SOURCE = '''class Table:
    def load(self, size):
        self.rows = [None] * size
        return self.rows


Table().load(100)
'''

work = tempfile.mkdtemp()
module = os.path.join(work, "table.py")


def compiled():
    """The code objects of SOURCE: of the module and of load."""
    code = compile(SOURCE, module, "exec")
    body = next(constant for constant in code.co_consts if hasattr(constant, "co_code"))
    load = next(constant for constant in body.co_consts if hasattr(constant, "co_code"))
    return code, load


def at_line(code, line):
    """An instruction of the line."""
    return next(start for start, _, its in code.co_lines() if its == line)


def add_code(region, code):
    version = sys.version_info[:2]
    kind = cmd_region.LINETABLE if version < (3, 11) else cmd_region.LOCATIONS
    name = getattr(code, "co_qualname", "Table.load" if code.co_name == "load" else code.co_name)
    return region.code(code.co_filename, name, code.co_firstlineno, code.co_linetable, kind)


def make(name, sizes=((OBJ, 1, 64), (MEM, 1, 856)), **arguments):
    """A snapshot: blocks that line 3 allocated, of some domains, and native ones; (domain, blocks, bytes)."""
    with open(module, "w", encoding="utf-8") as out:
        out.write(SOURCE)
    region = cmd_region.Region(**arguments)
    native = (region.module("/nowhere/python3"), 0x1000)
    outer, inner = compiled()
    stack = [native, python(add_code(region, outer), at_line(outer, 7)),
             python(add_code(region, inner), at_line(inner, 3)), (0, 0x2000)]
    for domain, count, size in sizes:
        region.context(stack, (count, size), peak=(count, size), domain=domain)
    region.context([native], (2, 300), peak=(2, 300), domain=LIBC)
    region.python_version = sys.hexversion
    return save(region, name)


def save(region, name):
    snapshot = os.path.join(work, name)
    tool("snap", region.write(work), "-o", snapshot).check_returncode()
    return snapshot


def rows(snapshot, *options):
    text = tool("stats", *options, snapshot).stdout
    return [line for line in text.splitlines() if ": size=" in line]


def statistic(line, size, count):
    return str(tracemalloc.Statistic(tracemalloc.Traceback([(module, line)]), size, count))


def test_rows(snapshot):
    shown = rows(snapshot)
    equal("the row is tracemalloc's, with function and domains", shown[0],
          statistic(3, 920, 2) + "  [Table.load]  mem+obj")
    equal("what Python did not ask for is native", shown[1],
          "/nowhere/python3+0x1000: size=300 B, count=2, average=150 B  libc")
    equal("and further out", [row.split("  ")[0] for row in rows(snapshot, "--cumulative")],
          [statistic(7, 920, 2), statistic(3, 920, 2), "/nowhere/python3+0x1000: size=300 B, count=2, average=150 B"])
    equal("as tracemalloc: what has no line is unknown", rows(snapshot, "--attribute", "python")[1],
          "<unknown>:0: size=300 B, count=2, average=150 B  libc")
    equal("native", [row.split(":")[0] for row in rows(snapshot, "--attribute", "native")],
          ["/nowhere/python3+0x2000", "/nowhere/python3+0x1000"])


def test_stack(snapshot):
    text = tool("stats", "--group-by", "stack", snapshot).stdout
    expected = ["2 blocks: 920 B  mem+obj",
                '  Object "/nowhere/python3", offset 0x1000',
                '  File "%s", line 7, in <module>' % module,
                "    Table().load(100)",
                '  File "%s", line 3, in Table.load' % module,
                "    self.rows = [None] * size",
                '  Object "/nowhere/python3", offset 0x2000']
    check("a traceback of both languages, with source lines", "" if "\n".join(expected) in text else text)
    colored = tool("stats", "--group-by", "stack", "--color", "always", snapshot).stdout
    native = [line.startswith("\033[2m  ") for line in colored.splitlines() if re.search('  (File|Object) "', line)]
    equal("native frames recede where there are others", native, [True, False, False, True, False])


def test_domains(snapshot):
    equal("one domain", rows(snapshot, "--domain", "mem"), [statistic(3, 856, 1) + "  [Table.load]  mem"])
    for options in (["--domain", "mem,libc"], ["--domain", "mem", "--domain=libc"]):
        equal("several: " + " ".join(options), [row.rsplit(" ", 1)[1] for row in rows(snapshot, *options)],
              ["mem", "libc"])
    equal("by domain", [row.split(",")[0] for row in rows(snapshot, "--group-by", "domain")],
          ["mem: size=856 B", "libc: size=300 B", "obj: size=64 B"])
    other = make("other.tsnap", sizes=((OBJ, 1, 64), (RAW, 3, 30)))
    text = tool("diff", "--group-by", "domain", snapshot, other).stdout
    for row in ("mem: size=0 B (-856 B), count=0 (-1)", "raw: size=30 B (+30 B), count=3 (+3), average=10 B"):
        check("a difference of domains: " + row, "" if row in text else text)
    text = tool("diff", snapshot, other).stdout
    check("a difference of lines", "" if re.search(r"table.py:3: size=94 B \(-826 B\).*  obj\+raw$", text, re.M)
          else text)
    gone = cmd_region.Region()
    gone = save(gone, "gone.tsnap")
    text = tool("diff", snapshot, gone).stdout
    check("of what is gone", "" if re.search(r"table.py:3: size=0 B \(-920 B\).*  mem\+obj$", text, re.M) else text)


def test_json(snapshot):
    report = json.loads(tool("stats", "--json", snapshot).stdout)
    row, native = report["stats"]
    equal("of several domains", (row["domain"], row["domains"]["mem"]["size"], sorted(row["domains"])),
          ("mixed", 856, ["mem", "obj"]))
    equal("of one", (native["domain"], "domains" in native), ("libc", False))
    equal("the interpreter", report["process"]["python"],
          {"state": "traced", "version": sys.version.split()[0].rstrip("+"), "reason": None})
    exported = json.loads(tool("export", snapshot).stdout)
    equal("an export keeps domains apart", sorted(context["domain"] for context in exported["contexts"]),
          ["libc", "mem", "obj"])
    kinds = [exported["frames"][i]["kind"] for i in exported["contexts"][0]["frames"]]
    equal("and says which frames are Python's", kinds, ["native", "python", "python", "native"])


def test_no_lines():
    region = cmd_region.Region()
    region.context([(region.module("/nowhere/python3"), 0x1000)], (1, 100), domain=OBJ)
    region.python, region.python_version = cmd_region.UNKNOWN_VERSION, 0x03100000 | 0xa1
    snapshot = save(region, "unknown.tsnap")
    line = "no Python lines: this version of the interpreter is not known (Python 3.16.0a1)\n"
    for options in ([], ["--group-by", "stack"], ["--group-by", "domain"]):
        equal("it is said once why there are none " + " ".join(options),
              tool("stats", *options, snapshot).stdout.count(line), 1)
    equal("of each side of a difference", tool("diff", snapshot, snapshot).stdout.count(line), 2)
    found = json.loads(tool("stats", "--json", snapshot).stdout)["process"]["python"]
    equal("and in JSON", found, {"state": "unknown_version", "version": "3.16.0a1",
                                 "reason": "this version of the interpreter is not known"})


def test_native():
    """Who has no Python sees nothing of it."""
    region = cmd_region.Region()
    region.context([(region.module("/nowhere/program"), 0x1000)], (1, 100))
    text = tool("stats", save(region, "native.tsnap")).stdout
    equal("no domains where all is libc's", [word for word in ("libc", "Python") if word in text], [])


def main():
    need_tool()
    if sys.version_info < (3, 10):
        print("1..0 # SKIP this interpreter has no co_lines()")
        sys.exit(77)
    os.environ["TRACESNAP_DIR"] = work
    snapshot = make("python.tsnap")
    test_rows(snapshot)
    test_stack(snapshot)
    test_domains(snapshot)
    test_json(snapshot)
    test_no_lines()
    test_native()
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
