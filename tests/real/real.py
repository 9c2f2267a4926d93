"""Real programs: traced, they do what they do untraced, and the totals agree with independent counts.

Three counts of the same program, none of which knows of the others:
  tracesnap   the totals of its region
  count.c     preloaded before the shim in the same process: the calls that the program makes
  valgrind    "total heap usage" of another run, for programs that do the same in each run
"""

import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

# pylint: disable=wrong-import-position
from tap import Skip, Tap  # noqa: E402
from tracesnap import SHIM, SOURCE, TIMEOUT, TOOL, Regions, Watchdog, drops  # noqa: E402, F401

NUMBERS = ("allocated_count", "allocated_size", "freed_count")


def need(program):
    path = shutil.which(program)
    if path is None:
        raise Skip(f"no {program}")
    return path


class Bench:
    """A region directory, a compiled count.so, and preloads under names of equal length: a program that copies
    its environment then allocates the same in each kind of run."""

    def __init__(self, regions):
        self.regions = regions
        self.scratch = regions.scratch
        self.counts = self.scratch / "counts"
        self.counts.mkdir()
        self.count_so = self.scratch / "c.so"
        self.shim = self.scratch / "t.so"
        self.shim.symlink_to(SHIM)
        source = SOURCE / "tests" / "real" / "count.c"
        flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-fno-builtin", "-shared"]
        compiler = shlex.split(os.environ["CC"])
        subprocess.run([*compiler, *flags, source, "-o", self.count_so], check=True, timeout=TIMEOUT)

    def environment(self, preload="", options="", **more):
        environment = self.regions.environment(options or "verify=0", **more)
        environment.update(COUNT_DIR=str(self.counts), HOME=str(self.scratch), TZ="UTC")
        if preload:
            environment["LD_PRELOAD"] = preload
        return environment

    def run(self, command, preload="", options="", cwd=None, env=None):
        """Runs a program that must succeed; returns its output and its pid."""
        with subprocess.Popen(
            command,
            env=self.environment(preload, options, **(env or {})),
            cwd=cwd or self.scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process, Watchdog(process.pid):
            stdout, stderr = process.communicate()
        if process.returncode != 0:
            raise AssertionError(f"{command[0]} ended with {process.returncode}: {stderr.decode(errors='replace')}")
        return stdout, stderr, process.pid

    def counted(self, pid):
        """What count.c says of the last program of a process."""
        files = sorted(self.counts.glob(f"{pid}-*"), key=lambda path: int(path.name.split("-")[1]))
        if not files:
            raise AssertionError(f"count.c has nothing of process {pid}")
        return _read_count(files[-1])

    def forget_counts(self):
        for path in self.counts.iterdir():
            path.unlink()

    def counted_program(self, name):
        """What count.c says of the one process whose program has this name."""
        found = []
        for path in self.counts.iterdir():
            numbers = _read_count(path)
            if pathlib.PurePath(numbers["exe"]).name == name:
                found.append((path.name.split("-")[0], numbers))
        if len(found) != 1:
            raise AssertionError(f"{len(found)} processes ran {name}, expected 1")
        return found[0]

    def region(self, pid):
        found = self.regions.of(pid)
        if not found:
            raise AssertionError(f"no region of process {pid} among {[p.name for p in self.regions.all()]}")
        return found[-1]

    def report(self, pid):
        return self.regions.stats(self.region(pid), "--group-by", "object")


def _read_count(path):
    data = path.read_bytes()
    numbers = dict(zip(NUMBERS, struct.unpack_from("=QQQ", data)))
    numbers["at_start"] = dict(zip(NUMBERS, struct.unpack_from("=QQQ", data, 24)))
    numbers["exe"] = data[48:].split(b"\0")[0].decode()
    return numbers


def programs_own(together, alone):
    """What the program asked for in a run with the shim behind count.c. The shim's own start asks for blocks,
    too (dlopen of libunwind). It is over when count.c starts; so what stands there for the time before is left
    out, and what the program's own libraries ask for in that time is taken from a run without the shim."""
    return {key: together[key] - together["at_start"][key] + alone["at_start"][key] for key in NUMBERS}


def compare(report, numbers, who):
    """The totals of a region and another count, to the last call and byte."""
    wrong = [
        f"{key}: tracesnap {report['totals'][key]}, {who} {numbers[key]}"
        for key in NUMBERS
        if key in numbers and report["totals"][key] != numbers[key]
    ]
    wrong += drops(report)
    if wrong:
        raise AssertionError("\n".join(wrong))
    if report["totals"]["allocated_count"] == 0:
        raise AssertionError("nothing was allocated: the program was not traced")


def equal_output(traced, plain):
    if traced[:2] != plain[:2]:
        raise AssertionError(f"output differs:\ntraced {traced[:2]!r:.2000}\nuntraced {plain[:2]!r:.2000}")


def valgrind_count(bench, command, **more):
    """Valgrind's sums. Its own clean-up at exit (freeres) is off: an ordinary exit has none."""
    valgrind = [need("valgrind"), "--run-libc-freeres=no", "--run-cxx-freeres=no"]
    stderr = bench.run([*valgrind, *command], **more)[1].decode()
    pattern = r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes allocated"
    found = re.search(pattern, stderr)
    if not found:
        raise AssertionError(f"valgrind says nothing of the heap: {stderr}")
    count, freed, size = (int(n.replace(",", "")) for n in found.groups())
    return {"allocated_count": count, "allocated_size": size, "freed_count": freed}


def traced_alone(bench, command, plain, **more):
    """The output is as untraced, nothing is dropped."""
    traced = bench.run(command, str(bench.shim), **more)
    equal_output(traced, plain)
    wrong = drops(bench.report(traced[2]))
    if wrong:
        raise AssertionError("\n".join(wrong))


def traced_and_counted(bench, command, plain, options="", **more):
    """The totals are what count.c counts in the same process."""
    alone = bench.counted(bench.run(command, str(bench.count_so), **more)[2])
    traced = bench.run(command, f"{bench.count_so}:{bench.shim}", options, **more)
    equal_output(traced, plain)
    compare(bench.report(traced[2]), programs_own(bench.counted(traced[2]), alone), "count.c")


def traced_as_without(bench, command, **more):
    """The totals are what count.c counts in a run without the shim: it changes nothing that is asked for."""
    alone = bench.counted(bench.run(command, str(bench.count_so), **more)[2])
    traced = bench.run(command, str(bench.shim), **more)
    compare(bench.report(traced[2]), alone, "count.c in a run without the shim")


def traced_as_valgrind(bench, command, **more):
    numbers = valgrind_count(bench, command, **more)
    traced = bench.run(command, str(bench.shim), **more)
    compare(bench.report(traced[2]), numbers, "valgrind")


def verified(document, early=0):
    """Every stack was unwound a second time, and gave the same; but for the `early` allocations that other
    libraries made before the shim's constructor could load libunwind."""
    checked, allocated = document["shim"]["verified"], document["totals"]["allocated_count"]
    wrong = drops(document)
    if allocated == 0 or checked < allocated - early:
        wrong.append(f"{checked} stacks verified of {allocated} allocations")
    if wrong:
        raise AssertionError("\n".join(wrong))


def traced_and_verified(bench, command, plain, options="verify=1", **more):
    traced = bench.run(command, str(bench.shim), options, **more)
    equal_output(traced, plain)
    verified(bench.report(traced[2]))


def check_program(tap, name, command, repeatable=True, valgrind=False, count_options="", verify_options="verify=1", **more):
    """
    All that holds for a program that runs alone. repeatable: it asks for the same in each run.
    valgrind: it does so under valgrind, too, that is, it does not copy its environment, to which valgrind adds.
    count_options: the shim's options where its totals are to be those of malloc.
    verify_options: those where every stack is to be as libunwind's, with verify=1.
    """
    with Regions() as regions:
        bench = Bench(regions)
        plain = bench.run(command, **more)
        tap.check(f"{name}: output as untraced, nothing dropped", traced_alone, bench, command, plain, **more)
        tap.check(
            f"{name}: totals as in the same process",
            traced_and_counted,
            bench,
            command,
            plain,
            options=count_options,
            **more,
        )
        tap.check(
            f"{name}: every stack as libunwind's",
            traced_and_verified,
            bench,
            command,
            plain,
            options=verify_options,
            **more,
        )
        if repeatable:
            tap.check(f"{name}: totals as in a run without the shim", traced_as_without, bench, command, **more)
        if valgrind:
            tap.check(f"{name}: totals as valgrind's", traced_as_valgrind, bench, command, **more)


def main(name, checks):
    """Runs checks(tap); what it needs and is not there skips all."""
    tap = Tap()
    try:
        checks(tap)
    except Skip as reason:
        tap.skip(name, reason)
    sys.exit(tap.done())
