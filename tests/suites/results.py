"""Turns what the runs found into RESULTS.md and the figures."""

import collections
import json
import platform
import subprocess
import time

import compare
import debian
from regions import Sums, merged


class Result:
    """What is known of a suite: a result for each unit, and what its regions held; kept as JSON."""

    def __init__(self, work, suite, fresh=False):
        self.path, self.suite = work / "results" / f"{suite.name}.json", suite
        known = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() and not fresh else {}
        self.units = known.get("units", {})
        self.before = known.get("regions", Sums())
        self.regions = self.before

    def add(self, unit, explained, shim):
        ran, equal, skipped = unit.counts()
        differences = list(unit.differences(explained))
        self.units[unit.name] = {
            "date": time.strftime("%Y-%m-%d"), "shim": shim, "ran": ran, "equal": equal, "skipped": skipped,
            "failing": compare.failing(unit.plain), "differences": differences,
        }
        print(f"{self.suite.name} {unit.name}: {equal} of {ran} equal, {skipped} skipped", flush=True)
        for one in differences:
            print(f"    {one['cause']}: {one['test']}: {runs(one)}", flush=True)

    def save(self, regions):
        """regions: the sums of this run; they come to those of the runs before."""
        self.regions = merged(self.before, regions)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"units": self.units, "regions": self.regions}, indent=1), encoding="utf-8")
        new.rename(self.path)

    def total(self, what):
        return sum(unit[what] for unit in self.units.values())

    def differences(self, cause):
        return [one for unit in self.units.values() for one in unit["differences"] if one["cause"] == cause]

    def shims(self):
        return sorted({unit["shim"] for unit in self.units.values()})

    def date(self):
        return max(unit["date"] for unit in self.units.values())


def unexplained(every):
    return [one for found in every for one in found.differences(compare.SHIM) if not one["why"]]


def runs(one):
    return ", ".join(f"{way} {' '.join(one[way])}" for way in ("plain", "empty", "traced") if one[way])


def summary(found):
    regions = found.regions
    causes = {cause: len(found.differences(cause)) for cause in TITLES}
    return (
        f"{found.suite.name}: {found.total('ran')} tests, {found.total('equal')} equal, "
        f"{found.total('skipped')} skipped, differences {causes}, "
        f"{regions['processes']} regions ({regions['by_stats']} read by stats), "
        f"{regions['allocations']} allocations, drops {regions['drops']}, states {regions['states']}, "
        f"at most {regions['most_at_once']} regions, {regions['most_bytes'] >> 20} MiB, "
        f"unreadable {len(regions['unreadable'])} {regions['unreadable'][:3]}"
    )


def figures(every):
    print(f"FIGURE: third-party tests run {sum(found.total('ran') for found in every)}")
    print(f"FIGURE: third-party tests equal {sum(found.total('equal') for found in every)}")


def row(cells):
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def revision(tool):
    command = ["git", "-C", str(tool.parent), "log", "-1", "--format=%h", "--", ":/shim", ":/region"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown revision"


def overview(every):
    columns = ["suite", "version", "date", "shim of", "units", "tests run", "equal", "skipped in both",
               "failing in both", "processes traced", "allocations recorded", "not readable"]
    yield row(columns)
    yield row(["---", "---", "---", "---", *["---:"] * 8])
    sums = collections.Counter()
    for found in every:
        numbers = {"units": len(found.units), **{what: found.total(what) for what in
                                                 ("ran", "equal", "skipped", "failing")},
                   "processes": found.regions["processes"], "allocations": found.regions["allocations"],
                   "unreadable": len(found.regions["unreadable"])}
        sums.update(numbers)
        yield row([found.suite.name, found.suite.version(), found.date(), ", ".join(found.shims()), *numbers.values()])
    yield row(["**all**", "", "", "", *sums.values()])


def not_run(found):
    wanted = [name for name in found.suite.units() if name not in found.suite.left_out]
    missing = [name for name in wanted if name not in found.units]
    if missing:
        yield f"\nNot run for want of time: {len(missing)} of {len(wanted)} units."
    empty = [name for name, unit in found.units.items() if unit["ran"] + unit["skipped"] == 0]
    if empty:
        yield f"\nUnits that ran no test, in neither way: {len(empty)} ({', '.join(sorted(empty)[:8])}, ...)."
    for name, why in found.suite.left_out.items():
        yield f"\nNot run: {name}: {why}"


TITLES = {
    compare.SHIM: "Only under the shim",
    compare.PRELOAD: "Under any preloaded library",
    compare.ONCE: "Once, and equal when repeated",
    compare.FLAKY: "Different between plain runs",
}


def details(found):
    regions = found.regions
    yield f"\n## {found.suite.name}\n"
    yield f"{found.suite.about}\n"
    yield (
        f"{regions['processes']} regions were read and removed ({regions['by_stats']} of them by `stats --json`, too): "
        f"{', '.join(f'{n} {state}' for state, n in sorted(regions['states'].items()))}. At most "
        f"{regions['most_at_once']} lay in the directory at once, {regions['most_bytes'] / 2**20:.0f} MiB."
    )
    yield from not_run(found)
    for cause, title in TITLES.items():
        lines = found.differences(cause)
        if lines:
            yield f"\n{title}:\n"
        for one in lines:
            yield f"- `{one['test']}` ({runs(one)}){': ' + one['why'] if one['why'] else ''}"
    if regions["unreadable"]:
        yield "\nNot readable:\n"
        yield from (f"- {what}" for what in regions["unreadable"])
    yield "\nDrops: none." if not regions["drops"] else "\nDrops:\n"
    for cause, count in sorted(regions["drops"].items()):
        top = sorted(regions["where"][cause].items(), key=lambda item: -item[1])[:6]
        where = ", ".join(f"{program} {n}" for program, n in top)
        yield f"- `{cause}` {count} ({where}): {found.suite.drops.get(cause, 'not explained')}"


def text(every):
    lines = [
        "# The test suites of other programs, traced\n",
        "Written by `tests/suites/run --write`: each test ran without the shim and under it, and what came out was",
        "compared test by test. A unit (a file of tests) with a difference was run twice more in each way, and with an",
        "empty preloaded library as a control. \"Equal\" counts what was equal at the first comparison.\n",
        f"{time.strftime('%Y-%m-%d')}, Debian 12, libc6 {debian.version('libc6')}, "
        f"Linux {platform.release()}, {platform.machine()}\n",
        *overview(every),
    ]
    for found in every:
        lines += details(found)
    return "\n".join(lines) + "\n"
