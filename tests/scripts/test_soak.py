"""What scripts/soak makes of what it has seen, and what it lets happen."""

from collections import Counter
from collections.abc import Sequence
import math
from pathlib import Path
from random import Random

import pytest

from sandbox import Fault, FaultKind
from sandbox.faults import Endpoint
from scripts.lib.soak.answers import SurpriseError, read_error, read_response
from scripts.lib.soak.history import (
    RECEIVED,
    Announcement,
    Call,
    Channel,
    History,
    News,
    Row,
    Sms,
    Told,
    Way,
)
from scripts.lib.soak.plan import FULL, PROOF, QUICK, End, Scale, make_plan
from scripts.lib.soak.prove import BREAKS, Break, StaleBreakError
from scripts.lib.soak.verdict import judge
from scripts.lib.soak.zoho import RATE, RandomFaults

A, B = "+14805550100", "+14805550101"


def call(number: int, told: Told | dict[str, Told], *, waits: bool = True) -> Call:
    """Return a call that lasts from so many seconds to half a second later."""
    told = told if isinstance(told, dict) else {A: told}
    return Call(
        way=Way.ACTION,
        text=str(number),
        numbers=tuple(told),
        begun=float(number),
        ended=number + 0.5,
        told=told,
        waits=waits,
    )


def row(number: int, state: str, to: str = A) -> Row:
    """Return what the outbox says of the message of a call."""
    return Row(f"{number} {to}", to, number + 0.25, state)


def history(
    calls: Sequence[Call],
    held: str = "",
    waiting: Sequence[Row] = (),
    ended: Sequence[Row] = (),
    **more: float,
) -> History:
    """Return a history; `held` are the texts that Zoho has for A."""
    sms = [Sms(text, A) for text in held]
    return History(calls, sms, waiting, ended, **more)


SENT, KEPT, ACCEPTED = Told.SENT, Told.KEPT, Told.ACCEPTED
NOT_SENT, UNCLEAR, NOTHING = Told.NOT_SENT, Told.UNCLEAR, Told.NOTHING

RIGHT = {
    "nothing happened": history([]),
    "sent": history([call(1, SENT)], "1"),
    "kept and sent": history([call(1, KEPT)], "1"),
    "kept": history([call(1, KEPT)], waiting=[row(1, "queued")]),
    "under way": history([call(1, ACCEPTED)], waiting=[row(1, "submitting")]),
    "expired": history([call(1, ACCEPTED)], ended=[row(1, "expired")]),
    "refused later": history([call(1, ACCEPTED)], ended=[row(1, "refused")]),
    "unclear later": history([call(1, ACCEPTED)], ended=[row(1, "unclear")]),
    "unclear and sent": history([call(1, ACCEPTED)], "1", ended=[row(1, "unclear")]),
    "cleared": history([call(1, KEPT)], ended=[row(1, "cleared")]),
    "expired since": history(
        [call(1, KEPT)], waiting=[row(1, "queued")], ended=[row(1, "expired")]
    ),
    "may have been sent": history([call(1, UNCLEAR), call(2, UNCLEAR)], "1"),
    "nothing was sent": history([call(1, NOT_SENT)]),
    "refused, but a crash made it unclear": history(
        [call(1, NOT_SENT)], ended=[row(1, "unclear")]
    ),
    "cut off": history([call(1, NOTHING), call(2, NOTHING)], "2"),
    "cut off and kept": history([call(1, NOTHING)], waiting=[row(1, "queued")]),
    "promised since the outbox was asked": history([call(1, KEPT)], asked_at=1.4),
    "sent while it was asked": history(
        [call(1, KEPT)], "1", waiting=[row(1, "queued")]
    ),
    "in order, with gaps": history(
        [call(1, SENT), call(2, UNCLEAR), call(3, NOTHING), call(4, SENT)], "134"
    ),
    "what does not wait may pass": history(
        [call(1, KEPT), call(2, SENT, waits=False)], "21"
    ),
    "another number is another order": History(
        [call(1, {A: KEPT, B: SENT}), call(2, {A: KEPT, B: SENT})],
        [Sms("1", B), Sms("2", B), Sms("1", A), Sms("2", A)],
    ),
    "one number of a call refused": History(
        [call(1, {A: SENT, B: NOT_SENT})], [Sms("1", A)]
    ),
}

WRONG = {
    "lost": ("lost", history([call(1, KEPT)])),
    "lost, and nobody said so": ("lost", history([call(1, ACCEPTED)])),
    "lost though said to be sent": ("lost", history([call(1, SENT)])),
    "one number of a call lost": (
        "lost",
        History([call(1, {A: ACCEPTED, B: ACCEPTED})], [Sms("1", B)]),
    ),
    "another one waits": (
        "lost",
        history([call(1, KEPT), call(2, KEPT)], waiting=[row(2, "queued")]),
    ),
    "said to be sent, but waits": (
        "said to be sent",
        history([call(1, SENT)], waiting=[row(1, "queued")]),
    ),
    "twice": ("sent twice", history([call(1, SENT)], "11")),
    "twice, and nobody knows": ("sent twice", history([call(1, NOTHING)], "11")),
    "twice, with another one between": (
        "sent twice",
        history([call(1, SENT), call(2, SENT)], "121"),
    ),
    "sent, and in the outbox for good": (
        "sent twice",
        history([call(1, SENT)], "1", waiting=[row(1, "queued")], settled=True),
    ),
    "sent though nothing was": ("sent after all", history([call(1, NOT_SENT)], "1")),
    "to be sent though nothing was": (
        "sent after all",
        history([call(1, NOT_SENT)], waiting=[row(1, "queued")]),
    ),
    "sent though it had expired": (
        "sent after all",
        history([call(1, KEPT)], "1", ended=[row(1, "expired")]),
    ),
    "sent though it was cleared": (
        "sent after all",
        history([call(1, KEPT)], "1", ended=[row(1, "cleared")]),
    ),
    "out of order": (
        "out of order",
        history([call(1, KEPT), call(2, SENT)], "21"),
    ),
    "out of order after a crash": (
        "out of order",
        history([call(1, NOTHING), call(2, SENT), call(3, SENT)], "213"),
    ),
    "nobody asked for it": ("not asked for", history([call(1, SENT)], "12")),
    "a report of no call": (
        "not asked for",
        history([call(1, SENT)], "1", ended=[row(3, "unclear")]),
    ),
    "a report of another number": (
        "not asked for",
        history([call(1, SENT)], "1", ended=[row(1, "unclear", B)]),
    ),
    "waits for good": (
        "stuck",
        history([call(1, KEPT)], waiting=[row(1, "queued")], settled=True),
    ),
}


@pytest.mark.parametrize("seen", RIGHT.values(), ids=RIGHT)
def test_nothing_is_found_where_all_is_right(seen: History) -> None:
    assert judge(seen) == []


@pytest.mark.parametrize(("kind", "seen"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_found_once_and_named(kind: str, seen: History) -> None:
    (finding,) = judge(seen)
    assert finding.kind == kind
    assert str(finding).startswith(f"{kind}: ")


DELIVERED = News("id", A, "1", "delivered", Channel.LOG)
REPLY = News("in", A, "Yes", RECEIVED, Channel.REPLY)


def heard(state: str, **more: str) -> Announcement:
    """Return what an automation heard of an SMS."""
    return Announcement(**{"log_id": "id", "number": A, **more}, state=state, at=1.0)


def shown(state: str, moment: str) -> Announcement:
    """Return what an event entity showed of an SMS."""
    return Announcement(
        log_id="id", state=state, at=1.0, entity_id="event.delivery", moment=moment
    )


def told(
    *announcements: Announcement,
    news: News = DELIVERED,
    promise: Told = SENT,
    **more: frozenset[str],
) -> History:
    """Return a history of one SMS that was sent, and at whose end all is settled."""
    return History(
        [call(1, promise)],
        [Sms("1", A)],
        settled=True,
        news=[news],
        announcements=announcements,
        **more,
    )


TOLD_RIGHT = {
    "told and shown": told(
        shown("sent", "1"), heard("delivered"), shown("delivered", "2")
    ),
    "shown again after a start": told(
        heard("delivered"), shown("delivered", "2"), shown("delivered", "2")
    ),
    "given up in a kill": told(cut=frozenset({"id"})),
    "accepted just before a kill": told(just_accepted=frozenset({"id"})),
    "nobody knew of it": told(promise=NOTHING),
    "received": told(heard(RECEIVED, log_id="in", text="Yes"), news=REPLY),
}
TOLD_WRONG = {
    "never": ("not told", told()),
    "only shown": ("not told", told(shown("delivered", "1"))),
    "never, though it came in": ("not told", told(news=REPLY)),
    "twice": ("told twice", told(heard("delivered"), heard("delivered"))),
    "shown twice": (
        "told twice",
        told(heard("delivered"), shown("delivered", "1"), shown("delivered", "2")),
    ),
    "another state": ("told wrongly", told(heard("failed"))),
    "another number": ("told wrongly", told(heard("delivered", number=B))),
    "another text": (
        "told wrongly",
        told(heard(RECEIVED, log_id="in", text="No"), news=REPLY),
    ),
    "of no SMS": (
        "told wrongly",
        told(heard("delivered"), heard("delivered", log_id="other")),
    ),
    "backward": (
        "told backward",
        told(heard("delivered"), shown("delivered", "1"), shown("sent", "2")),
    ),
}


@pytest.mark.parametrize("seen", TOLD_RIGHT.values(), ids=TOLD_RIGHT)
def test_nothing_is_found_where_all_was_told(seen: History) -> None:
    assert judge(seen) == []


@pytest.mark.parametrize(("kind", "seen"), TOLD_WRONG.values(), ids=TOLD_WRONG)
def test_what_was_not_told_as_it_is_is_found(kind: str, seen: History) -> None:
    (finding,) = judge(seen)
    assert finding.kind == kind


def test_what_was_not_told_may_still_be_until_all_is_settled() -> None:
    seen = told()
    seen.settled = False
    assert judge(seen) == []


def test_call_that_never_ends_is_found() -> None:
    hanging = call(1, NOTHING)
    hanging.ended = math.inf
    hanging.surprise = "no answer came"
    (finding,) = judge(history([hanging]))
    assert str(finding) == "surprise: '1' (action): no answer came"


@pytest.mark.parametrize(
    ("status", "told"), [("QUEUED", KEPT), ("IN_QUEUE", SENT), (None, SENT)]
)
def test_response_tells_what_was_sent_and_what_is_kept(
    status: str | None, told: Told
) -> None:
    rows = [{"recipient": A, "status": status}]
    assert read_response({"messages": rows}, [A]) == {A: told}


def test_response_about_others_is_a_surprise() -> None:
    with pytest.raises(SurpriseError, match=B.replace("+", r"\+")):
        read_response({"messages": [{"recipient": B, "status": "QUEUED"}]}, [A])


ERRORS = {
    "Could not connect to Zoho (ClientConnectorError). Nothing was sent to Alice"
    " (…0100), …0101. Check the internet connection of Home Assistant": (
        NOT_SENT,
        NOT_SENT,
    ),
    "The SMS to Alice (…0100), …0101 could not be saved to disk, so nothing was sent."
    " Check the free disk space and the log of Home Assistant": (NOT_SENT, NOT_SENT),
    "The message is empty. Nothing was sent": (NOT_SENT, NOT_SENT),
    "Zoho did not respond in time. The SMS to Alice (…0100), …0101 may have been sent"
    " and was not repeated. Check the SMS logs in Zoho Voice": (UNCLEAR, UNCLEAR),
    "Only a part of the SMS was sent. Sent to Alice (…0100). Zoho refused the SMS to"
    " …0101: Bad Request (ZVSMS-4027). Nothing was sent to them": (SENT, NOT_SENT),
    "Only a part of the SMS is waiting to be sent. The SMS to …0101 is waiting to be"
    " sent. Zoho Voice is having problems: HTTP 502. The SMS to Alice (…0100) may have"
    " been sent and was not repeated": (UNCLEAR, KEPT),
}


@pytest.mark.parametrize(("message", "told"), ERRORS.items())
def test_error_tells_what_became_of_each_number(
    message: str, told: tuple[Told, Told]
) -> None:
    assert read_error(message, [A, B]) == dict(zip([A, B], told, strict=True))


@pytest.mark.parametrize("message", ["500: Internal Server Error", "Sent to …0199"])
def test_error_that_leaves_it_open_is_a_surprise(message: str) -> None:
    with pytest.raises(SurpriseError, match="the error says"):
        read_error(message, [A])


@pytest.mark.parametrize("scale", [FULL, QUICK, PROOF])
@pytest.mark.parametrize("seed", range(20))
def test_plan_of_a_seed_is_always_the_same_and_of_its_scale(
    seed: int, scale: Scale
) -> None:
    plan = make_plan(seed, scale)
    assert plan == make_plan(seed, scale) != make_plan(seed + 1, scale)
    assert sum(life.calls for life in plan) == scale.calls
    *killed, last = plan
    assert len(killed) == scale.kills
    assert last.end is None
    assert {life.end for life in killed} == {*scale.ends}
    for life in plan:
        after = [event.after for event in life.events]
        assert after == sorted(after)
        assert all(0 <= each < life.calls for each in after)


def test_full_run_is_what_it_is_said_to_be() -> None:
    assert FULL.calls == 2000
    assert FULL.kills >= 10
    assert {*FULL.ends} == {*End}


def test_third_of_the_requests_fails_and_nothing_once_it_is_calm() -> None:
    faults = RandomFaults(Random(1))  # noqa: S311
    failed = [faults.take(Endpoint.SEND) for _ in range(3000)]
    assert sum(map(bool, failed)) == pytest.approx(3000 * RATE, rel=0.1)
    assert Counter(fault.kind for fault in failed if fault) == faults.count
    assert len(faults.count) == 12
    assert faults.take(Endpoint.TOKEN) is None
    assert any(faults.take(Endpoint.READ) for _ in range(300))
    faults.rates.clear()
    for endpoint in Endpoint:
        assert not any(faults.take(endpoint) for _ in range(100))


def test_fault_that_is_asked_for_comes_before_those_by_chance() -> None:
    faults = RandomFaults(Random(1))  # noqa: S311
    asked_for = Fault(FaultKind.MISSING_SCOPE, times=2)
    faults.add(asked_for)
    assert faults.take(Endpoint.SEND) is faults.take(Endpoint.SEND) is asked_for
    assert faults.take(Endpoint.SEND) is not asked_for
    assert faults.count[FaultKind.MISSING_SCOPE] == 2


@pytest.mark.parametrize("each", BREAKS.values(), ids=BREAKS)
def test_each_break_still_breaks_a_copy_of_the_product(
    each: Break, tmp_path: Path
) -> None:
    copy = each.apply(tmp_path)
    source = (copy / each.path).read_text()
    assert each.new in source
    compile(source, each.path, "exec")


def test_break_of_what_is_not_there_any_more_is_an_error(tmp_path: Path) -> None:
    stale = Break("stale", "notify.py", "not there", "", frozenset())
    with pytest.raises(StaleBreakError, match=r"stale: 0 times in notify\.py"):
        stale.apply(tmp_path)
