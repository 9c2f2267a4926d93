"""Python programs: time and peak memory untraced, with tracesnap and with the tracers that know Python. Every
run must print what the untraced one printed."""

import dataclasses
import os
import statistics
from dataclasses import dataclass

import places
import pythons
import timing
from measure import BenchError, Figure, in_turn
from report import Result, Table, Verdict, mebibytes, mega, seconds
from tracers import BEFORE, SAMPLED, TRACESNAP, UNTRACED, limits, of_python

NAME = "python"
KINDS = ("wall", "cpu", "peak")
MEAN_LIMIT = 1.25
WORST_LIMIT = 2.0
PEAK_LIMIT = 1.3
CUT = "depth_cut"  # recorded, with the innermost frames: what the option depth asks for


@dataclass
class Measured:
    """What was found of one program."""

    program: object
    printed: str  # its checksum
    figures: dict  # kind -> {tracer's name: Figure}
    outside: int  # bytes of the region that no peak of the process holds
    region: int  # bytes of the region in the same run
    books: dict  # what tracesnap counted in it
    drops: dict  # in all runs together: cause -> count

    def ratio(self, kind, name):
        """To the untraced program; the peak with all of the region."""
        ratio = timing.ratio(self.figures[kind], name)
        if kind == "peak" and name == TRACESNAP:
            ratio += self.outside / self.figures[kind][UNTRACED].median
        return ratio

    def least(self, name):
        """The ratio of the least CPU times, which other programs disturb least."""
        cpu = self.figures["cpu"]
        return cpu[name].low / cpu[UNTRACED].low

    def noisy(self, kind, name):
        return any(self.figures[kind][of].noisy for of in (name, UNTRACED))


class Runner:
    """Runs one program, and looks at what it printed and what was dropped."""

    def __init__(self, bench, program):
        self.bench = bench
        self.program = program
        self.output = os.path.join(bench.scratch, "printed")
        self.expected = None
        self.drops = {}

    def run(self, tracer, watch=False):
        """Returns (Cost, what tracesnap counted, else None)."""
        pid, cost = self.bench.launch(tracer, self.program, discard=False, watch=watch, output=self.output)
        self._compare(tracer)
        counted = None
        if tracer.name == TRACESNAP:
            document = self.bench.stats(self.bench.region_of(pid), "--group-by", "object")
            counted = document["totals"]
            self._count(document["drops"])
            if counted["allocated_count"] == 0:
                raise BenchError(f"'{tracer.name}' saw nothing of '{self.program.name}'; run 'tracesnap doctor'")
        return dataclasses.replace(cost, region=self.bench.finish(tracer, pid)), counted

    def _compare(self, tracer):
        """The last line is the program's, whatever a tracer printed before."""
        with open(self.output, encoding="utf-8", errors="replace") as file:
            printed = (file.read().splitlines() or [""])[-1]
        if self.expected is None:
            self.expected = printed
        if printed != self.expected or not printed:
            raise BenchError(
                f"'{self.program.name}' printed '{printed}' with '{tracer.name}', '{self.expected}' before; run it"
                " by hand"
            )

    def _count(self, drops):
        for cause, count in drops.items():
            if count:
                self.drops[cause] = self.drops.get(cause, 0) + count


def chosen(bench, python):
    """The tracers of this case, ours first; more of ours by name alone."""
    found, missing = of_python(python)
    names = bench.chosen_tracers
    ours = [bench.tracers[UNTRACED], bench.tracers[TRACESNAP]]
    if names is not None:
        found = [tracer for tracer in found if tracer.name in names]
        missing = [entry for entry in missing if entry.name in names]
        ours += [bench.tracers[name] for name in (SAMPLED, BEFORE) if name in names and name in bench.tracers]
    bench.missing += missing
    return [*ours, *found]


def measure(bench, program, tracers):
    runner = Runner(bench, program)
    bench.progress(f"{program.name}, checking")
    runner.run(bench.tracers[UNTRACED])
    watched, books = runner.run(bench.tracers[TRACESNAP], watch=True)
    costs = in_turn(
        bench.rounds,
        {tracer.name: lambda tracer=tracer: runner.run(tracer)[0] for tracer in tracers},
        lambda text: bench.progress(f"{program.name}, {text}"),
        warm_up=False,
        most=limits(tracers),
    )
    figures = {
        kind: {name: Figure.of(getattr(cost, kind) for cost in runs) for name, runs in costs.items()}
        for kind in KINDS
    }
    outside = max(0, watched.region - watched.shared)
    return Measured(program, runner.expected, figures, outside, watched.region, books, runner.drops)


# --- What is shown ---


def overview(title, kind, unit, tracers, found, note=""):
    table = timing.overview(title, tracers, note)
    names = table.columns[2:]
    for entry in found:
        cells = [
            timing.cell(entry.ratio(kind, name)) + ("~" if entry.noisy(kind, name) else "") for name in names
        ]
        table.rows.append([entry.program.name, unit(entry.figures[kind][UNTRACED].median), *cells])
    return table


def mean(kind, name, found):
    return statistics.geometric_mean(entry.ratio(kind, name) for entry in found)


def worst(kind, name, found):
    """(ratio, program's name)"""
    return max((entry.ratio(kind, name), entry.program.name) for entry in found)


def summary_of(tracers, found):
    """{tracer's name: {kind: {"mean", "worst", "worst_program"}}}"""
    made = {}
    for tracer in tracers:
        if tracer.name != UNTRACED:
            made[tracer.name] = {}
            for kind in KINDS:
                ratio, program = worst(kind, tracer.name, found)
                made[tracer.name][kind] = {
                    "mean": mean(kind, tracer.name, found),
                    "worst": ratio,
                    "worst_program": program,
                }
            least = statistics.geometric_mean(entry.least(tracer.name) for entry in found)
            made[tracer.name]["cpu"]["mean_of_least"] = least
    return made


def summary_table(summary, count, version):
    table = Table(
        f"Python programs: {count} of them, each tracer as a multiple of the untraced run",
        [
            *("tracer", "wall, geometric mean", "worst", "CPU time, geometric mean", "worst"),
            *("peak, geometric mean", "worst", "least CPU time"),
        ],
        note=f"{version}. The last column is the geometric mean of the least CPU times' ratios, which other programs"
        " disturb least. Peaks are largest resident sets; tracesnap's has the whole region in it.",
    )
    for name, kinds in summary.items():
        row = [name]
        for kind in kinds.values():
            row += [timing.cell(kind["mean"]), f"{timing.cell(kind['worst'])} {kind['worst_program']}"]
        table.rows.append([*row, timing.cell(kinds["cpu"]["mean_of_least"])])
    return table


def books_table(found):
    table = Table(
        "Python programs: what tracesnap counted",
        ["program", "allocations", "allocated", "contexts", "region", "not in the peak", "dropped"],
        note="Drops are those of all runs together, the others those of one.",
    )
    for entry in found:
        drops = ", ".join(f"{cause} {count}" for cause, count in entry.drops.items())
        table.rows.append(
            [
                entry.program.name,
                mega(entry.books["allocated_count"]),
                mebibytes(entry.books["allocated_size"]),
                str(entry.books["contexts"]),
                mebibytes(entry.region),
                mebibytes(entry.outside),
                drops or "0",
            ]
        )
        table.notes.append(entry.program.what)
    return table


def holds(wall, cpu, limit, noisy):
    """The claims are about wall time. Where that is noisy, and CPU time says otherwise, it was the machine's."""
    if noisy and (wall <= limit) != (cpu <= limit):
        return None
    return wall <= limit


def verdicts(summary, found):
    ours = summary[TRACESNAP]
    wall, cpu, peak = (ours[kind] for kind in KINDS)
    noisy = sum(entry.noisy("wall", TRACESNAP) for entry in found)
    noise = f"; {noisy} of {len(found)} noisy" if noisy else ""

    def worst_of(kind):
        return f"{kind['worst']:.3f} of {kind['worst_program']}"

    dropped = [entry.program.name for entry in found if set(entry.drops) - {CUT}]
    cut = [entry.program.name for entry in found if CUT in entry.drops]
    missed = ", ".join(dropped) or "no drops"
    missed += f"; some stacks are cut at the depth bound in {', '.join(cut)}" if cut else ""
    return [
        Verdict(
            f"Python programs: geometric mean at most {MEAN_LIMIT:.2f} times the untraced time",
            holds(wall["mean"], cpu["mean"], MEAN_LIMIT, noisy),
            f"{wall['mean']:.3f}; CPU time {cpu['mean']:.3f}, least {cpu['mean_of_least']:.3f}{noise}",
        ),
        Verdict(
            f"Python programs: each at most {WORST_LIMIT:.2f} times the untraced time",
            holds(wall["worst"], cpu["worst"], WORST_LIMIT, noisy),
            f"{worst_of(wall)}; CPU time {worst_of(cpu)}{noise}",
        ),
        Verdict(
            f"Python programs: geometric mean of peaks with the region at most {PEAK_LIMIT} times the untraced",
            peak["mean"] <= PEAK_LIMIT,
            f"{peak['mean']:.3f}",
        ),
        Verdict(
            f"Python programs: each peak with the region at most {PEAK_LIMIT} times the untraced",
            peak["worst"] <= PEAK_LIMIT,
            worst_of(peak),
        ),
        Verdict("Python programs: nothing is dropped", not dropped, missed),
    ]


def data_of(entry, tracers):
    return {
        "what": entry.program.what,
        "printed": entry.printed,
        **{
            kind: {name: figure.json() for name, figure in figures.items()}
            for kind, figures in entry.figures.items()
        },
        "ratio": {
            tracer.name: {kind: entry.ratio(kind, tracer.name) for kind in KINDS}
            for tracer in tracers
            if tracer.name != UNTRACED
        },
        "region": entry.region,
        "region_outside_peak": entry.outside,
        "totals": entry.books,
        "drops": entry.drops,
    }


def run(bench):
    python = pythons.interpreter()
    programs = pythons.prepare(python, bench.chosen_programs, bench.quick)
    if not programs or not bench.helper("launch"):
        return Result(NAME, [])
    tracers = chosen(bench, python)
    found = [measure(bench, program, tracers) for program in programs]
    version = places.version(python, "-c", "import sys; print('CPython', sys.version.split()[0])")
    summary = summary_of(tracers, found)
    note = "'~': this figure or its base is noisy."
    tables = [
        summary_table(summary, len(found), version),
        overview("Python programs: wall time", "wall", seconds, tracers, found, note),
        overview("Python programs: CPU time", "cpu", seconds, tracers, found, note),
        overview("Python programs: peak memory", "peak", mebibytes, tracers, found),
        books_table(found),
    ]
    tables[0].notes += timing.notes_of(tracers)
    data = {entry.program.name: data_of(entry, tracers) for entry in found}
    data = {"interpreter": version, "programs": data, "summary": summary}
    return Result(NAME, tables, verdicts(summary, found), data)
