"""What ended unclearly, and which rows of the log are about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest

from custom_components.zoho_voice.sending.outbox import Message, Outbox, State
from custom_components.zoho_voice.tracking.unclear import MAX_AGE, SLACK, Unclear
from custom_components.zoho_voice.zoho.message_log import Direction, LogRow
from custom_components.zoho_voice.zoho.models import DataCoding, Sms

from ..conftest import ALICE, BOB

NOW = 1_800_000_000.0


def message(
    message_id: str = "1", number: str = ALICE, *, age: float = 60.0, **changes: Any
) -> Message:
    """Return a message that ended unclearly."""
    return Message(
        **{
            "message_id": message_id,
            "call_id": "call",
            "number": number,
            "name": None,
            "subentry_id": None,
            "sender_id": "ZohoVoice",
            "sms": Sms(message="Water", data_coding=DataCoding.ENGLISH),
            "created_at": NOW - age,
            "expires_at": NOW + 3600,
            "state": State.UNCLEAR,
            **changes,
        }
    )


ROW = LogRow(
    log_id="a",
    direction=Direction.OUTGOING,
    number=ALICE,
    message="Water",
    submitted_at=datetime.fromtimestamp(NOW - 50, UTC),
)


def unclear_of(*messages: Message) -> Unclear:
    """Return what knows of some messages."""
    outbox = Outbox(lambda: NOW, AsyncMock(), AsyncMock(), lambda _: None)
    outbox.load([one.dump() for one in messages])
    unclear = Unclear(lambda: NOW)
    unclear.outbox = outbox
    return unclear


def found(unclear: Unclear, *rows: LogRow, known: str = "") -> list[tuple[str, str]]:
    """Return which messages were found in which rows."""
    return [
        (one.message_id, row.log_id)
        for one, row in unclear.find(rows, lambda log_id: log_id in known)
    ]


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        replace(ROW, message="Water\n"),
        replace(ROW, number="+1480****100"),
        replace(ROW, number=""),
        replace(ROW, submitted_at=datetime.fromtimestamp(NOW - 60 - SLACK, UTC)),
    ],
)
def test_a_row_with_the_same_text_and_number_is_about_it(row: LogRow) -> None:
    assert found(unclear_of(message()), row) == [("1", "a")]
    assert found(unclear_of(message()), row, known="a") == []
    # A page that comes again is no second SMS.
    two = unclear_of(message("1"), message("2"))
    assert found(two, row, row) == [("1", "a")]
    assert found(two, row, replace(row, log_id="b")) == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, message="Fire"),
        replace(ROW, number=BOB),
        replace(ROW, submitted_at=None),
        replace(ROW, submitted_at=datetime.fromtimestamp(NOW - 61 - SLACK, UTC)),
    ],
)
def test_any_other_row_is_not(row: LogRow) -> None:
    assert found(unclear_of(message()), row) == []


def test_a_number_that_may_be_anybody_s_tells_nothing() -> None:
    unclear = unclear_of(message("1"), message("2", BOB))
    masked = replace(ROW, number="+1480****")
    assert found(unclear, masked) == []
    # The first is cleared up, so that only one is left.
    assert found(unclear, ROW, replace(masked, log_id="b")) == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize(
    "other",
    [
        message(state=State.REFUSED),
        message(state=State.QUEUED),
        message(age=MAX_AGE),
    ],
)
def test_only_what_ended_unclearly_of_late_is_looked_for(other: Message) -> None:
    unclear = unclear_of(other)
    assert found(unclear, ROW) == []
    assert unclear.since == []


@pytest.mark.parametrize("state", [State.QUEUED, State.UNCLEAR])
def test_ids_are_remembered_as_long_as_they_may_be_mistaken(state: State) -> None:
    hour = timedelta(hours=1).total_seconds()
    unclear = unclear_of(message(age=hour, state=state))
    unclear.load({"a": NOW - hour, "b": NOW - 2 * hour})
    unclear.accept(["c", None])
    assert unclear.dump() == {"a": NOW - hour, "c": NOW}
    assert found(unclear, ROW) == []
    nothing = unclear_of()
    nothing.load(unclear.dump())
    nothing.accept([])
    assert nothing.dump() == {"c": NOW}


@pytest.mark.parametrize("value", [None, [], {"a": None}, {"a": "x"}])
def test_a_damaged_file_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        unclear_of().load(value)
