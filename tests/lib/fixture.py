"""Compiles a program of tests/programs, runs it traced in every way, and compares what the tool says with what
the program says of itself."""

import difflib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess

from tracesnap import BUILD, SOURCE, TIMEOUT, TOOL, Regions, Watchdog, drops

KEYS = ("size", "count", "allocated_size", "allocated_count", "temporary_count")

# Name -> (flags, where the compiler is called from: decides how file names look in the debug information).
VARIANTS = {
    "O2": (["-O2"], None),
    "O0": (["-O0"], SOURCE),
    "O2-frame-pointer": (["-O2", "-fno-omit-frame-pointer"], SOURCE),
    "O0-no-frame-pointer": (["-O0", "-fomit-frame-pointer"], None),
    "Os-no-pie": (["-Os", "-fno-pie", "-no-pie"], None),
}
MODES = {"O2": ("plain", "exit", "live", "killed", "run", "verify", "sampled")}
OTHER_MODES = ("exit", "verify")
SAMPLE = 200  # bytes: most programs have both, blocks that are recorded and others


class Fixture:
    """A source file and what its first comment says of it:

    @build FLAGS         more flags for the compiler
    @run ARGS => STATUS  arguments and status (minus the signal's number); default: none => 0
    @drops CAUSE         a drop that must occur
    @may-drop CAUSE      a drop that may occur: the comment says why
    @without MODE        a mode that cannot be: the comment says why
    @files GLOB          files whose lines are compared; default: *NAME*
    @module FILE         a plug-in, compiled to $EXPECT_MODULES/NAME.so
    @snapshot FILE       the program itself saves this when it is ready: must say the same
    @needs HEADER        skip where the header is missing
    """

    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        self.name = self.path.stem
        text = self.path.read_text(encoding="utf-8")
        self.comment = text[: text.index("*/")]
        self.flags = [flag for line in self._said("build") for flag in shlex.split(line)]
        self.drops = self._said("drops")
        self.may_drop = self._said("may-drop")
        self.modules = self._said("module")
        self.without = self._said("without")
        self.snapshots = self._said("snapshot")
        self.needs = self._said("needs")
        self.files = (self._said("files") or [f"*{self.name}*"])[0]
        self.runs = []
        for line in self._said("run"):
            arguments, status = line.split("=>")
            self.runs.append((arguments.split(), int(status)))
        self.runs = self.runs or [([], 0)]

    def _said(self, word):
        return [m.group(1).strip() for m in re.finditer(rf"^ \* @{word}\b(.*)$", self.comment, re.M)]

    def missing(self):
        """The first header that it needs and that is not there."""
        for header in self.needs:
            command = [*shlex.split(os.environ["CC"]), "-E", "-x", "c", "-"]
            source = f"#include <{header}>\n".encode()
            if subprocess.run(command, input=source, capture_output=True, check=False).returncode != 0:
                return header
        return None

    def compile(self, variant):
        """Returns the program, and leaves its modules in `modules` beside it."""
        directory = BUILD / "tests" / "programs" / f"{self.name}-{variant}"
        (directory / "modules").mkdir(parents=True, exist_ok=True)
        program = directory / self.name
        _compile(self.path, program, variant, self.flags)
        for module in self.modules:
            source = self.path.parent / module
            _compile(source, directory / "modules" / f"{source.stem}.so", variant, ["-shared", "-fPIC"])
        return program


def _compile(source, output, variant, flags):
    optimisation, directory = VARIANTS[variant]
    is_c = source.suffix == ".c"
    command = [*shlex.split(os.environ["CC" if is_c else "CXX"]), "-std=gnu11" if is_c else "-std=gnu++17"]
    name = source.relative_to(directory) if directory else source
    command += ["-D_GNU_SOURCE", f"-I{SOURCE}", "-g", *optimisation, "-w", str(name), "-o", str(output), *flags]
    subprocess.run(command, cwd=directory, check=True, timeout=TIMEOUT)


def _bare(function):
    """A function's name as __func__ has it: no arguments, no template's, no scope, no clone."""
    if function is None:
        return None
    if "operator()" in function:
        return "operator()"
    depth, bare = 0, ""
    for character in re.sub(r"\[clone .*?\]|\{lambda.*?\}", "", function):
        depth -= character in ")>"
        bare += character if depth == 0 and character not in ")>(<" else " " if depth == 0 else ""
        depth += character in "(<"
    bare = bare.split()[-1] if bare.split() else function
    return bare.split("::")[-1].split(".")[0]


def _rows(stats, hidden):
    """Each row as a line of JSON, in order, with what the program itself can know of it."""
    rows = []
    for row in stats:
        name = pathlib.PurePath(row["file"] or "?").name
        if f"{name}:{row['line']}" in hidden:
            continue
        reduced = {"file": name, "line": row["line"], "function": _bare(row["function"])}
        reduced.update((key, row[key]) for key in KEYS)
        rows.append(json.dumps(reduced))
    return rows


class Run:
    """One run of a fixture in one mode."""

    def __init__(self, fixture, program, mode, arguments, status):
        self.fixture = fixture
        self.program = program
        self.mode = mode
        self.command = [str(program), *arguments]
        self.status = status
        self.wrong = []

    def check(self):
        with Regions() as self.regions:
            if self.mode == "plain":
                self._untraced()
            elif self.mode == "run":
                self._saved()
            elif self.mode in ("live", "killed"):
                self._stopped_halfway(kill=self.mode == "killed")
            else:
                self._to_the_end()
        if self.wrong:
            raise AssertionError("\n".join(self.wrong))

    def _environment(self, **more):
        options = {"verify": "verify=1", "sampled": f"sample={SAMPLE}"}.get(self.mode, "")
        modules = str(self.program.parent / "modules")
        if self.mode in ("plain", "run"):
            return self.regions.environment(EXPECT_MODULES=modules)
        return self.regions.traced(options, EXPECT_MODULES=modules, **more)

    def _ended(self, status, stderr, expected):
        if status != expected:
            raise AssertionError(f"the program ended with {status}, expected {expected}: {stderr.decode()}")
        if stderr:
            self.wrong.append(f"on the program's stderr: {stderr.decode(errors='replace')}")

    def _run(self, command, status):
        done = subprocess.run(
            command,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            cwd=self.regions.scratch,
            check=False,
        )
        self._ended(done.returncode, done.stderr, status)
        return done.stdout.splitlines()

    def _untraced(self):
        """The fixture itself is right: what it checks of itself holds without the shim, too."""
        _last_documents(self._run(self.command, self.status))

    def _to_the_end(self):
        self._compare_regions(self._run(self.command, self.status))

    def _saved(self):
        """Through `tracesnap run -o`: the last program's snapshot is FILE, others have the pid behind it."""
        snapshot = self.regions.scratch / "saved.tsnap"
        status = self.status if self.status >= 0 else 128 - self.status
        command = [TOOL, "run", "--quiet", "-o", str(snapshot), "--", *self.command]
        documents = _last_documents(self._run(command, status))
        main = documents[-1]["pid"]
        for document in documents:
            last = max(d["program"] for d in documents if d["pid"] == document["pid"])
            suffix = f".{document['pid']}" if document["pid"] != main else ""
            if document["program"] != last:
                suffix = f".{document['pid']}-{document['program']}"
            self._compare(document, f"{snapshot}{suffix}", None)
        if self.regions.all():
            self.wrong.append(f"left in the region directory: {[p.name for p in self.regions.all()]}")

    def _stopped_halfway(self, kill):
        with subprocess.Popen(
            self.command,
            env=self._environment(EXPECT_WAIT="1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.regions.scratch,
            start_new_session=True,
        ) as process, Watchdog(process.pid):
            lines = []
            while not lines or not json.loads(lines[-1])["ready"]:
                line = process.stdout.readline()
                if not line:
                    raise AssertionError(f"ended before it was ready: {process.stderr.read().decode()}")
                lines.append(line)
            if kill:
                for pid in {json.loads(line)["pid"] for line in lines} - {process.pid}:
                    _kill(pid)
                process.kill()
                process.wait(TIMEOUT)
                self._compare_regions(lines, state="ended")
                return
            self._compare_living(lines)
            process.stdin.close()
            lines += process.stdout.readlines()
            stderr = process.stderr.read()
            self._ended(process.wait(TIMEOUT), stderr, self.status)
            self._compare_regions(lines)

    def _compare_living(self, lines):
        """By pid where the process still runs that program."""
        documents = _last_documents(lines)
        last = {document["pid"]: document["program"] for document in documents}
        for document in documents:
            pid, program = document["pid"], document["program"]
            if program == last[pid] and os.path.exists(f"/proc/{pid}"):
                self._compare(document, pid, "running")
            else:
                self._compare(document, self._region(document), None)

    def _compare_regions(self, lines, state=None):
        documents = _last_documents(lines)
        ready = [d["pid"] for d in documents if d["ready"]]
        for document in documents:
            expected = state if document["pid"] in ready and document["ready"] else None
            self._compare(document, self._region(document), expected)
            for snapshot in self.fixture.snapshots:
                self._compare(document, self.regions.scratch / snapshot, None)

    def _region(self, document):
        regions = self.regions.of(document["pid"])
        if document["program"] >= len(regions):
            found = [path.name for path in self.regions.all()]
            raise AssertionError(f"no region of {document['pid']}-{document['program']} among {found}")
        return regions[document["program"]]

    def _compare(self, document, source, state):
        options = ["--filter", self.fixture.files, "--group-by", "line"]
        if self.mode == "sampled":
            self._compare_estimates(document, self.regions.stats(source, *options, "--sort", "allocated"), source)
            return
        by_size = self.regions.stats(source, *options)
        live = [row for row in document["stats"] if row["count"]]
        self._compare_rows(live, by_size, document["hidden"], f"{source} by size")
        by_allocated = self.regions.stats(source, *options, "--sort", "allocated")
        ever = sorted(document["stats"], key=_by_allocated, reverse=True)
        self._compare_rows(ever, by_allocated, document["hidden"], f"{source} by allocated")
        self.wrong += [f"{source}: {text}" for text in drops(by_size, self.fixture.drops, self.fixture.may_drop)]
        if state and by_size["process"]["state"] != state:
            self.wrong.append(f"{source}: state is {by_size['process']['state']}, expected {state}")
        if self.mode == "verify" and by_size["shim"]["verified"] == 0:
            self.wrong.append(f"{source}: verify=1, but no stack was verified")

    def _compare_estimates(self, document, report, source):
        """What is true of any sample: no row that there is not, nothing live of what was freed to the last."""
        lives = {(row["file"], row["line"]): row["count"] for row in document["stats"]}
        for line in _rows(report["stats"], document["hidden"]):
            row = json.loads(line)
            place = (row["file"], row["line"])
            if place not in lives:
                self.wrong.append(f"{source}: not in the program's own books: {line}")
            elif lives[place] == 0 and (row["count"], row["size"]) != (0, 0):
                self.wrong.append(f"{source}: lives, but was freed: {line}")
        if not report["sampled"]:
            self.wrong.append(f"{source}: was not sampled")
        possible = self.fixture.drops + self.fixture.may_drop
        self.wrong += [f"{source}: {text}" for text in drops(report, (), possible)]

    def _compare_rows(self, program, report, hidden, title):
        expected = _rows(program, hidden)
        found = _rows(report["stats"], hidden)
        if expected != found:
            self.wrong.append(f"{title}: the program's own books (-) and the tool (+) differ:")
            self.wrong += difflib.unified_diff(expected, found, "program", "tool", n=0, lineterm="")


def _by_allocated(row):
    return (row["allocated_size"], row["size"], row["count"], row["file"], row["line"])


def _last_documents(lines):
    """The last document of each program of each process, in the order in which they were last printed."""
    documents = {}
    for line in lines:
        document = json.loads(line)
        key = (document["pid"], document["program"])
        documents.pop(key, None)
        documents[key] = document
    if not documents:
        raise AssertionError("the program printed nothing of what it expects")
    return list(documents.values())


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
