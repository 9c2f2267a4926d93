#!/usr/bin/env python3
"""The system calls of the shim: those of the list in shim/system.h and no others, each refused in turn."""

import errno
import re
import shutil
import subprocess

from limits import SHIM, SOURCE, TIMEOUT, Regions, Run, Skip, Tap, build, compare, equal, stats

TAP = Tap()
TEXT = (SOURCE / "shim/system.h").read_text().replace("\\\n", " ")
FLAGS = {name: int(value) for name, value in re.findall(r"#define (SYS_\w+) (\d+) +/\*", TEXT)}
PARTS = ("SYS_AT_START", "SYS_GROWING", "SYS_IN_CHILD", "SYS_GROWING")  # before mark 1, then after 1, 2, 3


def listed():
    """Call -> flags of when it is made."""
    found = {}
    body = TEXT[TEXT.index("#define SYS_LIST(X)"):TEXT.index("enum sys_name {")]
    for call, when in re.findall(r"X\(\w+, (\w+), ([A-Z_| ]+),", body):
        found[call] = found.get(call, 0) | sum(FLAGS[flag] for flag in re.split(r"\s*\|\s*", when.strip()))
    return found


LISTED = listed()


def trace(regions, environment, program):
    """(pid, instruction, call, rest of the line) of each call, as strace tells them."""
    log = regions.scratch / "strace"
    command = ["strace", "-f", "-i", "-y", "-o", log, "-E", "LD_PRELOAD=" + environment.pop("LD_PRELOAD", ""), program]
    subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=True)
    pattern = re.compile(r"(\d+) +\[([0-9a-f]+)\] (\w+)\((.*)")
    return [match.groups() for match in map(pattern.match, log.read_text().splitlines()) if match]


def text_of_shim(calls):
    for _, _, call, rest in calls:
        if call == "mmap" and "libtracesnap.so" in rest and "PROT_EXEC" in rest:
            size = int(rest.split(", ")[1])
            start = int(rest.rsplit("= ", 1)[1], 16)
            return range(start, start + size)
    raise AssertionError("strace saw no mapping of the shim's code")


def seen_by_strace():
    """Every call that strace sees is on the list, for the time when it is made"""
    if shutil.which("strace") is None:
        raise Skip("strace is not here")
    with Regions() as regions:
        program = build("limits/plain.c", "-pthread")
        plain = {call for _, _, call, _ in trace(regions, regions.environment(), program)}
        calls = trace(regions, regions.traced(), program)
    text = text_of_shim(calls)
    part, wrong, seen = {}, set(), set()
    for pid, instruction, call, rest in calls:
        if call == "getpgid":
            part[pid] = int(re.match(r"-(\d+)", rest)[1])
        when = PARTS[part.get(pid, 2 if part else 0)]
        if int(instruction, 16) not in text:
            if call not in plain and not LISTED.get(call, 0) & FLAGS["SYS_BY_LIBUNWIND"]:
                wrong.add(f"{call}, of a library that the shim loads, is not on the list")
            continue
        seen.add(call)
        if not LISTED.get(call, 0) & (FLAGS[when] | FLAGS["SYS_ON_DEMAND"] | FLAGS["SYS_PRUNING"]):
            wrong.add(f"{call} is not on the list for {when}: add it to SYS_LIST, shim/system.h")
    equal("calls that are not on the list", sorted(wrong), [])
    if len(seen) < 15:
        raise AssertionError(f"only {sorted(seen)} were seen: the test looks at the wrong place")


def run(refused):
    """A run under tests/faults/limits/refuse.c, compared as far as there are regions; how many there are."""
    library = build("limits/refuse.c", "-shared", "-fPIC", output="refuse.so")
    program = build("limits/plain.c", "-pthread")
    with Regions() as regions:
        environment = regions.environment(REFUSE=refused, LD_PRELOAD=f"{SHIM} {library}")
        done = Run(regions, [program], environment=environment)
        equal("on stderr", done.stderr, "")
        equal("processes", len(done.own), 3)
        reports = [(path, stats(regions, path)) for path in regions.all()]
        for path, report in reports:
            compare(path.name, done.own[path.name.split("-")[0]], report)
        return [report for _, report in reports]


def only_listed():
    """A filter that kills for what is not on the list, arguments included: all is traced, nothing lost"""
    reports = run("listed")
    equal("regions", len(reports), 3)
    for report in reports:
        equal("drops", {cause: n for cause, n in report["drops"].items() if n}, {})


def number_of(call):
    text = subprocess.run(["cpp", "-dM", "-include", "sys/syscall.h", "/dev/null"], capture_output=True, text=True,
                          check=True).stdout
    return int(re.search(rf"#define __NR_{call} (\d+)", text)[1])


def refused(call, error):
    number = -1 if call == "every call" else number_of(call)
    reports = run(f"{number} {error}")
    if number == -1:
        equal("regions", len(reports), 0)


for check in seen_by_strace, only_listed:
    TAP.check(check.__doc__, check)
for call in ["every call", *sorted(LISTED)]:
    TAP.check(f"{call} of the shim is refused with EPERM: the program is as without the shim",
              refused, call, errno.EPERM)
for call in "every call", "madvise", "openat", "rt_sigprocmask":  # whose errors the shim tells apart
    TAP.check(f"{call} of the shim is refused with ENOSYS: the program is as without the shim",
              refused, call, errno.ENOSYS)
raise SystemExit(TAP.done())
