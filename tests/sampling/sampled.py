"""What the tests of sampling share: a program that knows its own allocations, and what an estimate of
them may be.

A block of n bytes is recorded with the probability p = 1 - exp(-n / sample) and then counts 1/p, whole numbers by
chance. So the count has, per block, the variance (1 - p) / p, and p * f * (1 - f) of the rounding, where f is the
fraction of 1/p; the size has n^2 times the former, and at most p / 4. All blocks are independent: variances add."""

import math
import os
import sys

sys.path.insert(0, os.path.join(os.environ["srcdir"], "tests", "faults"))

from fault import Regions, build, drops, equal, main, run  # noqa: E402,F401

# Standard errors. A normal figure is further out with a probability of 2e-9; one that rests on some 50 samples, the
# fewest here, with 5e-8. A run of these tests asks for some 100 figures, few of that kind.
FAR = 6.0


class Truth:
    """The sum of some blocks: count, size, and the variances of their estimates."""

    def __init__(self):
        self.count = self.size = self.count_variance = self.size_variance = 0

    def add(self, number, size, sample):
        p = -math.expm1(-max(size, 1) / sample)
        fraction = math.modf(1 / p)[0]
        self.count += number
        self.size += number * size
        self.count_variance += number * ((1 - p) / p + p * fraction * (1 - fraction))
        self.size_variance += number * ((1 - p) / p * size * size + p / 4)

    def compare(self, name, count, size, wrong):
        for what, found, right, variance in (("count", count, self.count, self.count_variance),
                                             ("size", size, self.size, self.size_variance)):
            error = math.sqrt(variance)
            off = abs(found - right)
            text = f"{name}: {what} {found}, truth {right}, standard error {error:.1f}"
            print(f"# {text}: off by {off / error if error else off:.2f}")
            # Half a block or byte: what certain blocks still may be off by rounding of the weight itself.
            if off > FAR * error + 0.5:
                wrong.append(text)


def truths(output, sample):
    """Of a fixture's lines "PLACE SIZE ALLOCATED LIVE": place -> (ever allocated, live)."""
    places = {}
    for line in output.splitlines():
        place, size, allocated, live = line.split()
        ever, now = places.setdefault(place, (Truth(), Truth()))
        ever.add(int(allocated), int(size), sample)
        now.add(int(live), int(size), sample)
    return places


def rows(stats):
    """The rows by function."""
    return {row["function"]: row for row in stats["stats"] if row["function"]}


BY_FUNCTION = ("--group-by", "function", "--sort", "allocated")
NOTHING = {"count": 0, "size": 0, "allocated_count": 0, "allocated_size": 0, "temporary_count": 0}


def compare(output, stats, sample):
    wrong = []
    found = rows(stats)
    for place, (ever, now) in truths(output, sample).items():
        row = found.get(place, NOTHING)
        ever.compare(f"{place}, allocated", row["allocated_count"], row["allocated_size"], wrong)
        now.compare(f"{place}, live", row["count"], row["size"], wrong)
    if wrong:
        raise AssertionError("\n".join(wrong))


def sampled(program, *arguments, sample, options="", source=None):
    """Runs a program sampled, which must drop nothing. (output, statistics)"""
    with Regions() as regions:
        output = run([program, *arguments], regions.traced(f"sample={sample}{options}"))
        stats = regions.stats(source or regions.all()[0], *BY_FUNCTION)
        equal("sample", stats["process"]["sample"], sample)
        wrong = drops(stats)
        if wrong:
            raise AssertionError("\n".join(wrong))
        return output, stats
