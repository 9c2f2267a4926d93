"""Finds what is measured and what it is measured against, and describes the machine."""

import datetime
import os
import pathlib
import platform
import re
import shutil
import subprocess

from measure import BenchError

HERE = pathlib.Path(__file__).resolve().parent
BUILD_TREES = (".", "build", "../build")  # seen from the working directory, then from the source tree


def _build_file(variable, name):
    given = os.environ.get(variable)
    if given:
        if not os.path.isfile(given):
            raise BenchError(f"no such file: '{given}'; set {variable} to {name} of a build tree")
        return os.path.abspath(given)
    for top in (pathlib.Path.cwd(), HERE.parent):
        for tree in BUILD_TREES:
            found = top / tree / name
            if found.is_file():
                return str(found.resolve())
    raise BenchError(f"no build tree: '{name}'; build first, or set TRACESNAP and TRACESNAP_LIB")


def tool():
    return _build_file("TRACESNAP", "tools/tracesnap")


def library():
    return _build_file("TRACESNAP_LIB", ".libs/libtracesnap.so")


def library_before():
    """Another build of the library, to see what a change is worth; None unless it is asked for."""
    name = "TRACESNAP_LIB_BEFORE"
    return _build_file(name, "libtracesnap.so") if os.environ.get(name) else None


def heaptrack_library():
    """The object that heaptrack preloads; None if heaptrack is not installed."""
    program = shutil.which("heaptrack")
    if not program:
        return None
    prefix = pathlib.Path(program).resolve().parent.parent
    candidates = [prefix / "lib/heaptrack", prefix / "lib64/heaptrack"]
    candidates += sorted(prefix.glob("lib/*/heaptrack"))
    for candidate in candidates:
        found = candidate / "libheaptrack_preload.so"
        if found.is_file():
            return str(found)
    return None


def shared_library(name):
    """The path of a shared library where the dynamic linker finds it; None if it does not."""
    for line in output("/sbin/ldconfig", "-p").splitlines():
        found = re.match(rf"\s*{re.escape(name)} \(libc6,x86-64.*\) => (.*)", line)
        if found and os.path.isfile(found.group(1)):
            return found.group(1)
    return None


def c_compiler():
    words = os.environ.get("CC", "").split()
    if words and shutil.which(words[0]):
        return words
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return [found] if found else None


def compile_helper(name, directory):
    """Compiles NAME.c of this directory; returns the program, None if there is no compiler."""
    compiler = c_compiler()
    if not compiler:
        return None
    program = os.path.join(directory, name)
    command = [*compiler, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-pthread"]
    command += [str(HERE / f"{name}.c"), "-o", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        cause = first_line(done.stderr) or f"the compiler ended with status {done.returncode}"
        raise BenchError(f"cannot compile: '{name}.c': {cause}; try another CC")
    return program


def first_line(text):
    return (text.strip().splitlines() or [""])[0]


def _called(command, variables=None):
    environment = {**os.environ, **variables} if variables else None
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError:
        return None


def output(*command):
    """What a program prints, "" if it cannot run."""
    done = _called(command)
    return done.stdout if done else ""


def messages(command, variables):
    """What a program says on stderr with more variables in its environment."""
    done = _called([command], variables)
    return done.stderr if done else ""


def version(*command):
    """The first line that a program says of itself, "" if it says nothing."""
    return first_line(output(*command))


def _processor():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1) if found else platform.machine()


def _compiler_of(path):
    """The compiler that made an object, as it signed its .comment section."""
    found = re.search(rb"GCC: \([^\0]*\) [0-9.]+|clang version [0-9.]+", pathlib.Path(path).read_bytes())
    return found.group(0).decode(errors="replace") if found else "unknown"


def _flags_of(path):
    """CFLAGS of the build tree that an object lies in."""
    makefile = pathlib.Path(path).parent.parent / "Makefile"
    try:
        found = re.search(r"^CFLAGS = (.*)$", makefile.read_text(), re.MULTILINE)
    except OSError:
        return "unknown"
    return found.group(1) if found else "unknown"


def _commit():
    """The commit of the sources, "" outside a checkout, also where that lies in somebody else's."""
    if version("git", "-C", str(HERE), "rev-parse", "--show-toplevel") != str(HERE.parent):
        return ""
    return version("git", "-C", str(HERE), "describe", "--always", "--dirty")


def _shared_version(name):
    """The package's version where dpkg knows it; else the name, which has that of the interface."""
    library = shared_library(name)
    if not library:
        return ""
    owner = version("dpkg", "-S", os.path.realpath(library)).partition(": ")[0]
    if not owner:  # merged /usr: the package may say /lib or /usr/lib
        owner = version("dpkg", "-S", os.path.realpath(library).removeprefix("/usr")).partition(": ")[0]
    return version("dpkg-query", "-W", "-f", "${Version}", owner) if owner else name


def machine(tool_path, library_path):
    """What a reader must know to judge the figures. No names of hosts, users or directories."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "compiler": _compiler_of(library_path),
        "flags": _flags_of(library_path),
        "tracesnap": version(tool_path, "--version").removeprefix("tracesnap "),
        "sources": _commit(),
        "heaptrack": version("heaptrack", "--version").removeprefix("heaptrack "),
        "valgrind": version("valgrind", "--version").removeprefix("valgrind-"),
        "gperftools": _shared_version("libtcmalloc.so.4"),
        "jemalloc": _shared_version("libjemalloc.so.2"),
        "load_before": round(os.getloadavg()[0], 2),
    }
