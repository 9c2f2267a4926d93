"""What all cases share: the tracers under test, a scratch directory and a region directory that go away, and
the rule that a run counts only if its tracer really traced."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile

import places
import programs
from measure import BenchError, execute, in_turn, launch

OWN_VARIABLES = ("LD_PRELOAD", "TRACESNAP", "DUMP_HEAPTRACK", "MALLOC_", "GLIBC_TUNABLES")
HEAPTRACK = "heaptrack"
TRACESNAP = "tracesnap"
UNTRACED = "untraced"


class Bench:
    def __init__(self, rounds, quick):
        self.rounds = rounds
        self.quick = quick
        self.tool = places.tool()
        self.library = places.library()
        self.heaptrack = places.heaptrack_library()
        self.missing = []
        if not self.heaptrack:
            self.missing.append(programs.Missing(HEAPTRACK, "apt install heaptrack"))
        self.plain = {n: v for n, v in os.environ.items() if not n.startswith(OWN_VARIABLES)}
        self.plain["LC_ALL"] = "C"
        self.costs = {}  # program's name -> {variant: [Cost]}
        self.books = {}  # program's name -> what the tracers counted in it
        self._programs = None
        self._helpers = {}

    def __enter__(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.scratch = tempfile.mkdtemp(prefix="tracesnap-bench-")
        self.regions = tempfile.mkdtemp(prefix="tracesnap-bench-", dir=memory)
        return self

    def __exit__(self, *unused):
        self.progress("")
        shutil.rmtree(self.scratch, ignore_errors=True)
        shutil.rmtree(self.regions, ignore_errors=True)

    def progress(self, text):
        if sys.stderr.isatty():
            end = "" if text else "\r"
            print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)

    def variants(self):
        return [UNTRACED, TRACESNAP] + ([HEAPTRACK] if self.heaptrack else [])

    def variables(self, variant, output=os.devnull):
        """What a tracer adds to the environment."""
        if variant == TRACESNAP:
            return {"LD_PRELOAD": self.library, "TRACESNAP_DIR": self.regions}
        if variant == HEAPTRACK:
            return {"LD_PRELOAD": self.heaptrack, "DUMP_HEAPTRACK_OUTPUT": output}
        return {}

    def environment(self, variant):
        return {**self.plain, **self.variables(variant)}

    def region_of(self, pid):
        """The region of a process; there must be one, else the process was not traced."""
        found = [e.path for e in os.scandir(self.regions) if e.name.split("-")[0] == str(pid)]
        if not found:
            raise BenchError(
                f"no region of process '{pid}': it ran untraced; look at it with 'tracesnap doctor'"
            )
        return max(found, key=len)

    def clear_regions(self):
        for entry in os.scandir(self.regions):
            os.unlink(entry.path)

    def run(self, variant, command):
        """One run, as short as can be; its region is removed outside the time that counts."""
        pid, cost = execute(command, self.environment(variant))
        if variant == TRACESNAP:
            self.region_of(pid)
            self.clear_regions()
        return cost

    def launch(self, variant, program, output=os.devnull):
        """One run of a real program; returns (pid, Cost). Its region stays."""
        more = self.variables(variant, output)
        return launch(self.helper("launch"), program.command, self.plain, more, program.stdin)

    def _cost(self, variant, program):
        pid, cost = self.launch(variant, program)
        if variant != TRACESNAP:
            return cost
        region = os.stat(self.region_of(pid)).st_blocks * 512
        self.clear_regions()
        return dataclasses.replace(cost, region=region)

    def programs(self):
        """The real programs with their work; made at the first use. None can run without a C compiler."""
        if not self.helper("launch"):
            return []
        if self._programs is None:
            self.progress("preparing the programs")
            self._programs, missing = programs.prepare(self.scratch)
            self.missing += missing
        return self._programs

    def helper(self, name):
        """The program of NAME.c, or None without a C compiler."""
        if not self._helpers and not places.c_compiler():
            self.missing.append(programs.Missing("a C compiler", "apt install gcc"))
        if name not in self._helpers:
            self._helpers[name] = places.compile_helper(name, self.scratch)
        return self._helpers[name]

    def program_costs(self, program):
        """{variant: [Cost]} of a real program; measured at the first use, which also checks the tracers."""
        if program.name not in self.costs:
            self.books[program.name] = self._check(program)
            runs = {
                variant: lambda variant=variant: self._cost(variant, program)
                for variant in self.variants()
            }
            self.costs[program.name] = in_turn(
                self.rounds, runs, lambda text: self.progress(f"{program.name}, {text}")
            )
        return self.costs[program.name]

    def _check(self, program):
        """Both tracers' own counts of one run that is not timed; raises if one of them saw nothing."""
        pid, _ = self.launch(TRACESNAP, program)
        document = self.stats(self.region_of(pid))
        self.clear_regions()
        books = {
            "totals": document["totals"],
            "drops": {cause: n for cause, n in document["drops"].items() if n},
        }
        if books["totals"]["allocated_count"] == 0:
            raise BenchError(f"tracesnap saw no allocation of '{program.name}'; run 'tracesnap doctor'")
        if self.heaptrack:
            output = os.path.join(self.scratch, "heaptrack.out")
            self.launch(HEAPTRACK, program, output)
            books["heaptrack_count"] = self._heaptrack_allocations(program, output)
        return books

    def _heaptrack_allocations(self, program, output):
        """Allocations in heaptrack's raw data: lines that begin with '+'."""
        try:
            with open(output, "rb") as file:
                count = sum(line.startswith(b"+ ") for line in file)
            os.unlink(output)
        except FileNotFoundError:
            count = 0
        if count == 0:
            raise BenchError(f"heaptrack saw no allocation of '{program.name}'; remove it or install another")
        return count

    def call_tool(self, *arguments):
        """Runs the tool on this bench's regions; returns its Cost."""
        messages = os.path.join(self.scratch, "messages")
        try:
            _, cost = execute([self.tool, *arguments], self._tool_environment(), messages)
        except BenchError as error:
            with open(messages, encoding="utf-8", errors="replace") as file:
                raise BenchError(f"{error} ({file.read().strip()})") from error
        return cost

    def stats(self, source, *options):
        command = [self.tool, "stats", "--json", "--top", "1", *options, source]
        done = subprocess.run(
            command, env=self._tool_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BenchError(f"'tracesnap stats' failed: {done.stderr.strip()}; run it by hand")
        return json.loads(done.stdout)

    def _tool_environment(self):
        return {**self.plain, "TRACESNAP_DIR": self.regions}
