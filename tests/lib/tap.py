"""Speaks TAP to automake's tap-driver.sh: one line for each thing checked, and a plan at the end."""

import sys


class Tap:
    def __init__(self):
        self.count = 0
        self.failures = 0

    def _line(self, ok, name, more=""):
        self.count += 1
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}{more}", flush=True)

    def ok(self, name):
        self._line(True, name)

    def fail(self, name, explanation):
        self.failures += 1
        for line in str(explanation).splitlines():
            print(f"# {line}")
        self._line(False, name)

    def skip(self, name, reason):
        self._line(True, name, f" # SKIP {reason}")

    def check(self, name, function, *arguments, **more):
        """Runs function; what it raises is the explanation of a failure."""
        try:
            function(*arguments, **more)
        except Skip as reason:
            self.skip(name, reason)
        except (Exception, SystemExit) as error:  # whatever goes wrong, the other checks go on
            self.fail(name, f"{type(error).__name__}: {error}")
        else:
            self.ok(name)

    def done(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failures else 0


class Skip(Exception):
    """What is to be checked is not there; says what is missing."""


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)
    sys.stdout.flush()
