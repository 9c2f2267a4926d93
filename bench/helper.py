"""Drives the program of contexts.c: starts it, waits until it holds its blocks, and lets its second thread
look for gaps."""

import subprocess

from measure import BenchError

STACKS = 2**17  # that contexts.c makes


class Contexts:
    def __init__(self, bench, tracer, blocks, cpu=-1):
        self.process = subprocess.Popen(
            [bench.helper("contexts"), str(blocks), str(cpu)],
            env=bench.environment(tracer),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.pid = self.process.pid
        if self.process.stdout.readline() != b"ready\n":
            self.process.kill()
            self.process.wait()
            raise BenchError("the program of 'contexts.c' did not get ready; run it by hand")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def _command(self, letter):
        self.process.stdin.write(letter)
        self.process.stdin.flush()

    def longest_gap(self, during):
        """Calls during() while the second thread runs; returns that thread's longest gap in seconds."""
        self._command(b"b")
        during()
        self._command(b"e")
        return int(self.process.stdout.readline().split()[0]) / 1e9

    def memory(self, field):
        """A size of /proc/PID/status in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise BenchError(f"no '{field}' in the status of a process; the kernel is too old")
