"""Compares the outcomes of a unit, test by test, and finds what made the difference by repetition.

A unit with a difference is run again, plain, with the empty library and traced, in turn. What differs between two
plain runs is flaky by itself; what the empty library changes in the same way, any preloaded library changes; what
was equal whenever it was repeated is "once"; the rest is the shim's doing.
"""

import re

from runner import EMPTY, PLAIN, TRACED
from suite import EXIT, MISSING, OK, SKIPPED

FLAKY, PRELOAD, ONCE, SHIM = "flaky", "any preloaded library", "once", "shim"
ROUNDS = 2


def different(first, second):
    names = [*first, *(name for name in second if name not in first)]
    return [name for name in names if first.get(name, MISSING) != second.get(name, MISSING)]


class Unit:
    """What came of one unit."""

    def __init__(self, name, plain, traced):
        self.name, self.plain = name, plain
        self.names = different(plain, traced)
        self.runs = {PLAIN: [plain], EMPTY: [], TRACED: [traced]}

    def repeat(self, run):
        for _ in range(ROUNDS if self.names else 0):
            for way in PLAIN, EMPTY, TRACED:
                self.runs[way].append(run(self.name, way))

    def seen(self, way, test):
        return [outcomes.get(test, MISSING) for outcomes in self.runs[way]]

    def cause(self, test):
        plain, empty, traced = (set(self.seen(way, test)) for way in (PLAIN, EMPTY, TRACED))
        if len(plain) > 1:
            return FLAKY
        if plain & set(self.seen(TRACED, test)[1:]):
            return ONCE
        return PRELOAD if empty == traced else SHIM

    def counts(self):
        """(tests that ran, of these equal at the first comparison, skipped)."""
        tests = {name: outcome for name, outcome in self.plain.items() if name != EXIT}
        ran = [name for name, outcome in tests.items() if outcome != SKIPPED]
        return len(ran), len([name for name in ran if name not in self.names]), len(tests) - len(ran)

    def differences(self, explained):
        for test in self.names:
            full = f"{self.name}: {test}"
            why = next((text for pattern, text in explained if re.search(pattern, full)), "")
            yield {
                "test": full,
                "cause": self.cause(test),
                "why": why,
                **{way: self.seen(way, test) for way in self.runs},
            }


def failing(outcomes):
    """How many fail without the shim, too."""
    return len([1 for name, outcome in outcomes.items() if name != EXIT and outcome not in (OK, SKIPPED)])
