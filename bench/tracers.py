"""The tracers under test: how each is started, what its program is compared with, what proves that it
traced, and how to get one that is missing. What is not here is not measured."""

import glob
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field

import places
from programs import Missing

UNTRACED = "untraced"
TRACESNAP = "tracesnap"
SAMPLED = "tracesnap-512k"
BEFORE = "tracesnap-before"
HEAPTRACK = "heaptrack-preload"
HEAPTRACK_WHOLE = "heaptrack-whole"
TCMALLOC = "tcmalloc"
HEAPPROFILE = "tcmalloc-profile"
JEMALLOC = "jemalloc"
JEMALLOC_SAMPLED = "jemalloc-512k"
JEMALLOC_EXACT = "jemalloc-exact"
MASSIF = "massif"
DHAT = "dhat"
TRACEMALLOC = "tracemalloc-1"
TRACEMALLOC_DEEP = "tracemalloc-25"
MEMRAY = "memray"
MEMRAY_NATIVE = "memray-native"

CHOICES = (
    *(SAMPLED, HEAPTRACK, HEAPTRACK_WHOLE, JEMALLOC, JEMALLOC_SAMPLED, JEMALLOC_EXACT),
    *(TCMALLOC, HEAPPROFILE, MASSIF, DHAT, BEFORE),
)
PYTHON_CHOICES = (TRACEMALLOC, TRACEMALLOC_DEEP, MEMRAY, MEMRAY_NATIVE)

SAMPLE = 512 << 10  # bytes
FILE = "{file}"  # in what follows: a file's name, or the beginning of one, that the tracer may write to


@dataclass(frozen=True)
class Tracer:
    name: str
    what: str = ""  # for the reader
    variables: dict = field(default_factory=dict)
    prefix: tuple = ()  # of the command
    options: tuple = ()  # of the command's program, before its arguments
    base: str = UNTRACED  # what it is compared with
    slow: bool = False  # too slow for the programs' full work
    most: int | None = None  # rounds that it takes part in, where all would take too long
    evidence: callable = None  # the files that it wrote -> what it saw, 0 is nothing; its own figure
    discard: bool = False  # its output goes to /dev/null where only the time is wanted
    in_region: bool = False  # one of ours

    def environment(self, file):
        return {name: value.replace(FILE, file) for name, value in self.variables.items()}

    def command(self, file, command):
        words = [*self.prefix, command[0], *self.options]
        return [word.replace(FILE, file) for word in words] + list(command[1:])


# --- What tracers wrote ---


def _first(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


def _texts(files):
    for name in files:
        with open(name, encoding="utf-8", errors="replace") as file:
            yield file.read()


def _heaptrack_raw(files):
    """Allocations are lines that begin with '+'."""
    return sum(text.count("\n+ ") for text in _texts(files))


def _heaptrack_data(files):
    printed = [places.output("heaptrack_print", name) for name in files]
    return sum(_first(r"calls to allocation functions: (\d+)", text) for text in printed)


def _perftools(files):
    return sum(_first(r"heap profile:.*\[ *(\d+):", text) for text in _texts(files))


def _jemalloc(files):
    """Its counts are those of live blocks, and there may be none; the sampling distance stands for them."""
    return max((_first(r"heap_v2/(\d+)", text) for text in _texts(files)), default=0)


def _massif(files):
    heaps = [int(n) for text in _texts(files) for n in re.findall(r"^mem_heap_B=(\d+)", text, re.MULTILINE)]
    return max(heaps, default=0)


def _dhat(files):
    return sum(point["tbk"] for text in _texts(files) for point in json.loads(text)["pps"])


# --- The tracers ---


def _missing(how, *names):
    return [Missing(name, how) for name in names]


def _sorted(found):
    tracers = [entry for entry in found if isinstance(entry, Tracer)]
    return tracers, [entry for entry in found if isinstance(entry, Missing)]


def _ours(library, regions, samples):
    variables = {"LD_PRELOAD": library, "TRACESNAP_DIR": regions}
    found = [Tracer(TRACESNAP, "libtracesnap.so preloaded", variables, in_region=True)]
    before = places.library_before()
    if before:
        what = "the library that TRACESNAP_LIB_BEFORE names preloaded"
        found.append(Tracer(BEFORE, what, {**variables, "LD_PRELOAD": before}, in_region=True))
    variables = {**variables, "TRACESNAP_OPTIONS": f"sample={SAMPLE}"}
    sampled = Tracer(SAMPLED, f"the same with the option sample={SAMPLE}", variables, in_region=True)
    if samples(sampled):
        return [*found, sampled]
    return found + _missing(f"this libtracesnap.so does not know the option sample={SAMPLE}", SAMPLED)


def _heaptrack():
    library = places.heaptrack_library()
    if not library:
        return _missing("apt install heaptrack", HEAPTRACK, HEAPTRACK_WHOLE)
    preload = {"LD_PRELOAD": library, "DUMP_HEAPTRACK_OUTPUT": FILE}
    what = "its library preloaded, the output thrown away"
    found = [Tracer(HEAPTRACK, what, preload, evidence=_heaptrack_raw, discard=True)]
    if not shutil.which("heaptrack_print"):
        return found + _missing("heaptrack_print is not there: apt install heaptrack", HEAPTRACK_WHOLE)
    prefix = (shutil.which("heaptrack"), "-o", FILE)
    what = "heaptrack -o FILE, with the process that interprets and the one that compresses"
    return found + [Tracer(HEAPTRACK_WHOLE, what, prefix=prefix, evidence=_heaptrack_data, most=2)]


def _perftools_profiler():
    library = places.shared_library("libtcmalloc.so.4")
    if not library:
        return _missing("apt install libgoogle-perftools4", TCMALLOC, HEAPPROFILE)
    preload = {"LD_PRELOAD": library}
    profiled = {**preload, "HEAPPROFILE": FILE}
    what = "libtcmalloc.so preloaded with HEAPPROFILE"
    return [
        Tracer(TCMALLOC, "libtcmalloc.so preloaded, no profile", preload, slow=True),
        Tracer(HEAPPROFILE, what, profiled, base=TCMALLOC, slow=True, evidence=_perftools),
    ]


def _jemalloc_profiler():
    library = places.shared_library("libjemalloc.so.2")
    profiles = (JEMALLOC_SAMPLED, JEMALLOC_EXACT)
    if not library:
        return _missing("apt install libjemalloc2", JEMALLOC, *profiles)
    preload = {"LD_PRELOAD": library}
    options = f"prof:true,prof_final:true,prof_prefix:{FILE}"
    if "conf" in places.messages("ls", {**preload, "MALLOC_CONF": "prof:true"}):
        how = f"{os.path.basename(library)} is built without --enable-prof: build jemalloc with it"
        return _missing(how, JEMALLOC, *profiles)

    def profiled(name, what, more, slow):
        variables = {**preload, "MALLOC_CONF": options + more}
        most = None if slow else 3
        return Tracer(name, what, variables, base=JEMALLOC, slow=slow, most=most, evidence=_jemalloc)

    return [
        Tracer(JEMALLOC, "libjemalloc.so preloaded, no profile", preload, most=3),
        profiled(JEMALLOC_SAMPLED, "its profile, of a sample every 512 KiB", "", False),
        profiled(JEMALLOC_EXACT, "its profile of every allocation", ",lg_prof_sample:0", True),
    ]


def _valgrind():
    program = shutil.which("valgrind")
    if not program:
        return _missing("apt install valgrind", MASSIF, DHAT)
    found = []
    for name, evidence in ((MASSIF, _massif), (DHAT, _dhat)):
        prefix = (program, "--quiet", f"--tool={name}", f"--{name}-out-file={FILE}")
        found.append(Tracer(name, f"valgrind --tool={name}", prefix=prefix, slow=True, evidence=evidence))
    return found


def find(library, regions, samples):
    """([Tracer], [Missing]). regions: a directory; samples: a function that tells whether a tracer of ours
    really samples."""
    found = [Tracer(UNTRACED), *_ours(library, regions, samples), *_heaptrack()]
    found += [*_jemalloc_profiler(), *_perftools_profiler(), *_valgrind()]
    return _sorted(found)


def _tracemalloc(python, frames, most):
    name = f"tracemalloc-{frames}"
    options = ("-X", f"tracemalloc={frames}")
    ask = "import tracemalloc; print(tracemalloc.get_traceback_limit() * tracemalloc.is_tracing())"
    if places.version(python, *options, "-c", ask) != str(frames):
        return _missing("this interpreter does not trace by '-X tracemalloc'", name)
    return [Tracer(name, f"the interpreter's option {' '.join(options)}", options=options, most=most)]


def _memray(python):
    if not places.version(python, "-m", "memray", "--version"):
        how = "this interpreter has none: pip install memray in a venv, and set PYTHON to the venv's python"
        return _missing(how, MEMRAY, MEMRAY_NATIVE)
    options = ("-m", "memray", "run", "--quiet", "--force", "--trace-python-allocators", "--output", FILE)
    what = f"{' '.join(options[1:-2])}, all of Python's allocator domains"
    native = (*options[:3], "--native", *options[3:])
    return [
        Tracer(MEMRAY, what, options=options, evidence=len, most=2),
        Tracer(MEMRAY_NATIVE, "the same with --native", options=native, evidence=len, most=2),
    ]


def of_python(python):
    """([Tracer], [Missing]) of those that an interpreter has of its own: for its programs alone."""
    found = [*_tracemalloc(python, 1, 3), *_tracemalloc(python, 25, 2), *_memray(python)]
    return _sorted(found)


def limits(of):
    """{tracer's name: rounds} of those that do not take part in all."""
    return {tracer.name: tracer.most for tracer in of if tracer.most}


class Output:
    """The directory that tracers write to, empty between two runs."""

    def __init__(self, directory):
        self.directory = directory
        os.mkdir(directory)
        self.name = os.path.join(directory, "out")

    def clear(self):
        for file in self.files():
            os.unlink(file)

    def files(self):
        """Those with something in them; a pattern, since most tracers add to the name."""
        return sorted(name for name in glob.glob(self.name + "*") if os.path.getsize(name))
