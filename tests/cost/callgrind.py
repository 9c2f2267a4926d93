"""Runs a program traced under callgrind and counts the instructions that it executed inside the shim: what libc
and the program itself execute is theirs."""

import os
import shutil
import subprocess
import tempfile

import tracesnap
from tap import Skip
from tracesnap import TIMEOUT

NOT_KNOWN = "unknown option in TRACESNAP_OPTIONS"


def instructions_by_object(lines):
    """{path of executable or library: instructions executed in it} from callgrind's file.

    "ob=(NUMBER) PATH" opens the costs of an object, and later "ob=(NUMBER)" alone: any line that speaks of an
    object may be the first, a call's "cob=" too. A line that begins with a position is a cost, but for the one
    behind "calls=", which holds what the callee and all that it called cost: theirs, listed elsewhere.
    """
    paths, costs = {}, {}
    current, of_callee = None, False
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and key in ("ob", "cob"):
            number, _, path = value.strip().partition(" ")
            if path:
                paths[number] = path
            if key == "ob":
                current = number
        elif equals and key == "calls":
            of_callee = True
        elif line[0] in "0123456789+-*":
            if not of_callee:
                costs[current] = costs.get(current, 0) + int(line.split()[1])
            of_callee = False
    return {paths[number]: cost for number, cost in costs.items()}


def copied(path, regions):
    """The path of a copy, as long as on any other machine."""
    if os.statvfs(regions.scratch).f_flag & os.ST_NOEXEC:
        raise Skip(f"nothing can be executed in {tempfile.gettempdir()}")
    return str(shutil.copy(path, regions.scratch))


def instructions(regions, program, arguments, options):
    """Those inside the shim, of a whole process; the region that it left; what it printed.

    Paths and the environment are the same for everyone: start-up reads them, and they move the stack. Valgrind's
    launcher is traced, too, into the same region directory: the process goes on under the same pid.
    """
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise Skip("no valgrind")
    shim, output = copied(tracesnap.SHIM, regions), regions.scratch / "callgrind.out"
    command = [valgrind, "-q", "--tool=callgrind", "--dump-line=no", f"--callgrind-out-file={output}"]
    command += [copied(program, regions), *map(str, arguments)]
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TRACESNAP_DIR": str(regions.path), "LD_PRELOAD": shim}
    done = subprocess.run(
        command,
        env={**environment, "TRACESNAP_OPTIONS": options},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if NOT_KNOWN in done.stderr:
        raise Skip(f"not known to this shim: {options}")
    if done.returncode != 0:
        raise AssertionError(f"'{' '.join(command)}' ended with {done.returncode}: {done.stderr}")
    with open(output, encoding="utf-8", errors="replace") as lines:
        costs = instructions_by_object(lines)
    inside = [cost for path, cost in costs.items() if os.path.basename(path) == os.path.basename(shim)]
    if not inside:
        raise AssertionError(f"no instruction of '{shim}' was executed, only of {', '.join(costs)}")
    return inside[0], regions.all()[-1], done.stdout
