"""Runs one unit of a suite in one of three ways: plain, with an empty preloaded library, traced.

What differs between the ways is LD_PRELOAD and TRACESNAP_DIR alone; the empty library gets both, too. Directories
have names of equal length. As root, everything runs as the user nobody: suites skip or refuse what root may do.
"""

import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

PLAIN, EMPTY, TRACED = "plain", "empty", "traced"
PR_SET_CHILD_SUBREAPER = 36
OWN = threading.Lock()  # held while a child of the driver's own runs beside a unit
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class User:
    """Who runs the suites."""

    def __init__(self):
        self.is_root = os.geteuid() == 0
        entry = pwd.getpwnam("nobody") if self.is_root else pwd.getpwuid(os.geteuid())
        self.uid, self.gid, self.name = entry.pw_uid, entry.pw_gid, entry.pw_name
        self.arguments = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_root else {}

    def own(self, path):
        """Gives a file or a whole tree to that user."""
        if not self.is_root:
            return
        for directory, _, files in os.walk(path):
            for name in [directory, *(os.path.join(directory, file) for file in files)]:
                os.chown(name, self.uid, self.gid, follow_symlinks=False)


def install(source, target):
    """Copies a program or library for everybody's use; one of the same name may be in use elsewhere."""
    new = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, new)
    new.chmod(0o755)
    new.rename(target)


def become_subreaper():
    """What a unit leaves running comes to us, to be ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _parents():
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            yield int(entry.name), int(fields[1])


def reap(but, end=False):
    """Reaps what became our child because its parent ended, and all of it after ending it: whether any was left."""
    found = False
    with OWN:
        for pid, parent in _parents():
            if parent != os.getpid() or pid == but:
                continue
            found = True
            try:
                if end:
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0 if end else os.WNOHANG)
            except (ProcessLookupError, ChildProcessError):
                pass
    return found


def end_leftovers():
    for _ in range(50):
        if not reap(but=0, end=True):
            break
        time.sleep(0.01)


class Runner:
    def __init__(self, work, regions, shim, user):
        self.work, self.regions, self.user = work, regions, user
        self.shim, self.empty = work / "ts.so", work / "no.so"
        install(shim, self.shim)
        with tempfile.TemporaryDirectory() as scratch:
            source, library = pathlib.Path(scratch, "empty.c"), pathlib.Path(scratch, "empty.so")
            source.write_text("extern int nothing_at_all;\n", encoding="utf-8")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
            install(library, self.empty)

    def environment(self, way, directory):
        home, temporary = directory / "home", directory / "tmp"
        for path in home, temporary:
            path.mkdir(parents=True)
        environment = {
            "PATH": PATH,
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "USER": self.user.name,
            "LOGNAME": self.user.name,
        }
        if way != PLAIN:
            environment["LD_PRELOAD"] = str(self.shim if way == TRACED else self.empty)
            environment["TRACESNAP_DIR"] = str(self.regions)
        return environment

    def run(self, suite, unit, way):
        """{test: outcome} of a unit."""
        directory = self.work / way[0] / suite.name / "run"
        shutil.rmtree(directory, ignore_errors=True)
        own = directory / "unit"
        own.mkdir(parents=True)
        environment = self.environment(way, directory)
        command, where, more = suite.command(unit, own)
        self.user.own(self.work / way[0] / suite.name)
        log = self.work / "log" / suite.name / f"{unit.replace('/', '_')}.{way}"
        log.parent.mkdir(parents=True, exist_ok=True)
        status = self._wait(command, where, {**environment, **more}, log, suite.timeout)
        output = log.read_bytes().decode(errors="replace")
        outcomes = suite.outcomes(unit, own, output, status)
        return {name.replace(str(directory), "DIR"): outcome for name, outcome in outcomes.items()}

    def _wait(self, command, where, environment, log, timeout):
        with log.open("wb") as out, subprocess.Popen(
            list(map(str, command)), cwd=where, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, umask=0o022, **self.user.arguments,
        ) as process:
            status, until = None, time.monotonic() + timeout
            while status is None:
                try:
                    status = process.wait(0.5)
                except subprocess.TimeoutExpired:
                    reap(but=process.pid)
                    status = "timeout" if time.monotonic() > until else None
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        end_leftovers()
        return status
