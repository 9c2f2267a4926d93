"""Builds the random tree of calls (tree.c), runs it traced, and compares its own books with the contexts that the
tracer recorded: same stacks, same counts, same bytes."""

import collections
import json
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "lib"))
os.environ.setdefault("srcdir", str(ROOT))
os.environ.setdefault("builddir", str(ROOT / "build"))
os.environ.setdefault("TRACESNAP", f"{os.environ['builddir']}/tools/tracesnap")
os.environ.setdefault("TRACESNAP_LIB", f"{os.environ['builddir']}/.libs/libtracesnap.so")
os.environ.setdefault("CC", "cc")
os.environ.setdefault("CXX", "c++")

# pylint: disable=wrong-import-position
from tap import Skip, Tap, note  # noqa: E402,F401
import tracesnap  # noqa: E402
from tracesnap import BUILD, Regions, drops  # noqa: E402,F401

TIMEOUT = 60


def use_shim(path):
    """Another shim than the environment's, for mutants.py."""
    tracesnap.SHIM = path

# How nodes.c is compiled: each variant is another way for a compiler to lay out frames.
VARIANTS = {
    "O0": "-O0",
    "O0_no_frame_pointer": "-O0 -fomit-frame-pointer",
    "O1": "-O1 -foptimize-sibling-calls",
    "O2": "-O2",
    "O2_frame_pointer": "-O2 -fno-omit-frame-pointer",
    "O2_no_frame_pointer": "-O2 -fomit-frame-pointer",
    "O3": "-O3 -fstack-protector-all",
    "Os": "-Os -mno-accumulate-outgoing-args",
    "Os_frame_pointer": "-Os -fno-omit-frame-pointer -mno-red-zone",
}
# Without unwind tables. `framed` has a frame pointer instead, `bare` nothing.
NO_TABLES = "-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-reorder-blocks-and-partition"
EXTRA_VARIANTS = {
    "framed": f"-O2 -fno-omit-frame-pointer {NO_TABLES}",
    "bare": f"-O2 -fomit-frame-pointer -DIN_SECTION=bare_code {NO_TABLES}",
}
BARE = ("bare_", "node_bare_")
SOURCES = ("asm.S", "books.c", "coroutines.c", "events.c", "heirs.c", "libraries.c", "script.c", "sites.c", "tree.c")
PLUGIN_FRAMES = (40, 104)  # LIBRARY_FRAMES_DIFFER
WORKERS_MAX = 16


def build(directory):
    """Compiles the tree; returns the program. Beside it a pair of plug-ins for each worker."""
    directory.mkdir(parents=True, exist_ok=True)
    compiler = shlex.split(os.environ["CC"])
    variants = " ".join(f"V({name})" for name in VARIANTS)
    common = ["-D_GNU_SOURCE", "-std=gnu11", "-w", f"-I{ROOT}", f"-DVARIANTS={variants}"]
    jobs = [(source, source, "-O2") for source in SOURCES]
    jobs += [("nodes.c", f"nodes-{name}", f"{flags} -DVARIANT={name}") for name, flags in VARIANTS.items()]
    jobs += [("nodes.c", f"nodes-{name}", f"{flags} -DVARIANT={name}") for name, flags in EXTRA_VARIANTS.items()]
    objects = []
    for source, name, flags in jobs:
        objects.append(str(directory / f"{name}.o"))
        compile_with([*compiler, *common, *flags.split(), "-c", str(HERE / source), "-o", objects[-1]])
    cxx = shlex.split(os.environ["CXX"])
    objects.append(str(directory / "catching.o"))
    compile_with([*cxx, "-D_GNU_SOURCE", "-w", "-O2", f"-I{ROOT}", "-c", str(HERE / "catching.cc"), "-o", objects[-1]])
    compile_with([*cxx, *objects, "-o", str(directory / "tree"), "-lpthread"])
    for which, frame in enumerate(PLUGIN_FRAMES):
        path = directory / f"plugin-0-{which}.so"
        compile_with([*compiler, "-shared", f"-DFRAME={frame}", str(HERE / "plugin.S"), "-o", str(path)])
        for worker in range(1, WORKERS_MAX):
            (directory / f"plugin-{worker}-{which}.so").write_bytes(path.read_bytes())
    return directory / "tree"


GCC_ONLY = ("-mno-accumulate-outgoing-args", "-fno-reorder-blocks-and-partition")


def compile_with(command):
    if "clang" in os.path.basename(command[0]):
        command = [word for word in command if word not in GCC_ONLY]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(command)}: {done.stderr.decode()}")


def _expected(path, depth):
    """{stack: [allocated count and size, live count and size]} of the program's books."""
    books = collections.defaultdict(lambda: [0, 0, 0, 0])
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split(" ")
        row = books[_known(_cut(words[4:], depth))]
        for i in range(4):
            row[i] += int(words[i])
    return books


CUT = "<stack cut at depth>"


def _cut_allocations(document):
    """Of all contexts: exceptions are allocated, too."""
    roots = ((document["frames"][context["frames"][-1]], context) for context in document["contexts"])
    return sum(context["allocated_count"] for root, context in roots if root["function"] == CUT)


ROOT_FRAMES = 3  # of libc and _start beyond main


def _cut(stack, depth):
    """What is recorded where there is no more room. Not for stacks with signals: the kernel's frame is not the
    tree's."""
    if len(stack) - 1 + ROOT_FRAMES <= depth:
        return stack
    return [*stack[:-1][:depth], CUT, f"={CUT}"]


def _known(stack):
    """Up to the first frame beyond which nobody can see."""
    for at, frame in enumerate(stack):
        if frame.startswith(("?", *BARE)):
            return tuple(stack[: at + 1])
    return tuple(stack)


# The function before glibc's __start_context, which begins where it is returned to, has no name.
ROOTS = {"?": "=__start_context", "__clone3": "=clone3", "clone3": "=clone3", "clone": "=clone3"}


def _word(frame, program):
    """In the words of the program's books; None: not the tree's."""
    function = frame["function"] or ""
    if frame["object"] is None:
        return "generated" if function == "<unknown code>" else function
    if frame["object"] == program:
        return f"{'?' * function.startswith(BARE)}{frame['offset']:x}"
    name = pathlib.PurePath(frame["object"]).name
    return f"{name}+{frame['offset']:x}" if name.startswith("plugin-") else None


SITES = "call_sites"  # a function whose calls of malloc are told apart


def _recorded(document, program):
    """The same of the tracer's contexts that begin in the tree."""
    frames = document["frames"]
    words = [_word(frame, program) for frame in frames]
    contexts = collections.defaultdict(lambda: [0, 0, 0, 0])
    for context in document["contexts"]:
        numbers = context["frames"]
        leaf, root = frames[numbers[0]], frames[numbers[-1]]["function"] or "?"
        if leaf["object"] != program or context["allocated_count"] == 0:
            continue
        stack = [f"{SITES}+{leaf['offset']:x}" if leaf["function"] == SITES else leaf["function"].split(".")[0]]
        stack += [words[i] for i in numbers[1:] if words[i] is not None]
        if root == "_start":
            stack.pop()
        stack.append(ROOTS.get(root, f"={root}"))
        row = contexts[_known(stack)]
        for i, key in enumerate(("allocated_count", "allocated_size", "count", "size")):
            row[i] += context[key]
    return contexts


def _common(a, b):
    """How many frames are the same: of the innermost, and of the outermost."""
    inner = next((i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1]), min(len(a), len(b)))
    outer = next((i for i, pair in enumerate(zip(a[::-1], b[::-1])) if pair[0] != pair[1]), min(len(a), len(b)))
    return inner, outer


def _difference(who, stack, row, others):
    """A stack that only one of the two knows, and what the other has instead, as it seems."""
    nearest = max(others, key=lambda other: sum(_common(stack, other)), default=None)
    if nearest is None:
        return f"{who} only, {row}: {' '.join(stack)}"
    inner, outer = _common(stack, nearest)
    here, there = (" ".join(s[max(inner - 1, 0) : len(s) - outer + 1]) for s in (stack, nearest))
    return (
        f"{who} only, {row}: {stack[0]}, {len(stack)} frames; the nearest of the other has the same {inner} inner "
        f"and {outer} outer ones, but where this has [{here}] it has [{there}]"
    )


# What has neither tables nor, if it is to be believed, more than a frame pointer.
UNCHARTED = ("asm_no_cfi", "node_framed_", "generated")
NO_UNWIND = "<no unwind information>"


def _uncharted_words(document, program):
    """By which the books know such frames; innermost ones go by their name."""
    frames = [f for f in document["frames"] if (f["function"] or "").startswith(UNCHARTED) or f["object"] is None]
    return {_word(f, program) for f in frames} - {NO_UNWIND} | {f["function"].split(".")[0] for f in frames}


def _ending_early(books, uncharted):
    """The books of a tracer that sees no further than the first frame without tables."""
    early = collections.defaultdict(lambda: [0, 0, 0, 0])
    for stack, row in books.items():
        at = next((i for i, frame in enumerate(stack) if frame in uncharted), None)
        sum_row = early[stack if at is None else stack[: at + 1]]
        for i, number in enumerate(row):
            sum_row[i] += number
    return early


def _early_differences(expected, recorded, uncharted):
    """Where libunwind takes over a stack that has such frames, it ends at the first one. No stack may tell of frames
    that are not there, and to that point all is as ever."""
    beginnings = {stack[:length] for stack in expected for length in range(1, len(stack))}
    invented = [
        f"invented: {' '.join(stack)}"
        for stack in recorded
        if stack not in expected and not (stack[-2] == NO_UNWIND and stack[:-2] in beginnings)
    ]
    early = (_ending_early(books, uncharted) for books in (expected, recorded))
    return invented[:DIFFERENCES_SHOWN] + _differences(*early)


DIFFERENCES_SHOWN = 5


def _differences(expected, recorded):
    """What the program's books and the tracer's contexts do not have in common."""
    missing = [stack for stack in expected if stack not in recorded]
    invented = [stack for stack in recorded if stack not in expected]
    unequal = [stack for stack in expected.keys() & recorded.keys() if expected[stack] != recorded[stack]]
    shown = [_difference("program", s, expected[s], invented) for s in missing[:DIFFERENCES_SHOWN]]
    shown += [_difference("tracer", s, recorded[s], missing) for s in invented[:DIFFERENCES_SHOWN]]
    shown += [
        f"{' '.join(s)}: the program counts {expected[s]}, the tracer {recorded[s]}"
        for s in unequal[:DIFFERENCES_SHOWN]
    ]
    if shown:
        shown.insert(0, f"{len(missing)} stacks missing, {len(invented)} invented, {len(unequal)} miscounted")
    return shown


BEFORE_LIBUNWIND = 1  # what libstdc++ allocates when it is loaded


def run(program, arguments, options=""):
    """Runs the tree traced; raises what is wrong, returns the tracer's document."""
    with Regions() as regions:
        books = regions.scratch / "books"
        command = [str(program), str(books), str(program.parent)]
        command += [f"{key}={value}" for key, value in arguments.items()]
        environment = regions.traced(options)
        done = subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=False)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"the tree ended with {done.returncode}: {done.stderr.decode()}")
        document = json.loads(regions.tool("export", "--format", "json", regions.all()[0]))
        expected = _expected(books, document["process"]["depth"])
    recorded = _recorded(document, str(program))
    if arguments.get("odd") and arguments.get("mixed"):
        wrong = _early_differences(expected, recorded, _uncharted_words(document, str(program)))
    else:
        wrong = _differences(expected, recorded)
    wrong += drops(document, possible=_possible(arguments, options))
    cut = _cut_allocations(document)
    if document["drops"]["depth_cut"] != cut:
        wrong.append(f"drops: depth_cut is {document['drops']['depth_cut']}, but {cut} stacks end so")
    verified, allocated = document["shim"]["verified"], document["totals"]["allocated_count"]
    if "verify=1" in options and not allocated - BEFORE_LIBUNWIND <= verified <= allocated:
        wrong.append(f"{verified} stacks verified of {allocated}")
    if not expected:
        wrong.append("the program's books are empty")
    if wrong:
        raise AssertionError("\n".join(wrong))
    return document


def _possible(arguments, options):
    """What may be dropped: beyond code without tables and frame pointer nothing is known, or only guessed."""
    possible = ["depth_cut"] if "depth=" in options else []
    return [*possible, "no_unwind"] if arguments.get("mixed") else possible


# Each stresses something else; for all of them any seed must do.
EVERYTHING = {"coroutines": 1, "libraries": 1, "stepping": 1}
PLANS = {
    "one stack": ({"steps": 8000, "sober": 1}, ""),
    "stacks of one shape": ({"steps": 10000, "sober": 1, "alike": 1}, ""),
    "coroutines, plug-ins, traps": ({"steps": 4000, **EVERYTHING}, ""),
    "threads": ({"steps": 2500, "workers": 4, **EVERYTHING}, ""),
    "threads that follow each other": ({"steps": 3000, "sober": 1, "heirs": 1}, ""),
    "counts that are cleared": ({"steps": 6000, "sober": 1, "alike": 1, "clears": 1}, ""),
    "frames for libunwind": ({"steps": 3000, "odd": 1, **EVERYTHING}, ""),
    "code without tables": ({"steps": 3000, "mixed": 1, "coroutines": 1}, ""),
    "code without tables, for libunwind": ({"steps": 2500, "odd": 1, "mixed": 1, **EVERYTHING}, ""),
    "code without tables, as libunwind's": ({"steps": 1500, "odd": 1, "mixed": 1, **EVERYTHING}, "verify=1"),
    "stacks that are cut": ({"steps": 4000, "sober": 1}, "depth=30"),
    "deep recursion, and beyond": ({"steps": 500, "sober": 1, "levels": 1200}, "depth=1024"),
    "as libunwind's": ({"steps": 3000, "odd": 1, **EVERYTHING}, "verify=1"),
    "as libunwind's, threads": ({"steps": 1500, "workers": 3, **EVERYTHING}, "verify=1"),
}


def run_plan(program, name, seed):
    arguments, options = PLANS[name]
    return run(program, {"seed": seed, **arguments}, options)


def describe(program, name, seed):
    """How to do it again by hand."""
    arguments, options = PLANS[name]
    words = " ".join(f"{key}={value}" for key, value in {"seed": seed, **arguments}.items())
    return f"TRACESNAP_OPTIONS={options} {program} BOOKS {program.parent} {words}"
