"""Times as rows and claims: what the real programs, the small cases and the slow tracers have in common. A
measurement is {tracer's name: Figure}; every tracer is set against its own base."""

from report import Table, Verdict, spread
from tracers import HEAPTRACK, HEAPTRACK_WHOLE, SAMPLED, TRACESNAP, UNTRACED

SHARE = 0.2  # of heaptrack's added time
SAMPLED_LIMIT = 1.02
TOO_LITTLE = 0.03  # of the base: an added time below it is the machine's as much as the tracer's


def ratio(measured, tracer):
    return measured[tracer.name].median / measured[tracer.base].median


def added(measured, name, base=UNTRACED):
    """What a tracer adds to the median; None if it is not there."""
    return measured[name].median - measured[base].median if name in measured else None


def share(measured, other):
    """tracesnap's added time as a part of another's; None if that says nothing."""
    ours, theirs = added(measured, TRACESNAP), added(measured, other)
    if theirs is None or theirs < TOO_LITTLE * measured[UNTRACED].median:
        return None
    return ours / theirs


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
                "1" if alone else cell(ratio(measured, tracer)),
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
            cells.append(cell(ratio(measured, tracer)) + ("~" if noisy else ""))
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
    found = measured[name].median / measured[UNTRACED].median
    return Verdict(claim, found <= limit, f"{found:.2f}{noise(measured, name)}")


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
