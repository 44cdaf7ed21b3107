"""What a run came to, as a table and as JSON."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
import math
from typing import Any

from sandbox.faults import Endpoint

from .history import PROMISES, Channel, Told, Way
from .run import Run
from .verdict import Fate, Finding, Telling, draw_up

#: How many findings of a kind are shown.
_SHOWN = 5

type Test = Callable[[Fate], bool]


def _was(told: Told, *, held: bool | None = None) -> Test:
    def test(fate: Fate) -> bool:
        return fate.told is told and held in (None, bool(fate.positions))

    return test


def _promised(fate: Fate) -> bool:
    return fate.told in PROMISES


def _reported(state: str) -> Test:
    return lambda fate: state in fate.states and _promised(fate) and not fate.positions


_ROWS: tuple[tuple[str, Test], ...] = (
    ("the call succeeded", _promised),
    ("  and Zoho has it", lambda fate: _promised(fate) and bool(fate.positions)),
    ("  and it waits", lambda fate: _promised(fate) and fate.is_waiting),
    ("  and it is reported as expired", _reported("expired")),
    ("  and it is reported as refused", _reported("refused")),
    ("  and it may have been sent, but was not", _reported("unclear")),
    ("  and it was cleared", _reported("cleared")),
    ("the call failed: nothing was sent", _was(Told.NOT_SENT)),
    ("  but Zoho has it", _was(Told.NOT_SENT, held=True)),
    ("the call failed: it may have been sent", _was(Told.UNCLEAR)),
    ("  and Zoho has it", _was(Told.UNCLEAR, held=True)),
    ("the call was cut off by a kill", _was(Told.NOTHING)),
    ("  and Zoho has it", _was(Told.NOTHING, held=True)),
    ("Zoho has it more than once", lambda fate: len(fate.positions) > 1),
)


def table(run: Run) -> Iterator[str]:
    """Return the lines of the table: what became of the SMS, by the way they took."""
    fates = draw_up(run.history).fates.values()
    yield f"{'':42}" + "".join(f"{way:>16}" for way in Way) + f"{'all':>8}"
    calls = Counter(call.way for call in run.history.calls)
    yield _line("calls", calls)
    yield _line("SMS, one to each number of a call", Counter(f.call.way for f in fates))
    for title, test in _ROWS:
        yield _line(title, Counter(fate.call.way for fate in fates if test(fate)))


_NEWS_ROWS: tuple[tuple[str, Callable[[Telling], bool]], ...] = (
    ("what Zoho reported for good, or received", lambda _: True),
    ("  and Home Assistant told it once", lambda one: len(one.heard) == 1),
    ("  and it told it more than once", lambda one: len(one.heard) > 1),
    (
        "  and the kill came before it could",
        lambda one: one.is_due and one.is_cut and not one.heard,
    ),
    (
        "  and it has yet to tell it",
        lambda one: one.is_due and not one.is_cut and not one.heard,
    ),
    (
        "  and nobody knew of the SMS",
        lambda one: not one.is_due and not one.heard,
    ),
)


def news_table(run: Run) -> Iterator[str]:
    """Return the lines of the table: what was told, by the way it could be heard."""
    tellings = draw_up(run.history).tellings.values()
    yield f"{'':42}" + "".join(f"{way:>20}" for way in Channel) + f"{'all':>8}"
    for title, test in _NEWS_ROWS:
        counts = Counter(one.news.channel for one in tellings if test(one))
        cells = "".join(f"{counts.get(way, 0):20,}" for way in Channel)
        yield f"{title:42}{cells}{counts.total():8,}"


def _line(title: str, counts: Mapping[Way, int]) -> str:
    cells = "".join(f"{counts.get(way, 0):16,}" for way in Way)
    return f"{title:42}{cells}{sum(counts.values()):8,}"


def summary(run: Run) -> Iterator[str]:
    """Return lines that say what was done to all of it."""
    figures, zoho = run.figures, run.zoho
    faults = Counter(
        {
            kind: count
            for kind, count in zoho.faults.count.items()
            if kind.endpoint is Endpoint.SEND
        }
    )
    part = faults.total() / max(1, figures.requests)
    starts = f"{min(figures.starts):.1f} to {max(figures.starts):.1f} s"
    tokens = Counter(request.outcome for request in zoho.token_requests)
    yield f"Home Assistant: {figures.kills} kills, starts that took {starts}"
    yield f"Troubles: {_counted(Counter(figures.troubles))}"
    yield f"Requests to send: {figures.requests:,}, {part:.0%} with a fault"
    yield f"  {_counted(faults)}"
    yield f"Requests for a token: {_counted(tokens)}"
    reads = Counter(str(read.status or "dropped") for read in zoho.reads)
    yield f"Requests for the message log: {_counted(reads)}"
    answers = Counter(str(each.answer or "no answer") for each in zoho.callbacks.made)
    yield f"Callbacks: {_counted(answers)}"


def _counted(counts: Counter[Any]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def shown(findings: Sequence[Finding]) -> Iterator[str]:
    """Return lines about what is wrong, a few of each kind."""
    kinds = Counter(finding.kind for finding in findings)
    for kind, count in kinds.items():
        of_kind = [finding for finding in findings if finding.kind == kind]
        for finding in of_kind[:_SHOWN]:
            yield f"✗ {finding}"
        if count > _SHOWN:
            yield f"  … and {count - _SHOWN} more of these"


def as_json(run: Run, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return all that is known, for whoever wants to look closer."""
    settings, figures = run.settings, run.figures
    return {
        "seed": settings.seed,
        "seconds": round(run.seconds, 1),
        "kills": figures.kills,
        "starts": figures.starts,
        "troubles": figures.troubles,
        "requests": figures.requests,
        "faults": dict(run.zoho.faults.count),
        "findings": [{"kind": f.kind, "text": f.text} for f in findings],
        "sms": [
            {
                "text": fate.sms.text,
                "number": fate.sms.number,
                "way": fate.call.way,
                "begun": fate.call.begun,
                "ended": None if math.isinf(fate.call.ended) else fate.call.ended,
                "told": fate.told,
                "held": fate.positions,
                "outbox": sorted(fate.states),
            }
            for fate in draw_up(run.history).fates.values()
        ],
        "news": [
            {
                **asdict(one.news),
                "due": one.is_due,
                "cut": one.is_cut,
                "heard": [told.at for told in one.heard],
            }
            for one in draw_up(run.history).tellings.values()
        ],
    }
