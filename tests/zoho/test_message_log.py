"""Rows of Zoho's message log and schedule, and its words for what became of them."""

from datetime import UTC, datetime
import logging
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.zoho_voice.zoho.message_log import (
    FINAL_STATES,
    DeliveryState,
    Direction,
    LogRow,
    Page,
    ScheduledSms,
    delivery_state,
    read_log,
    read_schedule,
)
from tests.conftest import ALICE, SENDER_ID

# What became of a message


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", ["IN_QUEUE", "in queue", "InQueue", "QUEUED", "Queued"]),
        ("queued", ["SUBMITTED", "ACCEPTED", "accepted"]),
        ("sent", ["SENT", "Sent ", "DISPATCHED", "SUCCESS", "success"]),
        ("delivered", ["DELIVERED", "delivered", " Delivered", "READ"]),
        ("undelivered", ["UNDELIVERED", "Undeliverable", "EXPIRED"]),
        ("undelivered", ["NOT_DELIVERED", "not delivered", "Not-Delivered"]),
        ("undelivered", ["notDelivered", "Un-delivered"]),
        ("failed", ["FAILED", "failed", "REJECTED", "BLOCKED", "ERROR"]),
        ("unknown", ["", " ", "_", "UNKNOWN", "SOMETHING_NEW", "DELIVERED2", "✓"]),
        ("unknown", ["IN", "QUEUE", "DELIVERED TO NOBODY", None]),
    ],
)
def test_state_of_each_word(state: str, words: list[str | None]) -> None:
    assert {delivery_state(word) for word in words} == {DeliveryState(state)}


@pytest.mark.parametrize(
    ("status", "description", "state"),
    [
        (None, "Delivered", "delivered"),
        ("SOMETHING_NEW", "Not delivered", "undelivered"),
        ("SENT", "Delivered", "sent"),
        ("DELIVERED", "Blocked", "delivered"),
        (None, "It was not delivered due to one of the possible errors", "unknown"),
        (None, None, "unknown"),
    ],
)
def test_description_counts_where_the_status_says_nothing(
    status: str | None, description: str | None, state: str
) -> None:
    assert delivery_state(status, description) == DeliveryState(state)


@given(st.none() | st.text(), st.none() | st.text())
def test_no_words_are_too_odd(status: str | None, description: str | None) -> None:
    assert delivery_state(status, description) in DeliveryState


def test_final_states() -> None:
    assert {"undelivered", "failed", "delivered"} == FINAL_STATES


# The log


def row(**changes: Any) -> dict[str, Any]:
    """Return a row as documented."""
    return {
        "country": "us",
        "multipartCount": 1,
        "submittedTime": 1702035249667,
        "isBlocked": False,
        "emailId": "mark@zylker.com",
        "customerNumber": "+1 480-555-0100",
        "message": "Take this",
        "userName": "Mark",
        "customerName": "Josiah",
        "zuid": 669069956,
        "senderId": "+1 888-555-0100",
        "messageType": "INCOMING",
        "isMMS": False,
        "logid": "66fccfe8-95e6-4a39-bd1a-5f258755ed81",
        "status": "UNDELIVERED",
        "statusDescription": "It was not delivered",
    } | changes


LOG_ROW = LogRow(
    log_id="66fccfe8-95e6-4a39-bd1a-5f258755ed81",
    direction=Direction.INCOMING,
    number=ALICE,
    message="Take this",
    sender_id=SENDER_ID,
    submitted_at=datetime(2023, 12, 8, 11, 34, 9, 667000, UTC),
    status="UNDELIVERED",
    description="It was not delivered",
    segments=1,
)


def test_row_is_read() -> None:
    assert read_log({"smsLogQuery": [row()]}).rows == [LOG_ROW]


def test_row_that_says_little_is_read() -> None:
    rows = [{"logid": 7, "messageType": "Outgoing"}]
    assert read_log({"smsLogQuery": rows}).rows == [
        LogRow(log_id="7", direction=Direction.OUTGOING, number="", message="")
    ]


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("messageType", "OUTGOING", "direction", Direction.OUTGOING),
        ("messageType", "incoming", "direction", Direction.INCOMING),
        ("customerNumber", 14805550100, "number", ALICE),
        ("customerNumber", "14805550100", "number", ALICE),
        ("customerNumber", "+1 4XXXXXXXXX0", "number", "+1 4XXXXXXXXX0"),
        ("customerNumber", "+1****", "number", "+1****"),
        ("customerNumber", "ZOHO", "number", "ZOHO"),
        ("customerNumber", "12345", "number", "12345"),
        ("customerNumber", None, "number", ""),
        ("customerNumber", ["x"], "number", ""),
        ("message", "Grüße 🎄\n", "message", "Grüße 🎄\n"),
        ("message", "half \ud83c", "message", "half \ufffd"),
        ("message", None, "message", ""),
        ("message", 1234, "message", ""),
        ("senderId", "Zoho Voice", "sender_id", "Zoho Voice"),
        ("senderId", "", "sender_id", None),
        ("submittedTime", "1702035249667", "submitted_at", LOG_ROW.submitted_at),
        ("submittedTime", "2023-12-08 11:34", "submitted_at", None),
        ("submittedTime", None, "submitted_at", None),
        ("status", None, "status", None),
        ("status", "half \ud83c", "status", "half \ufffd"),
        ("statusDescription", {}, "description", None),
        ("multipartCount", "3", "segments", 3),
        ("multipartCount", -1, "segments", None),
    ],
)
def test_each_field_is_read_as_it_comes(
    field: str, value: Any, attribute: str, expected: Any
) -> None:
    [found] = read_log({"smsLogQuery": [row(**{field: value})]}).rows
    for name in LOG_ROW.__slots__:
        wanted = expected if name == attribute else getattr(LOG_ROW, name)
        assert getattr(found, name) == wanted


@pytest.mark.parametrize("name", ["logid", "logId", "log_id", "messageId"])
def test_each_name_of_the_id_is_read(name: str) -> None:
    rows = [{name: "a", "messageType": "OUTGOING"}]
    [found] = read_log({"smsLogQuery": rows}).rows
    assert found.log_id == "a"


def test_log_id_comes_before_the_message_id() -> None:
    rows = [{"messageId": "b", "logid": "a", "messageType": "OUTGOING"}]
    [found] = read_log({"smsLogQuery": rows}).rows
    assert found.log_id == "a"


UNREADABLE = [
    None,
    "x",
    [],
    {},
    row(logid=None),
    row(logid=""),
    row(messageType="MISSED"),
    row(messageType=None),
]


@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_row_that_can_not_be_read_hides_no_other(
    unreadable: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rows = [row(logid="a"), unreadable, row(logid="b")]
    page = read_log({"smsLogQuery": rows})
    assert [found.log_id for found in page.rows] == ["a", "b"]
    assert page.skipped == 1
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 3 rows of smsLogQuery lack what they need"
    ]


@pytest.mark.parametrize(
    ("meta", "total"),
    [
        ({"total": 20, "totalPages": 2}, 20),
        ({"total": "20"}, 20),
        ({"total": 0}, 0),
        ({"total": None}, None),
        ({"total": -1}, None),
        ({}, None),
        ([20], None),
        (None, None),
    ],
)
def test_page_knows_how_many_rows_there_are(meta: Any, total: int | None) -> None:
    body = {"smsLogQuery": [row()], "meta": meta}
    assert read_log(body) == Page([LOG_ROW], total)


@pytest.mark.parametrize("rows", [None, [], {}, "x", 1])
def test_no_rows_are_no_rows(rows: Any) -> None:
    assert read_log({"smsLogQuery": rows}) == Page([])
    assert read_log({}) == Page([])
    assert read_schedule({"schedule": rows}) == read_schedule({}) == Page([])


def test_text_is_not_shown_by_accident() -> None:
    [found] = read_log({"smsLogQuery": [row()]}).rows
    [scheduled] = read_schedule({"schedule": [scheduled_row()]}).rows
    assert "Take this" not in repr(found)
    assert "this is scheduled SMS" not in repr(scheduled)


# The schedule


def scheduled_row(**changes: Any) -> dict[str, Any]:
    """Return a row as documented."""
    return {
        "multipartCount": 1,
        "country": "us",
        "scheduledTime": "2023-03-04 21:35:00",
        "timeZone": "Pacific/Niue",
        "customerNumber": "+1 480-555-0100",
        "message": "this is scheduled SMS",
        "userName": "Mark",
        "customerName": "John",
        "zuid": 8956275,
        "jobId": "961000000506031",
        "senderId": "+1 888-555-0100",
        "messageType": "OUTGOING",
        "countryCode": "us",
        "isLongCode": True,
        "logid": "32712527-db0a-4aa9-840d-d0d3d72f7d0b",
        "zsoid": "696913717",
        "senderIdCountry": "us",
        "senderIdName": "SMS US",
        "status": "IN_QUEUE",
    } | changes


SCHEDULED = ScheduledSms(
    job_id="961000000506031",
    log_id="32712527-db0a-4aa9-840d-d0d3d72f7d0b",
    number=ALICE,
    message="this is scheduled SMS",
    sender_id=SENDER_ID,
    scheduled_time=datetime(2023, 3, 4, 21, 35),  # noqa: DTZ001
    time_zone="Pacific/Niue",
    status="IN_QUEUE",
    segments=1,
)


def test_scheduled_row_is_read() -> None:
    assert read_schedule({"schedule": [scheduled_row()]}).rows == [SCHEDULED]


def test_scheduled_row_needs_one_id() -> None:
    rows = [{"jobId": 7}, {"logid": "a"}, {"message": "x"}, None]
    assert read_schedule({"schedule": rows}).rows == [
        ScheduledSms(job_id="7", message=""),
        ScheduledSms(log_id="a", message=""),
    ]


@pytest.mark.parametrize(
    ("written", "scheduled_time"),
    [
        ("2023-03-04 21:35", datetime(2023, 3, 4, 21, 35)),  # noqa: DTZ001
        ("2023-03-04T21:35:06", datetime(2023, 3, 4, 21, 35, 6)),  # noqa: DTZ001
        ("2023-03-04T21:35:06Z", None),
        ("tomorrow", None),
        (1702035249667, None),
        (None, None),
    ],
)
def test_scheduled_time_is_of_the_clock_on_the_wall(
    written: Any, scheduled_time: datetime | None
) -> None:
    [found] = read_schedule({"schedule": [scheduled_row(scheduledTime=written)]}).rows
    assert found.scheduled_time == scheduled_time


# Whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@settings(deadline=None)
@given(
    JSON
    | st.lists(
        st.dictionaries(st.sampled_from([*row(), *scheduled_row()]), JSON, max_size=4)
        | st.builds(
            lambda name, value: row(**{name: value}),
            st.sampled_from([*row()]),
            JSON,
        )
        | JSON,
        max_size=4,
    ),
    JSON,
)
def test_nothing_in_a_reply_raises(rows: Any, meta: Any) -> None:
    page = read_log({"smsLogQuery": rows, "meta": meta})
    assert len(page.rows) + page.skipped == (len(rows) if isinstance(rows, list) else 0)
    assert all(found.log_id and found.direction in Direction for found in page.rows)
    assert all(
        found.job_id or found.log_id for found in read_schedule({"schedule": rows}).rows
    )
