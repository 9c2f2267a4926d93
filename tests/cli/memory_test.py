#!/usr/bin/env python3
"""The parts of a process's resident memory: as /proc has them, as the program took them, and in snapshots."""

import json
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from tap import Skip, Tap  # noqa: E402
from tracesnap import BUILD, TIMEOUT, TOOL, Regions  # noqa: E402

MIB = 1 << 20
TRIES = 50
NOBODY = 65534
ORDER = ("rss pss uss swap anonymous file shared heap stacks mapped data tracer_tables tracer_region hugetlb").split()


def equal(name, have, want):
    if have != want:
        raise AssertionError(f"{name} is {have!r}, expected {want!r}")


def compile_program():
    program = BUILD / "tests" / "cli" / "programs" / "memory"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*shlex.split(os.environ["CC"]), "-D_GNU_SOURCE", "-O1", "-g", "-pthread", str(HERE / "memory.c"),
                    "-o", str(program)], check=True, timeout=TIMEOUT)
    return program


def rollup(pid):
    """{field: bytes} of /proc/PID/smaps_rollup, which the tool does not read."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        fields = re.findall(r"^(\w+): +(\d+) kB$", file.read(), re.M)
    return {name: int(kib) * 1024 for name, kib in fields}


class Program:
    """The traced program, step by step."""

    def __init__(self, program, directory):
        self.regions = directory
        file = directory.scratch / "file"
        file.write_bytes(bytes(range(256)) * (6 * MIB // 256))
        self.process = subprocess.Popen([program, file], env=directory.traced(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        equal("the first line", self.process.stdout.readline(), b"ready=0\n")

    def step(self):
        """What the program took: {part: bytes}."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return {name: int(size) for name, size in
                (word.split("=") for word in self.process.stdout.readline().decode().split())}

    def report(self, *options, source=None):
        return json.loads(self.regions.tool("stats", "--json", *options, source or self.process.pid))

    def memory(self):
        return self.report()["memory"]

    def text(self, source=None):
        return self.regions.tool("stats", source or self.process.pid).decode()

    def end(self):
        self.process.stdin.close()
        equal("the program's status", self.process.wait(TIMEOUT), 0)
        self.process.stdout.close()


def adds_up(memory):
    equal("rss", memory["rss"], sum(memory[part] for part in ("anonymous", "file", "shared", "tracer_region")))
    parts = ("heap", "stacks", "mapped", "data", "tracer_tables")
    equal("anonymous", memory["anonymous"], sum(memory[part] for part in parts))


def as_proc_has_it(program):
    """Read between two looks at smaps_rollup that found the same."""
    for _ in range(TRIES):
        before = rollup(program.process.pid)
        memory = program.memory()
        if rollup(program.process.pid) == before:
            break
    else:
        raise Skip("the kernel moves the program's memory all the time")
    adds_up(memory)
    equal("rss", memory["rss"], before["Rss"])
    equal("anonymous", memory["anonymous"], before["Anonymous"])
    equal("swap", memory["swap"], before["Swap"])
    # The tool shares pages of libraries while it looks.
    for part, size in (("uss", before["Private_Clean"] + before["Private_Dirty"]), ("pss", before["Pss"])):
        if abs(size - memory[part]) > MIB:
            raise AssertionError(f"{part} is {memory[part]}, /proc says {size}")


def takes(program, before, expected):
    """What a step took shows in its part; nothing else grew by a MiB (which is more than the shim needs for it)."""
    taken = program.step()
    equal("the step", set(taken), expected)
    memory = program.memory()
    adds_up(memory)
    for part in ("heap", "stacks", "mapped", "data", "file", "shared"):
        grown, want = memory[part] - before[part], taken.get(part, 0)
        if not want - MIB // 4 <= grown <= want + MIB:
            raise AssertionError(f"{part} grew by {grown}, expected {want}: {taken}")
    return memory


def kinds(program):
    memory = program.memory()
    for expected in ({"heap"}, {"mapped"}, {"stacks"}, {"shared"}, {"file", "data"}):
        memory = takes(program, memory, expected)


def own_part(program):
    """What looks like the shim's tables is the shim's only as far as it says that it mapped so much."""
    before = program.report()
    equal("the step", program.step(), {"alike": 16 * MIB})
    if not os.path.exists("/sys/kernel/mm/transparent_hugepage"):
        raise Skip("a kernel without huge pages has no flag that says no huge pages")
    after = program.report()
    adds_up(after["memory"])
    for report in (before, after):
        own, mapped = report["memory"]["tracer_tables"], report["shim"]["private_bytes"]
        if not 0 < own <= mapped:
            raise AssertionError(f"the shim's tables take {own} bytes, of {mapped} that it mapped")
        region = report["memory"]["tracer_region"]
        if not 0 < region <= report["process"]["region_size"] + MIB:
            raise AssertionError(f"the region takes {region}, its file {report['process']['region_size']}")
    tables = after["memory"]["tracer_tables"] - before["memory"]["tracer_tables"]
    grown = tables + after["memory"]["mapped"] - before["memory"]["mapped"]
    if not 16 * MIB <= grown <= 18 * MIB:
        raise AssertionError(f"16 MiB were mapped, {grown} bytes more are there")


def difference(program):
    """What text says of heap and mapped beside the traced total."""
    text = program.text()
    report = program.report()
    room = report["memory"]["heap"] + report["memory"]["mapped"] - report["totals"]["size"]
    shown = re.search(r"; heap and mapped are ([\d.]+) MiB more than is traced: free chunks, mapped by others\n", text)
    if not shown or abs(float(shown[1]) * MIB - room) > MIB / 4:
        raise AssertionError(f"not {room} bytes more:\n{text}")
    parts = re.search(r"^resident \S+ \wiB(: .*)$", text, re.M)
    names = re.findall(r"[:,] (\w+) \S+ \w?i?B", parts[1])
    equal("the parts shown", names, ["heap", "mapped", "stacks", "files", "shared", "tracesnap"])
    if program.step() == {"unused": 0}:
        raise Skip("512 MiB could not be allocated")
    text = program.text()
    shown = re.search(r"; of what is traced at least (\d+) MiB is not resident: not yet used, or swapped\n", text)
    if not shown or not 450 <= int(shown[1]) <= 512:
        raise AssertionError(f"512 MiB are not used yet:\n{text}")
    # Behind PSS and USS, which change with what other processes share.
    few, all_of_it = ([line.partition("; ")[2] for line in shown.splitlines() if "at least" in line] for shown in
                      (program.regions.tool("stats", "--filter", "*nowhere*", program.process.pid).decode(), text))
    equal("the same whatever the filter", few, all_of_it)


def unshared(memory):
    """Without the figures that other processes change, which begin and end."""
    return {part: size for part, size in memory.items() if part not in ("pss", "uss")}


def snapshots(program):
    """A snapshot keeps what was; a damaged one is refused."""
    path = program.regions.scratch / "a.tsnap"
    for _ in range(TRIES):
        memory = program.memory()
        program.regions.tool("snap", program.process.pid, "-o", path)
        if unshared(program.memory()) == unshared(memory):
            break
    else:
        raise Skip("the kernel moves the program's memory all the time")
    kept = program.report(source=path)["memory"]
    equal("the memory in a snapshot, but for sharing", unshared(kept), unshared(memory))
    memory = kept
    equal("in an export", json.loads(program.regions.tool("export", path))["memory"], memory)
    lines = [[line for line in program.text(source).splitlines() if line.startswith(("resident", "PSS"))]
             for source in (path, program.process.pid)]
    equal("the text of it", len(lines[0]), 2)
    equal("the text of it, but for sharing", lines[0][0], lines[1][0])
    both = json.loads(program.regions.tool("diff", "--json", path, path))
    equal("on both sides of a difference", (both["memory"], both["old"]["memory"]), (memory, memory))
    text = program.regions.tool("diff", path, path).decode()
    equal("one line for each side of it", len(re.findall(r"^resident ", text, re.M)), 2)
    damage(program, path, memory)


def damage(program, path, memory):
    data = path.read_bytes()
    stored = struct.pack(f"<{len(ORDER)}Q", *(memory[key] for key in ORDER))
    equal("places of these numbers in the file", data.count(stored), 1)
    for change in ({"rss": memory["rss"] + 4096}, {"heap": memory["heap"] ^ 4096}, {"pss": 1 << 63},
                   {"heap": 1 << 62, "anonymous": memory["anonymous"] - memory["heap"] + (1 << 62),
                    "rss": memory["rss"] - memory["heap"] + (1 << 62)}):
        bad = struct.pack(f"<{len(ORDER)}Q", *(change.get(key, memory[key]) for key in ORDER))
        other = path.with_name("bad.tsnap")
        other.write_bytes(data.replace(stored, bad))
        done = subprocess.run([TOOL, "stats", other], capture_output=True, timeout=TIMEOUT, check=False)
        message = f"tracesnap: snapshot '{other}' is damaged: the parts of its memory do not add up\n"
        equal(f"with {change}", (done.returncode, done.stderr.decode()), (2, message))
    other.write_bytes(data.replace(stored, bytes(len(stored))))
    equal("of a snapshot that has none", program.report(source=other)["memory"], None)


def nothing_known(program):
    """Of a process that may not be looked at, and of one that ended, nothing is said."""
    pid, uid = program.process.pid, os.geteuid()
    equal("the step", program.step(), {"end": 0})
    region = program.regions.of(pid)[0]
    command = [TOOL, "stats", "--json", region]
    if uid == 0:
        # Somebody who owns the region, but is not root.
        with tempfile.TemporaryDirectory(prefix="tracesnap-test-", dir="/tmp") as place:
            command[0] = shutil.copy(TOOL, place)
            command[3] = shutil.copy(region, place)
            for path in (place, command[0], command[3]):
                os.chown(path, NOBODY, NOBODY)
            check_unseen(command, program, user=NOBODY, group=NOBODY, extra_groups=[])
    else:
        check_unseen(command, program)
    program.end()
    report = program.report(source=region)
    equal("of an ended process", (report["process"]["alive"], report["memory"]), (False, None))
    equal("lines of an ended process", "resident" in program.text(region), False)


def check_unseen(command, program, **more):
    done = subprocess.run(command, env=program.regions.environment(), capture_output=True, timeout=TIMEOUT,
                          check=False, cwd="/", **more)
    # The program may stand where only its owner comes: then its symbols are left out, too.
    said = [line for line in done.stderr.decode().splitlines() if "(Permission denied): symbols left out" not in line]
    equal("the tool's status", (done.returncode, said), (0, []))
    report = json.loads(done.stdout)
    equal("a process that may not be looked at", (report["process"]["alive"], report["memory"]), (True, None))


def another_program():
    """The memory of a process is not that of the program that it was before."""
    with Regions() as regions:
        with subprocess.Popen(["/bin/sh", "-c", "exec cat"], env=regions.traced(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            process.stdin.write(b"\n")
            process.stdin.flush()
            equal("what cat gives back", process.stdout.readline(), b"\n")
            found = []
            for region in regions.of(process.pid):
                report = json.loads(regions.tool("stats", "--json", region))
                found.append((report["process"]["state"], report["process"]["alive"], report["memory"] is not None))
            process.stdin.close()
    equal("state, alive, with memory", found, [("replaced", True, False), ("running", True, True)])


def main():
    tap = Tap()
    with Regions() as regions:
        program = Program(compile_program(), regions)
        tap.check("as /proc has it", as_proc_has_it, program)
        tap.check("heap, maps, stacks, shared memory and files as they were taken", kinds, program)
        tap.check("as /proc has it, with much of each kind", as_proc_has_it, program)
        tap.check("tracesnap's own part", own_part, program)
        tap.check("more than is traced, and less", difference, program)
        tap.check("in snapshots, exports and differences", snapshots, program)
        tap.check("nothing where nothing is known", nothing_known, program)
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()
    tap.check("not of another program", another_program)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
