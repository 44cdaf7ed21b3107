"""What a history shows to be wrong."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .history import (
    PROMISES,
    RECEIVED,
    Announcement,
    Call,
    Channel,
    History,
    News,
    Row,
    Sms,
    Told,
)

#: The outbox gives times in microseconds.
_ROUNDING = 0.000_01

#: The states of the outbox that say that a message was not sent, and never will be.
_NEVER = {"expired", "refused", "cleared"}
_WAITING = {"queued", "submitting"}

#: The states of an SMS that nothing follows.
FINAL = frozenset({"delivered", "undelivered", "failed"})
#: The kind of what has yet to be told.
NOT_TOLD = "not told"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: str
    text: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.kind}: {self.text}"


@dataclass(slots=True)
class Fate:
    """All that is known of one SMS.

    `positions` are its places among all that Zoho holds, `states` what the outbox said.
    """

    sms: Sms
    call: Call
    told: Told = Told.NOTHING
    positions: list[int] = field(default_factory=list)
    states: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Return what a person finds it by."""
        return f"{self.sms.text!r} to {self.sms.number} ({self.call.way})"

    @property
    def is_waiting(self) -> bool:
        """Return if the outbox still has to send it."""
        return not self.states.isdisjoint(_WAITING)


@dataclass(slots=True)
class Telling:
    """What is known of some news: what automations heard, and if they should have.

    They should, if the SMS was to be followed and no kill came between: `is_cut` is
    what was given up for good.
    """

    news: News
    is_due: bool
    is_cut: bool
    heard: list[Announcement] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return what a person finds it by."""
        news = self.news
        return (
            f"{news.state} {news.text!r} of {news.number} ({news.channel},"
            f" {news.log_id})"
        )


@dataclass(slots=True)
class Ledger:
    """A history, sorted by SMS; and what is of no SMS that was asked for."""

    history: History
    fates: dict[Sms, Fate] = field(default_factory=dict)
    unasked: list[Sms] = field(default_factory=list)
    unknown: list[Row] = field(default_factory=list)
    tellings: dict[str, Telling] = field(default_factory=dict)

    def by_number(self) -> Mapping[str, list[Fate]]:
        """Return the fates of each number in the order of the calls."""
        found: dict[str, list[Fate]] = {}
        for fate in self.fates.values():
            found.setdefault(fate.sms.number, []).append(fate)
        return found


def draw_up(history: History) -> Ledger:
    """Sort what is known by SMS.

    The outbox does not tell texts. But calls to a number do not overlap, so the time at
    which a message was made tells of which call it is.
    """
    ledger = Ledger(history)
    calls: dict[str, list[Call]] = {}
    for call in history.calls:
        for number in call.numbers:
            calls.setdefault(number, []).append(call)
            fate = Fate(Sms(call.text, number), call)
            if call.ended <= history.asked_at:
                fate.told = call.told.get(number, Told.NOTHING)
            ledger.fates[fate.sms] = fate
    for position, sms in enumerate(history.held):
        if found := ledger.fates.get(sms):
            found.positions.append(position)
        else:
            ledger.unasked.append(sms)
    # What is said of a message that has ended is newer than that it waits.
    for row in {
        row.message_id: row for row in (*history.waiting, *history.ended)
    }.values():
        if call_of_row := _call_at(calls.get(row.number, []), row.created_at):
            ledger.fates[Sms(call_of_row.text, row.number)].states.add(row.state)
        else:
            ledger.unknown.append(row)
    _add_tellings(ledger)
    return ledger


def _add_tellings(ledger: Ledger) -> None:
    """Add what was told of what Zoho knows."""
    history = ledger.history
    for news in history.news:
        ledger.tellings[news.log_id] = Telling(
            news, _is_due(ledger, news), news.log_id in history.cut
        )
    for told in history.announcements:
        if not told.entity_id and (telling := ledger.tellings.get(told.log_id)):
            telling.heard.append(told)


def _is_due(ledger: Ledger, news: News) -> bool:
    """Return if Home Assistant has to hear of it.

    Of an SMS it has if its call or its outbox knows of it. If a kill came just after
    Zoho took it, only what the outbox says to be unclear is looked for.
    """
    if news.channel is Channel.REPLY:
        return True
    fate = ledger.fates.get(Sms(news.text, news.number))
    if fate is None:
        return False
    if "unclear" in fate.states:
        return True
    is_known = fate.told in PROMISES or bool(fate.states)
    return is_known and news.log_id not in ledger.history.just_accepted


def _call_at(calls: list[Call], moment: float) -> Call | None:
    """Return the call that was under way at a moment."""
    index = bisect_right(calls, moment + _ROUNDING, key=lambda call: call.begun)
    if not index or moment > calls[index - 1].ended + _ROUNDING:
        return None
    return calls[index - 1]


def _lost(ledger: Ledger) -> Iterator[Finding]:
    """Find what was promised and is neither sent, nor waits, nor was reported."""
    for fate in ledger.fates.values():
        if fate.positions:
            continue
        if fate.told in PROMISES and not fate.states:
            yield Finding(
                "lost", f"{fate.name}, of which the caller was told “{fate.told}”"
            )
        elif fate.told is Told.SENT:
            states = ", ".join(sorted(fate.states))
            yield Finding("said to be sent", f"{fate.name} is not, but {states}")


def _twice(ledger: Ledger) -> Iterator[Finding]:
    """Find what is sent twice, or sits there to be sent again."""
    for fate in ledger.fates.values():
        if (times := len(fate.positions)) > 1:
            yield Finding("sent twice", f"{fate.name}, {times} times")
        elif times and fate.is_waiting and ledger.history.settled:
            yield Finding("sent twice", f"{fate.name} was sent and is to be sent again")


def _sent_after_all(ledger: Ledger) -> Iterator[Finding]:
    """Find what was sent although somebody was told that it was not."""
    for fate in ledger.fates.values():
        never = fate.states & _NEVER
        if fate.told is Told.NOT_SENT and fate.positions:
            yield Finding("sent after all", f"{fate.name}, and its call failed")
        elif fate.told is Told.NOT_SENT and fate.is_waiting:
            yield Finding(
                "sent after all", f"{fate.name} is to be, and its call failed"
            )
        elif never and fate.positions:
            yield Finding(
                "sent after all", f"{fate.name}, and it is reported as {never}"
            )


def _order(ledger: Ledger) -> Iterator[Finding]:
    """Find what a number got before what it should have got first."""
    for fates in ledger.by_number().values():
        last: Fate | None = None
        for fate in fates:
            if not fate.positions or not fate.call.waits:
                continue
            if last and fate.positions[0] < last.positions[0]:
                yield Finding(
                    "out of order", f"{fate.name} came before {last.sms.text!r}"
                )
            else:
                last = fate


def _unasked(ledger: Ledger) -> Iterator[Finding]:
    """Find what nobody asked for."""
    for sms in ledger.unasked:
        yield Finding("not asked for", f"{sms.text!r} to {sms.number}")
    for row in ledger.unknown:
        yield Finding("not asked for", f"{row} is in the outbox")


def _stuck(ledger: Ledger) -> Iterator[Finding]:
    """Find what goes on waiting although Zoho is there."""
    if ledger.history.settled:
        for fate in ledger.fates.values():
            if fate.is_waiting and not fate.positions:
                yield Finding("stuck", f"{fate.name} still waits")


def _surprises(ledger: Ledger) -> Iterator[Finding]:
    """Find calls that never ended, or with what no caller can make sense of."""
    for call in ledger.history.calls:
        if call.surprise:
            yield Finding("surprise", f"{call.text!r} ({call.way}): {call.surprise}")


def _not_told(ledger: Ledger) -> Iterator[Finding]:
    """Find what nobody was told, although it could be heard of."""
    if ledger.history.settled:
        for telling in ledger.tellings.values():
            if telling.is_due and not telling.is_cut and not telling.heard:
                yield Finding(NOT_TOLD, telling.name)


def _told_twice(ledger: Ledger) -> Iterator[Finding]:
    """Find what was told, or shown, more than once."""
    for telling in ledger.tellings.values():
        if (times := len(telling.heard)) > 1:
            yield Finding("told twice", f"{telling.name}, {times} times")
    shown: dict[tuple[str, str, str], set[str]] = {}
    for one in ledger.history.announcements:
        if one.entity_id:
            key = one.entity_id, one.log_id, one.state
            shown.setdefault(key, set()).add(one.moment)
    for (entity_id, log_id, state), moments in shown.items():
        if len(moments) > 1:
            seen = ", ".join(sorted(moments))
            yield Finding("told twice", f"{state} of {log_id} by {entity_id}: {seen}")


def _told_wrongly(ledger: Ledger) -> Iterator[Finding]:
    """Find what was told otherwise than it is."""
    for one in ledger.history.announcements:
        telling = ledger.tellings.get(one.log_id)
        if telling is None:
            if one.state in FINAL or one.state == RECEIVED:
                yield Finding("told wrongly", f"{one}, and Zoho knows nothing of it")
            continue
        news = telling.news
        is_right = one.state == news.state or (
            bool(one.entity_id) and one.state == "sent"
        )
        if not one.entity_id:
            is_right = is_right and one.number == news.number
            is_right = is_right and one.text == (
                news.text if news.state == RECEIVED else ""
            )
        if not is_right:
            yield Finding("told wrongly", f"{one}, but it is {telling.name}")


def _told_backward(ledger: Ledger) -> Iterator[Finding]:
    """Find what is shown as on its way after it has come to its end."""
    ended: dict[tuple[str, str], str] = {}
    for one in ledger.history.announcements:
        key = one.entity_id, one.log_id
        if one.state in FINAL:
            ended[key] = one.state
        elif key in ended:
            yield Finding(
                "told backward", f"{one.log_id} is {one.state} after {ended[key]}"
            )


type Check = Callable[[Ledger], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    _lost,
    _twice,
    _sent_after_all,
    _order,
    _unasked,
    _stuck,
    _surprises,
    _not_told,
    _told_twice,
    _told_wrongly,
    _told_backward,
)


def judge(history: History) -> list[Finding]:
    """Return all that is wrong."""
    ledger = draw_up(history)
    return [finding for check in CHECKS for finding in check(ledger)]
