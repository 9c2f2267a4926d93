"""Times as rows and claims: what the real programs, the small cases and the slow tracers have in common. A
measurement is {tracer's name: Figure}; every tracer is set against its own base."""

import statistics

from report import Table, Verdict, spread
from tracers import HEAPTRACK, HEAPTRACK_WHOLE, SAMPLED, TRACESNAP, UNTRACED

SHARE = 0.2  # of heaptrack's added time
SAMPLED_LIMIT = 1.02
TOO_LITTLE = 0.03  # of the base: an added time below it is the machine's as much as the tracer's


def median(measured, name, as_of):
    """The median of the rounds in which another took part, too: those of a slow phase hit both, or none."""
    return statistics.median(measured[name].values[: len(measured[as_of].values)])


def ratio(measured, name, base=UNTRACED):
    return measured[name].median / median(measured, base, name)


def added(measured, name, base=UNTRACED, as_of=None):
    """What a tracer adds to the median in the rounds of another, its own if none is said; None if the tracer
    is not there."""
    if name not in measured:
        return None
    as_of = as_of or name
    return median(measured, name, as_of) - median(measured, base, as_of)


def share(measured, other):
    """tracesnap's added time as a part of another's; None if that says nothing."""
    theirs = added(measured, other)
    if theirs is None or theirs < TOO_LITTLE * median(measured, UNTRACED, other):
        return None
    return added(measured, TRACESNAP, as_of=other) / theirs


def cell(value):
    return "" if value is None else f"{value:.2f}"


def rows(name, measured, tracers, unit, more=None):
    """Rows of subject, tracer, time, min..max, ratio, added; more(tracer) ends a row."""
    made = []
    for tracer in tracers:
        figure = measured[tracer.name]
        alone = tracer.name == UNTRACED
        made.append(
            [
                name if not made else "",
                tracer.name,
                unit(figure.median),
                spread(figure, unit),
                "1" if alone else cell(ratio(measured, tracer.name, tracer.base)),
                "" if alone else unit(added(measured, tracer.name, tracer.base)),
                *([more(tracer)] if more else []),
            ]
        )
    return made


def overview(title, tracers, note=""):
    """An empty table of ratios, to be filled by overview_row."""
    names = [tracer.name for tracer in tracers if tracer.name != UNTRACED]
    return Table(title, ["", UNTRACED, *names], note=note)


def overview_row(name, measured, tracers, unit):
    cells = []
    for tracer in tracers:
        if tracer.name != UNTRACED:
            noisy = measured[tracer.name].noisy or measured[tracer.base].noisy
            cells.append(cell(ratio(measured, tracer.name, tracer.base)) + ("~" if noisy else ""))
    return [name, unit(measured[UNTRACED].median), *cells]


def notes_of(tracers):
    """How each tracer was started, and with what it is compared where that is not the plain program."""
    notes = []
    for tracer in tracers:
        if tracer.what:
            against = f"; its ratio is to {tracer.base}" if tracer.base != UNTRACED else ""
            rounds = f"; {tracer.most} rounds at most" if tracer.most else ""
            notes.append(f"{tracer.name}: {tracer.what}{against}{rounds}")
    return notes


def noise(measured, *names):
    return "; noisy" if any(measured[name].noisy for name in (UNTRACED, *names) if name in measured) else ""


def ratio_verdict(subject, measured, limit, name=TRACESNAP):
    how = "sampling, " if name == SAMPLED else ""
    claim = f"{subject}: {how}at most {limit:.2f} times the untraced time"
    if name not in measured:
        return Verdict(claim, None, f"not measured: {name}")
    found = ratio(measured, name)
    return Verdict(claim, found <= limit, f"{found:.3f}{noise(measured, name)}")


def share_verdict(subject, measured):
    claim = f"{subject}: added time at most {SHARE} of heaptrack's, preload and whole"
    shares = {other: share(measured, other) for other in (HEAPTRACK, HEAPTRACK_WHOLE)}
    known = {other: value for other, value in shares.items() if value is not None}
    missing = [other for other in shares if other not in measured]
    if not known:
        cause = f"not measured: {', '.join(missing)}" if missing else "heaptrack adds next to nothing"
        return Verdict(claim, None, cause)
    found = ", ".join(f"{value:.2f} of {other}" for other, value in known.items())
    worst = max(known.values()) <= SHARE
    holds = worst if len(known) == len(shares) or not worst else None
    return Verdict(claim, holds, found + noise(measured, TRACESNAP, *known))


def verdicts(subject, measured, limit=None, sampled=True):
    """limit: of tracesnap's ratio, if there is a target."""
    made = [ratio_verdict(subject, measured, limit)] if limit else []
    if sampled:
        made.append(ratio_verdict(subject, measured, SAMPLED_LIMIT, SAMPLED))
    return [*made, share_verdict(subject, measured)]
