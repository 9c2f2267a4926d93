"""Results as a table for the terminal, as Markdown and as JSON: three views of the same lists."""

import json
from dataclasses import dataclass, field

from measure import NOISE

SCHEMA = "tracesnap.bench/2"


@dataclass
class Table:
    title: str
    columns: list
    note: str = ""
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)


@dataclass
class Verdict:
    """A claim and whether it held in this run; None = this run cannot tell."""

    claim: str
    holds: bool | None
    found: str

    @property
    def word(self):
        return {True: "yes", False: "NO", None: "cannot tell"}[self.holds]


@dataclass
class Result:
    """What one case found. data: the raw figures, for JSON."""

    name: str
    tables: list
    verdicts: list = field(default_factory=list)
    data: dict = field(default_factory=dict)


def seconds(value):
    return f"{value:.3f} s"


def nanoseconds(value):
    return f"{value:.1f} ns"


def milliseconds(value):
    return f"{value * 1e3:.2f} ms"


def mebibytes(value):
    return f"{value / 2**20:.1f} MiB"


def mega(count):
    return f"{count / 1e6:.2f} M"


def spread(figure, unit, flag=True):
    """min..max, and how noisy where that is to be said."""
    text = f"{unit(figure.low).split(' ')[0]}..{unit(figure.high).split(' ')[0]}"
    return f"{text}  noisy: {figure.spread:.0%}" if flag and figure.noisy else text


def _verdicts(results):
    rows = [[v.word, v.claim, v.found] for result in results for v in result.verdicts]
    return Table("Claims", ["holds", "claim", "found"], rows=rows)


def _all_tables(results):
    tables = [table for result in results for table in result.tables]
    return [table for table in [*tables, _verdicts(results)] if table.rows]


def _remarks(machine, missing):
    """What a reader must hold against the figures."""
    remarks = [f"'{entry.name}' is missing: {entry.how}" for entry in missing]
    if machine["load_before"] > 0.5:
        remarks.append(
            f"other programs were running (load {machine['load_before']} on {machine['cores']} processors):"
            " repeat on a quiet machine"
        )
    return remarks


def _aligned(table):
    lines = [table.columns, ["-" * len(column) for column in table.columns], *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.columns))]
    for line in lines:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()


def text(results, machine, missing):
    lines = [f"{name}: {value}" for name, value in machine.items() if value != ""]
    for table in _all_tables(results):
        lines += ["", table.title, ""]
        lines += _aligned(table)
        notes = [f"  {note}" for note in [*table.notes, table.note] if note]
        lines += ["", *notes] if notes else []
    lines.append("")
    lines += [f"bench: {remark}" for remark in _remarks(machine, missing)]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_row(cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def markdown(results, machine, missing, command, rounds):
    lines = [
        "# Results",
        "",
        f"Written by `{command}`; do not edit. Every figure is a median of {rounds} rounds, in which",
        "the programs took turns, unless its table says otherwise; `noisy` marks those whose smallest and",
        f"largest value lie more than {NOISE:.0%} of the median apart.",
        "",
    ]
    lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in machine.items() if value != ""]
    lines += [f"- {remark}" for remark in _remarks(machine, missing)]
    for table in _all_tables(results):
        lines += ["", f"## {table.title}", ""]
        lines += [_markdown_row(table.columns), _markdown_row(["---"] * len(table.columns))]
        lines += [_markdown_row(row) for row in table.rows]
        if table.note:
            lines += ["", table.note]
        if table.notes:
            lines += ["", *(f"- {note}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def document(results, machine, missing, command, rounds):
    whole = {
        "schema": SCHEMA,
        "command": command,
        "rounds": rounds,
        "machine": machine,
        "missing": [{"name": entry.name, "how": entry.how} for entry in missing],
        "cases": {result.name: result.data for result in results},
        "claims": [
            {"case": result.name, "claim": v.claim, "holds": v.holds, "found": v.found}
            for result in results
            for v in result.verdicts
        ],
    }
    return json.dumps(whole, indent=2) + "\n"
