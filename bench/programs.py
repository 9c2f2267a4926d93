"""The real programs that are measured, and the work that each is given: the same bytes on every machine.
A scale of 1 is work for about a second; smaller ones are for a quick look and for slow tracers."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field

import works
from measure import BenchError, Load
from places import first_line, version

FULL, QUICK, TINY = 1, 0.2, 0.02


@dataclass(frozen=True)
class Program:
    name: str
    what: str  # version and work, for the reader; no path of this machine
    command: list
    stdin: str = os.devnull
    variables: dict = field(default_factory=dict)
    load: Load | None = None  # for a server


@dataclass(frozen=True)
class Missing:
    name: str
    how: str  # to get it


def _write(path, write, *arguments):
    with open(path, "w", encoding="ascii") as file:
        write(file, *arguments)
    return path


def _prepared(command, subject, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        cause = first_line(done.stderr) or f"status {done.returncode}"
        raise BenchError(f"cannot prepare: '{subject}': {cause}; run '{' '.join(command)}' by hand")


def _sqlite(directory, scale):
    program = shutil.which("sqlite3")
    if not program:
        return Missing("sqlite3", "apt install sqlite3")
    customers = int(40000 * scale)
    script = _write(os.path.join(directory, "orders.sql"), works.sql, customers)
    number = version(program, "--version").split(" ")[0]
    what = (
        f"sqlite3 {number}, in memory: {4 * customers} INSERT statements, two indexes, four joins and"
        f" groups, {customers // 2} small SELECT statements"
    )
    return Program("sqlite3", what, [program, ":memory:"], script)


def _compiler(directory, scale):
    """The compiler proper: the driver's child is out of reach for heaptrack, which does not follow."""
    driver = shutil.which("g++")
    proper = version(driver, "-print-prog-name=cc1plus") if driver else ""
    if not os.path.isabs(proper):
        return Missing("cc1plus", "apt install g++")
    headers = max(1, int(len(works.HEADERS) * scale))
    source = _write(os.path.join(directory, "words.cc"), works.cxx, headers)
    preprocessed = os.path.join(directory, "words.ii")
    _prepared([driver, "-std=c++17", "-E", source, "-o", preprocessed], "words.cc")
    options = ["-quiet", "-std=c++17", "-O0", "-fpreprocessed"]
    what = (
        f"cc1plus of {version(driver, '--version')}, {' '.join(options)}: headers of the C++"
        f" library ({headers}) and a short program, preprocessed before"
    )
    return Program("cc1plus", what, [proper, *options, preprocessed, "-o", os.devnull])


def _jq(directory, scale):
    program = shutil.which("jq")
    if not program:
        return Missing("jq", "apt install jq")
    path = _write(os.path.join(directory, "records.json"), works.records, int(40000 * scale))
    size = os.path.getsize(path) / 1e6
    what = f"{version(program, '--version')}: {size:.1f} MB of JSON selected, mapped and grouped"
    return Program("jq", what, [program, "-c", works.JQ_FILTER, path])


def _git(directory, scale):
    program = shutil.which("git")
    if not program:
        return Missing("git", "apt install git")
    commits = int(2000 * scale)
    history = _write(os.path.join(directory, "history"), works.history, commits)
    repository = os.path.join(directory, "repository")
    # nobody's settings: they would change the work
    variables = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_PAGER": "cat"}
    command = [program, "-c", "init.defaultBranch=main", "init", "-q", "--bare", repository]
    _prepared(command, "repository", env={**os.environ, **variables})
    with open(history, "rb") as file:
        command = [program, "-C", repository, "fast-import", "--quiet"]
        _prepared(command, "history", env={**os.environ, **variables}, stdin=file)
    number = version(program, "--version")
    what = f"{number}: log -p -M --stat of {commits} commits, which change 4 of 40 files each"
    command = [program, "-C", repository, "log", "-p", "-M", "--stat"]
    return Program("git", what, command, variables=variables)


def _redis(directory, scale):
    programs = [shutil.which(name) for name in ("redis-server", "redis-benchmark", "redis-cli")]
    if not all(programs):
        return Missing("redis", "apt install redis-server")
    server, benchmark, client = programs
    requests = int(400000 * scale)
    socket = os.path.join(directory, "redis.sock")
    command = [server, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"]
    command += ["--dir", directory, "--logfile", os.path.join(directory, "redis.log")]
    kinds = "set,get,lpush,hset"
    work = [benchmark, "-s", socket, "-q", "-r", "100000", "-n", str(requests), "-P", "16", "-t", kinds]
    number = version(server, "--version").split(" ")[2].removeprefix("v=")
    what = (
        f"redis-server {number}: {requests} requests of each of {kinds} by redis-benchmark, 50 clients, 16 in"
        " a row; the time is that of the requests, with CPU time and memory of the server from start to end"
    )
    load = Load([client, "-s", socket, "ping"], work, [client, "-s", socket, "shutdown", "nosave"])
    return Program("redis", what, command, load=load)


def _perl(directory, scale):
    program = shutil.which("perl")
    if not program:
        return Missing("perl", "apt install perl")
    lines = int(60000 * scale)
    script = _write(os.path.join(directory, "words.pl"), lambda file: file.write(works.PERL))
    number = version(program, "-e", "print $^V")
    what = f"perl {number}: {lines} lines split, counted, rewritten by a regular expression, sorted"
    # a hash's order is a matter of chance otherwise
    return Program("perl", what, [program, script, str(lines)], variables={"PERL_HASH_SEED": "0"})


def _python(directory, scale):
    program = shutil.which("python3")
    if not program:
        return Missing("python3", "apt install python3")
    rows = int(20000 * scale)
    script = _write(os.path.join(directory, "words.py"), lambda file: file.write(works.PYTHON))
    what = (
        f"{version(program, '--version')}: {rows} records to JSON and back, words counted by a regular"
        f" expression, {4 * rows} byte arrays; objects up to 512 bytes are not malloc's"
    )
    # -I leaves the user's settings out and would ignore the seed; -S skips site packages
    variables = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    return Program("python3", what, [program, "-S", script, str(rows)], variables=variables)


def _xz(directory, scale):
    program = shutil.which("xz")
    if not program:
        return Missing("xz", "apt install xz-utils")
    path = _write(os.path.join(directory, "log.txt"), works.prose, int(60000 * scale))
    size = os.path.getsize(path) / 1e6
    number = version(program, "--version")
    what = f"{number}: -6 -T1 of {size:.1f} MB of text; it hardly allocates, so it is the control"
    return Program("xz", what, [program, "-6", "-T1", "-k", "-c", path])


MAKERS = {
    "sqlite3": _sqlite,
    "cc1plus": _compiler,
    "jq": _jq,
    "git": _git,
    "redis": _redis,
    "perl": _perl,
    "python3": _python,
    "xz": _xz,
}


def prepare(directory, scale, names):
    """Writes what the programs need into a new directory; returns ([Program], [Missing])."""
    os.mkdir(directory)
    found = [make(directory, scale) for name, make in MAKERS.items() if name in names]
    programs = [entry for entry in found if isinstance(entry, Program)]
    return programs, [entry for entry in found if isinstance(entry, Missing)]
