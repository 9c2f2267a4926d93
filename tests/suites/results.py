"""Turns what the runs found into RESULTS.md and the figures."""

import collections
import json
import platform
import subprocess
import time

import compare
import debian


def load(work, names):
    """The last result of each suite that has one."""
    files = [work / "results" / f"{name}.json" for name in names]
    return [json.loads(path.read_text(encoding="utf-8")) for path in files if path.exists()]


def unexplained(every):
    return [one for found in every for one in found["differences"] if one["cause"] == compare.SHIM and not one["why"]]


def summary(found):
    regions = found["regions"]
    causes = collections.Counter(one["cause"] for one in found["differences"])
    return (
        f"{found['suite']}: {found['ran']} tests, {found['equal']} equal, {found['skipped']} skipped, differences "
        f"{dict(causes)}, {regions['processes']} regions ({regions['by_stats']} read by stats), "
        f"{regions['allocations']} allocations, drops {regions['drops']}, states {regions['states']}, "
        f"at most {regions['most_at_once']} regions, {regions['most_bytes'] >> 20} MiB, "
        f"unreadable {len(regions['unreadable'])} {regions['unreadable'][:3]}"
    )


def figures(every):
    print(f"FIGURE: third-party tests run {sum(found['ran'] for found in every)}")
    print(f"FIGURE: third-party tests equal {sum(found['equal'] for found in every)}")


def row(cells):
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def revision(tool):
    command = ["git", "-C", str(tool.parent), "log", "-1", "--format=%h", "--", ":/shim", ":/region"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown revision"


def overview(every):
    columns = ["suite", "version", "date", "units", "tests run", "equal", "skipped in both", "failing in both",
               "processes traced", "allocations recorded", "not readable"]
    yield row(columns)
    yield row(["---", "---", "---", *["---:"] * 8])
    sums = collections.Counter()
    for found in every:
        regions = found["regions"]
        numbers = {
            "units": found["units"], "ran": found["ran"], "equal": found["equal"], "skipped": found["skipped"],
            "failing": found["failing"], "processes": regions["processes"], "allocations": regions["allocations"],
            "unreadable": len(regions["unreadable"]),
        }
        sums.update(numbers)
        yield row([found["suite"], found["version"], found["date"], *numbers.values()])
    yield row(["**all**", "", "", *sums.values()])


def differences(found, cause):
    for one in found["differences"]:
        if one["cause"] == cause:
            runs = ", ".join(f"{way} {' '.join(one[way])}" for way in ("plain", "empty", "traced") if one[way])
            yield f"- `{one['test']}` ({runs}){': ' + one['why'] if one['why'] else ''}"


TITLES = {
    compare.SHIM: "Only under the shim",
    compare.PRELOAD: "Under any preloaded library",
    compare.ONCE: "Once, and equal when repeated",
    compare.FLAKY: "Different between plain runs",
}


def details(found, suite):
    regions = found["regions"]
    yield f"\n## {found['suite']}\n"
    yield f"{suite.about}\n"
    yield (
        f"{regions['processes']} regions were read and removed ({regions['by_stats']} of them by `stats --json`, too): "
        f"{', '.join(f'{n} {state}' for state, n in sorted(regions['states'].items()))}. At most "
        f"{regions['most_at_once']} lay in the directory at once, {regions['most_bytes'] / 2**20:.0f} MiB."
    )
    if found["not_begun"]:
        yield f"\nNot run for want of time: {found['not_begun']} of {found['units'] + found['not_begun']} units."
    if found.get("empty"):
        yield f"\nUnits that ran no test, in neither way: {', '.join(found['empty'])}."
    for name, why in found["left_out"].items():
        yield f"\nNot run: {name}: {why}"
    for cause, title in TITLES.items():
        lines = list(differences(found, cause))
        if lines:
            yield f"\n{title}:\n"
            yield from lines
    if regions["unreadable"]:
        yield "\nNot readable:\n"
        yield from (f"- {what}" for what in regions["unreadable"])
    yield "\nDrops: none." if not regions["drops"] else "\nDrops:\n"
    for cause, count in sorted(regions["drops"].items()):
        top = sorted(regions["where"][cause].items(), key=lambda item: -item[1])[:6]
        where = ", ".join(f"{program} {n}" for program, n in top)
        yield f"- `{cause}` {count} ({where}): {suite.drops.get(cause, 'not explained')}"


def text(every, suites, tool):
    known = {suite.name: suite for suite in suites}
    libc = debian.version("libc6") or "unknown"
    lines = [
        "# The test suites of other programs, traced\n",
        "Written by `tests/suites/run --write`: each test ran without the shim and under it, and what came out was",
        "compared test by test. A unit (a file of tests) with a difference was run twice more in each way, and with an",
        "empty preloaded library as a control. \"Equal\" counts what was equal at the first comparison.\n",
        f"{time.strftime('%Y-%m-%d')}, shim of {revision(tool)}, Debian 12, libc6 {libc}, "
        f"Linux {platform.release()}, {platform.machine()}\n",
        *overview(every),
    ]
    for found in every:
        lines += details(found, known[found["suite"]])
    return "\n".join(lines) + "\n"
