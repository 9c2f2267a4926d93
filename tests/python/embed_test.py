#!/usr/bin/env python3
"""An interpreter in a C program that opens its library late and locally, initialises it, runs a script, ends it, perhaps
again, perhaps closes the library and opens it again, and goes on with blocks of its own (life/embed.c).

    embed_test.py                 the system's interpreter and the newest one
    embed_test.py all             all interpreters
    embed_test.py [VERSION]...    only these interpreters, for example 3.11.2
"""

import pathlib
import signal
import sys
import tempfile

from life_test import is_about
from traced import Regions, Skip, Tap, chosen, compile_c, drops, equal, pythons, run

SCRIPT = """import os, signal, sys
def block():
    return bytes(100)
kept = [block() for _ in range(50)]
builtins = sys.modules["builtins"]
if builtins.__dict__.get("stop"):
    os.kill(os.getpid(), signal.SIGKILL)
"""

ENDS = """import atexit, threading, time
def block():
    return bytes(100)
kept = [block() for _ in range(50)]
atexit.register(lambda: kept.extend([block() for _ in range(40)]))
"""
DAEMONS = """def work():
    while True:
        [bytes(n) for n in range(600)]
        time.sleep(0.001)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.02)
"""
DELETED = """class Deleted:
    def __del__(self, block=block, range=range):
        self.more = [block() for _ in range(30)]
gone = Deleted()
"""


def play(python, script, *more, status=-signal.SIGABRT, options="", how=(), other=None, state="traced"):
    """(by line of the script, by C function, document) of what is live at the end"""
    if not python.has_library():
        raise Skip("no shared library of this interpreter")
    program = compile_c("life/embed.c", "-ldl", output="embed")
    with Regions() as regions:
        both = (":".join(getattr(each, name) for each in (python, other) if each) for name in ("library", "prefix"))
        run([program, *both, script, *more], regions.traced(options), status)
        document = regions.stats(regions.all()[0], "--attribute", "python", "--domain", "raw,mem,obj", *how)
        wrong = drops(document)
        if wrong:
            raise AssertionError("\n".join(wrong))
        native = regions.stats(regions.all()[0], "--attribute", "native", "--group-by", "function", "--domain", "libc")
        equal("python", document["process"]["python"]["state"], state)
        functions = {row["function"]: (row["size"], row["count"]) for row in native["stats"]}
        return {(row["file"], row["line"]): (row["size"], row["count"]) for row in document["stats"]}, functions, document


def expect(have):
    rows = have.get(("<string>", 3), (0, 0))
    if not is_about(rows, (50 * 133, 50)):
        raise AssertionError(f"<string>:3 is {rows}, expected 50 blocks of 133")


def lines(python):
    """an interpreter that is opened late has its lines"""
    have, functions, _ = play(python, SCRIPT.replace('builtins.__dict__.get("stop")', "True"), status=-signal.SIGKILL)
    expect(have)
    equal("keep_before", functions.get("keep_before"), (11000, 11))


def again(python):
    """one that is ended and begun again has them, too, and leaves no blocks of the first"""
    have, functions, _ = play(python, in_round(2), "3", status=-signal.SIGKILL)
    expect(have)
    equal("keep_between", functions.get("keep_between"), (13000, 13))


def after(python):
    """the program goes on after the interpreter's end"""
    for options in ("", "python=exact"):
        have, functions, _ = play(python, SCRIPT, "2", options=options)
        equal("<string>:3", have.get(("<string>", 3), (0, 0)), (0, 0))
        for name, count in (("keep_before", 11), ("keep_between", 13), ("keep_after", 17)):
            equal(name, functions.get(name), (1000 * count, count))


def ends(python):
    """what runs while it ends has its lines, each time: atexit, __del__; daemon threads that are left behind do no harm"""
    # CPython does not always survive that it begins again while such threads are left.
    for script, rounds, live, allocated in ((ENDS + DELETED, 4, 0, 120), (ENDS + DAEMONS, 1, 90, 90)):
        for options in ("", "python=exact") if python.minor >= (3, 13) else ("",):
            document = play(python, script, str(rounds), options=options, how=("--sort", "allocated"))[2]
            [row] = [row for row in document["stats"] if (row["file"], row["line"]) == ("<string>", 3)]
            have, want = (row["count"], row["allocated_count"]), (rounds * live, rounds * allocated)
            if not (0 <= have[0] - want[0] <= 8 and 0 <= have[1] - want[1] <= 40):
                equal("live and allocated blocks of <string>:3, about", have, want)


def closed(python):
    """the library is closed, and nothing of it is called any more, also by a snapshot"""
    with tempfile.NamedTemporaryFile() as snapshot:
        _, functions, _ = play(python, SCRIPT, "1", "close", snapshot.name)
        if not pathlib.Path(snapshot.name).read_bytes():
            raise AssertionError("no snapshot")
    for name, count in (("keep_before", 11), ("keep_between", 13), ("keep_after", 17)):
        equal(name, functions.get(name), (1000 * count, count))


def in_round(last):
    """The script, killed in its last round."""
    script = SCRIPT.replace('builtins.__dict__.get("stop")', f'os.environ.setdefault("ROUND", "0") == "{last}"')
    return script + 'os.environ["ROUND"] = str(int(os.environ["ROUND"]) + 1)\n'


def reopened(python):
    """the library is closed and opened again, where it was or elsewhere: it has its lines"""
    for way in ("reopen", "move"):
        have, functions, _ = play(python, in_round(2), "3", way, status=-signal.SIGKILL)
        expect(have)
        equal("keep_between", functions.get("keep_between"), (13000, 13))
        document = play(python, SCRIPT, "3", way, options="python=exact", how=("--sort", "allocated"))[2]
        [row] = [row for row in document["stats"] if (row["file"], row["line"]) == ("<string>", 3)]
        equal("150 blocks were allocated and are freed", (row["allocated_count"] // 10, row["count"]), (15, 0))


def dead_states(python):
    """a thread's state dies, and its memory is another block's: nothing is read of it, also where tracing started late"""
    for options in ("", "paused=1"):
        document = play(python, SCRIPT, "1", "ensure", options=options, how=("--sort", "allocated"))[2]
        [row] = [row for row in document["stats"] if (row["file"], row["line"]) == ("<string>", 3)]
        equal("51 times 50 blocks were allocated", row["allocated_count"] // 150, 51 * 50 // 150)


def others():
    """a library of another version is opened after one was closed, and that again: each has its lines"""
    found = [python for python in pythons() if python.has_library()]
    if len(found) < 2:
        raise Skip("no two shared libraries")
    for first, second in ((found[0], found[-1]), (found[-1], found[-2])):
        for way, last, python in (("reopen", 1, second), ("move", 1, second), ("reopen", 2, first)):
            have, _, document = play(first, in_round(last), "3", way, status=-signal.SIGKILL, other=second)
            expect(have)
            version = ".".join(document["process"]["python"]["version"].split(".")[:2])
            equal("version", version, ".".join(map(str, python.minor)))


def own(python):
    """allocators of the program's own, which call malloc: nothing is lost, nothing counted twice"""
    for script, status in ((SCRIPT.replace('builtins.__dict__.get("stop")', "True"), -signal.SIGKILL), (SCRIPT, -signal.SIGABRT)):
        have, functions, _ = play(python, script, "1", "own", status=status)
        if status == -signal.SIGKILL:
            expect(have)
        equal("keep_before", functions.get("keep_before"), (11000, 11))
        equal("own_malloc", functions.get("own_malloc", (0, 0)), (0, 0))


def too_many(python):
    """allocators of the program's own, another one in each round: where there are too many, the report says so"""
    play(python, SCRIPT, "5", "fresh")
    if python.minor >= (3, 13):
        raise Skip("this version replaces them all when it is initialised")
    _, functions, document = play(python, SCRIPT, "12", "fresh", state="too_many_allocators",
                                  how=("--sort", "allocated", "--domain", "libc,raw,mem,obj"))
    [row] = [row for row in document["stats"] if (row["file"], row["line"]) == ("<string>", 3)]
    equal("rounds with Python lines", 6 <= row["allocated_count"] // 50 <= 8, True)
    for name, count in (("keep_before", 11), ("keep_between", 13), ("keep_after", 17)):
        equal(name, functions.get(name), (1000 * count, count))
    if not document["process"]["python"]["reason"]:
        raise AssertionError("the report does not say why there are no Python lines")


def main():
    tap = Tap()
    for python in chosen():
        for one in (lines, again, after, ends, closed, reopened, dead_states, own, too_many):
            tap.check(f"{python}: {one.__doc__}", one, python)
    tap.check(others.__doc__, others)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
