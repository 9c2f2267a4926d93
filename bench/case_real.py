"""Real programs: untraced, with tracesnap, and with heaptrack's preload whose output is thrown away."""

from bench import HEAPTRACK, TRACESNAP, UNTRACED
from measure import Figure
from report import Result, Table, Verdict, mega, seconds, spread

NAME = "real"


def figures(costs):
    """{variant: {"wall": Figure, "cpu": Figure}}"""
    return {
        variant: {
            "wall": Figure.of(cost.wall for cost in runs),
            "cpu": Figure.of(cost.cpu for cost in runs),
        }
        for variant, runs in costs.items()
    }


def added(measured, variant, kind):
    """Seconds that a tracer adds to the median, None if it is not there."""
    if variant not in measured:
        return None
    return measured[variant][kind].median - measured[UNTRACED][kind].median


def quotient(measured, kind):
    """tracesnap's added time as a part of heaptrack's; None if that says nothing."""
    ours, theirs = added(measured, TRACESNAP, kind), added(measured, HEAPTRACK, kind)
    return ours / theirs if theirs is not None and theirs > 0 else None


def time_rows(name, measured):
    rows = []
    for variant, kinds in measured.items():
        wall, cpu = kinds["wall"], kinds["cpu"]
        base = measured[UNTRACED]
        traced = variant != UNTRACED
        rows.append(
            [
                name if not traced else "",
                variant,
                seconds(wall.median),
                spread(wall, seconds),
                f"{wall.median / base['wall'].median:.2f}" if traced else "1",
                seconds(added(measured, variant, "wall")) if traced else "",
                f"{cpu.median / base['cpu'].median:.2f}" if traced else "1",
            ]
        )
    return rows


def verdict(name, measured):
    ours, theirs = added(measured, TRACESNAP, "wall"), added(measured, HEAPTRACK, "wall")
    claim = f"{name}: added time below heaptrack's"
    if theirs is None:
        return Verdict(claim, None, f"{seconds(ours)} added; heaptrack is missing")
    noise = any(kinds["wall"].noisy for kinds in measured.values())
    found = f"{seconds(ours)} against {seconds(theirs)}" + ("; noisy" if noise else "")
    return Verdict(claim, ours < theirs, found)


def share_row(name, measured, books):
    parts = [quotient(measured, kind) for kind in ("wall", "cpu")]
    return [
        name,
        mega(books["totals"]["allocated_count"]),
        mega(books["heaptrack_count"]) if "heaptrack_count" in books else "",
        str(books["totals"]["contexts"]),
        *(f"{part:.2f}" if part is not None else "" for part in parts),
    ]


def run(bench):
    times = Table(
        "Time of real programs",
        ["program", "tracer", "wall", "min..max", "ratio", "added", "ratio of CPU time"],
        note="Ratios are to the untraced program; the claim is about wall time, CPU time is less disturbed"
        " by other programs.",
    )
    shares = Table(
        "Added time of tracesnap as a part of heaptrack's",
        ["program", "allocations", "as heaptrack counts", "contexts", "wall", "CPU time"],
        note="Below 1 is faster than heaptrack, whose output is thrown away here.",
    )
    result = Result(NAME, [times, shares])
    for program in bench.programs():
        measured = figures(bench.program_costs(program))
        books = bench.books[program.name]
        times.rows += time_rows(program.name, measured)
        times.notes.append(program.what)
        if books["drops"]:
            times.notes.append(f"{program.name}: not all was recorded, drops: {books['drops']}")
        shares.rows.append(share_row(program.name, measured, books))
        result.verdicts.append(verdict(program.name, measured))
        result.data[program.name] = {
            "what": program.what,
            "times": {v: {k: f.json() for k, f in kinds.items()} for v, kinds in measured.items()},
            "added": {
                v: {kind: added(measured, v, kind) for kind in ("wall", "cpu")}
                for v in measured
                if v != UNTRACED
            },
            "added_share": {kind: quotient(measured, kind) for kind in ("wall", "cpu")},
            "counted": books,
        }
    return result
