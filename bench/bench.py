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
import tracers
from measure import BenchError, execute, in_turn, launch
from tracers import HEAPTRACK, TRACESNAP, UNTRACED

OWN_VARIABLES = (
    *("LD_PRELOAD", "TRACESNAP", "DUMP_HEAPTRACK", "MALLOC_", "GLIBC_TUNABLES"),
    *("HEAPPROFILE", "HEAP_PROFILE", "TCMALLOC", "VALGRIND", "PYTHON"),
)


class Bench:
    """rounds: of what is timed; chosen: names of programs and of tracers, None = all."""

    def __init__(self, rounds, quick=False, chosen_programs=None, chosen_tracers=None):
        self.rounds = rounds
        self.quick = quick
        self.chosen_programs = chosen_programs
        self.chosen_tracers = chosen_tracers
        self.tool = places.tool()
        self.library = places.library()
        self.missing = []
        self.tracers = {}  # name -> Tracer, in the order of the tables
        self.plain = {n: v for n, v in os.environ.items() if not n.startswith(OWN_VARIABLES)}
        self.plain["LC_ALL"] = "C"
        self.costs = {}  # program's name -> {tracer: [Cost]}
        self.books = {}  # program's name -> what the tracers counted in it
        self._programs = {}  # scale -> [Program]
        self._helpers = {}

    def __enter__(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.scratch = tempfile.mkdtemp(prefix="tracesnap-bench-")
        self.regions = tempfile.mkdtemp(prefix="tracesnap-bench-", dir=memory)
        try:
            self.output = tracers.Output(os.path.join(self.scratch, "traces"))
            found, missing = tracers.find(self.library, self.regions, self._samples)
            self._choose({tracer.name: tracer for tracer in found}, missing)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.progress("")
        shutil.rmtree(self.scratch, ignore_errors=True)
        shutil.rmtree(self.regions, ignore_errors=True)

    def _choose(self, found, missing):
        """The tracers that were asked for, with what they are compared with."""
        if self.chosen_tracers is None:
            self.tracers, self.missing = found, missing
            return
        # Without ours there is no bench: the claims are about it
        wanted = {UNTRACED, TRACESNAP, *self.chosen_tracers}
        wanted |= {found[name].base for name in wanted if name in found}
        self.tracers = {name: tracer for name, tracer in found.items() if name in wanted}
        self.missing = [entry for entry in missing if entry.name in wanted]

    def progress(self, text):
        if sys.stderr.isatty():
            end = "" if text else "\r"
            print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)

    def _samples(self, tracer):
        """Whether the library samples when it is told to; an older one says on stderr that it cannot."""
        program = shutil.which("true")
        done = subprocess.Popen(
            [program], env={**self.plain, **tracer.variables}, stderr=subprocess.DEVNULL
        )
        done.wait()
        document = self.stats(self.region_of(done.pid))
        self.clear_regions()
        return document["sampled"] is True

    def timed(self, slow=False):
        """The tracers of the full work; those that are too slow for it, with what they are compared with."""
        if not slow:
            return [tracer for tracer in self.tracers.values() if not tracer.slow]
        found = [tracer for tracer in self.tracers.values() if tracer.slow]
        bases = {UNTRACED, *(tracer.base for tracer in found)}
        return [t for t in self.tracers.values() if t in found or t.name in bases] if found else []

    def preloaded(self):
        """Those that a process can have in its environment: not a command that starts others."""
        return [tracer for tracer in self.timed() if not tracer.prefix]

    def environment(self, tracer):
        return {**self.plain, **tracer.environment(self._file(tracer, discard=True))}

    def _file(self, tracer, discard):
        return os.devnull if discard and tracer.discard else self.output.name

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

    def finish(self, tracer, pid):
        """After a run: it must have left something, which is taken away. Returns the region's bytes."""
        size = 0
        if tracer.in_region:
            size = os.stat(self.region_of(pid)).st_blocks * 512
            self.clear_regions()
        elif tracer.evidence and not tracer.discard and not self.output.files():
            raise BenchError(f"'{tracer.name}' wrote nothing; leave it out with '--tracers'")
        self.output.clear()
        return size

    def run(self, tracer, command):
        """One run, as short as can be; what it left is removed outside the time that counts."""
        pid, cost = execute(command, self.environment(tracer))
        self.finish(tracer, pid)
        return cost

    def print_of(self, tracer, command, finish=True):
        """One run of one of our helpers; returns (pid, stdout)."""
        file = self._file(tracer, discard=finish)
        process = subprocess.Popen(
            tracer.command(file, command),
            env={**self.plain, **tracer.environment(file)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        printed, said = process.communicate()
        if process.returncode != 0:
            cause = places.first_line(said) or f"status {process.returncode}"
            raise BenchError(f"'{tracer.name}' cannot run '{' '.join(command[1:])}': {cause}; run it by hand")
        if finish:
            self.finish(tracer, process.pid)
        return process.pid, printed

    def launch(self, tracer, program, discard=True, watch=False, output=os.devnull):
        """One run of a real program; returns (pid, Cost). What the tracer left stays."""
        file = self._file(tracer, discard)
        command = tracer.command(file, program.command)
        more = {**program.variables, **tracer.environment(file)}
        options = {"stdin": program.stdin, "load": program.load, "watch": watch, "output": output}
        return launch(self.helper("launch"), command, self.plain, more, **options)

    def cost(self, tracer, program, watch=False):
        pid, cost = self.launch(tracer, program, watch=watch)
        return dataclasses.replace(cost, region=self.finish(tracer, pid))

    def programs(self, scale=None):
        """The real programs with their work; made at the first use. None can run without a C compiler."""
        if not self.helper("launch"):
            return []
        if scale is None:
            scale = programs.QUICK if self.quick else programs.FULL
        if scale not in self._programs:
            self.progress("preparing the programs")
            directory = os.path.join(self.scratch, f"work-{scale}")
            names = self.chosen_programs or programs.MAKERS
            self._programs[scale], missing = programs.prepare(directory, scale, names)
            self.missing += [entry for entry in missing if entry not in self.missing]
        return self._programs[scale]

    def helper(self, name):
        """The program of NAME.c, or None without a C compiler."""
        if not self._helpers and not places.c_compiler():
            self.missing.append(programs.Missing("a C compiler", "apt install gcc"))
        if name not in self._helpers:
            self._helpers[name] = places.compile_helper(name, self.scratch)
        return self._helpers[name]

    def program_costs(self, program):
        """{tracer's name: [Cost]} of a real program; measured at the first use, which checks the tracers."""
        if program.name not in self.costs:
            self.books[program.name] = self.check_all(self.timed(), program)
            self.costs[program.name] = self.measure(self.timed(), program, self.rounds)
        return self.costs[program.name]

    def measure(self, of, program, rounds):
        """{tracer's name: [Cost]}, after a check that was every tracer's first run."""
        runs = {tracer.name: lambda tracer=tracer: self.cost(tracer, program) for tracer in of}
        say = lambda text: self.progress(f"{program.name}, {text}")
        return in_turn(rounds, runs, say, warm_up=False, most=tracers.limits(of))

    def check_all(self, of, program):
        """What each tracer counted in one run that is not timed; raises if one of them saw nothing."""
        books = {"seen": {}}
        for tracer in of:
            self.progress(f"{program.name}, checking {tracer.name}")
            pid, _ = self.launch(tracer, program, discard=False)
            books["seen"][tracer.name] = self.seen(tracer, pid, program.name, books)
        if HEAPTRACK in books["seen"]:
            books["heaptrack_count"] = books["seen"][HEAPTRACK]
        return books

    def seen(self, tracer, pid, subject, books):
        """What a tracer saw of the run that just ended; it must be something. books: takes our own counts."""
        if tracer.in_region:
            document = self.stats(self.region_of(pid))
            found = document["totals"]["allocated_count"]
            if tracer.name == TRACESNAP:
                books["totals"] = document["totals"]
                books["drops"] = {cause: n for cause, n in document["drops"].items() if n}
            elif document["sampled"] is True:
                found = max(found, 1)  # a small run may end before the first sample
        elif tracer.evidence:
            found = tracer.evidence(self.output.files())
        else:
            found = None
        if found == 0:
            raise BenchError(f"'{tracer.name}' saw nothing of '{subject}'; leave it out with '--tracers'")
        self.clear_regions()
        self.output.clear()
        return found

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
