"""Builds the fuzz targets with clang and its libFuzzer, and runs them. What a target is for stands in TARGET_fuzz.c."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
TARGETS = ("region", "snapshot", "cfi", "symbol", "lines", "options")
LENGTHS = {  # of inputs, at most
    "region": 16384, "snapshot": 16384, "cfi": 8192, "symbol": 16384, "lines": 512, "options": 1024
}
MEMORY = 2048  # MiB
TIMEOUT = 10  # seconds for one input


class Missing(Exception):
    """There is no clang here, or it has no libFuzzer."""


def corpus(target):
    return HERE / "corpus" / target


def build(directory, jobs=2, **variables):
    """Makes all targets in the directory; Missing when that cannot be done here."""
    directory.mkdir(parents=True, exist_ok=True)
    clang = variables.setdefault("CLANG", os.environ.get("CLANG", "clang"))
    if shutil.which(clang) is None:
        raise Missing(f"no {clang}: install Debian's clang")
    probe = directory / "probe"
    probe.with_suffix(".c").write_text("int LLVMFuzzerTestOneInput(void) { return 0; }\n")
    command = [clang, "-fsanitize=fuzzer,address,undefined", str(probe.with_suffix(".c")), "-o", str(probe)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        raise Missing(f"{clang} has no libFuzzer: install Debian's libclang-rt-14-dev")
    words = [f"{name}={value}" for name, value in variables.items()]
    make = os.environ.get("MAKE", "make")
    of_make = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")  # of a make that this one is not a part of
    environment = {name: value for name, value in os.environ.items() if name not in of_make}
    command = [make, "-s", f"-j{jobs}", "-f", HERE / "fuzz.mk", f"srcdir={SOURCE}", f"out={directory}", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise AssertionError(f"the targets cannot be built:\n{done.stdout}{done.stderr}")


class Fuzzer:
    """One target at work for so many seconds: 0 is the corpus and nothing else. New inputs that reach what none did
    go to `found`, those that make it fail to `failed`."""

    def __init__(self, directory, target, seconds, found, failed):
        self.target = target
        self.failed = failed / target
        self.failed.mkdir(parents=True, exist_ok=True)
        (found / target).mkdir(parents=True, exist_ok=True)
        limit = [f"-max_total_time={seconds}"] if seconds else ["-runs=0"]
        command = [
            directory / target, *limit, f"-max_len={LENGTHS[target]}", f"-rss_limit_mb={MEMORY}", f"-timeout={TIMEOUT}",
            "-close_fd_mask=3", "-print_final_stats=1", f"-artifact_prefix={self.failed}/", found / target,
            corpus(target),
        ]
        ours = ("TRACESNAP", "DEBUGINFOD")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.scratch = tempfile.TemporaryDirectory(prefix="tracesnap-fuzz-", dir=shared)  # goes also after a crash
        environment["TMPDIR"] = self.scratch.name
        environment["ASAN_OPTIONS"] = "detect_leaks=1:quarantine_size_mb=16:malloc_context_size=5"
        environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
        self.log = (self.failed / "log").open("w+b")
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment
        )

    def end(self):
        """Waits. (executions, processor seconds); AssertionError says what failed and which input does it."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.scratch.cleanup()
        self.log.seek(0)
        log = self.log.read().decode(errors="replace")
        self.log.close()
        found = re.search(r"stat::number_of_executed_units: (\d+)", log)
        if self.process.returncode != 0 or found is None:
            inputs = [str(path) for path in self.failed.iterdir() if path.name != "log"]
            raise AssertionError(f"{self.target} failed; input {', '.join(inputs) or 'none'}:\n{log[-6000:]}")
        return int(found[1]), usage.ru_utime + usage.ru_stime


def fuzz(directory, targets, seconds, found, failed, at_once=2):
    """Runs targets, so many at a time; yields (target, executions, processor seconds or what failed)."""
    waiting, running = list(targets), []
    while waiting or running:
        while waiting and len(running) < at_once:
            running.append(Fuzzer(directory, waiting.pop(0), seconds, found, failed))
        fuzzer = running.pop(0)
        try:
            yield fuzzer.target, *fuzzer.end()
        except AssertionError as error:
            yield fuzzer.target, 0, error
