"""Scheduled SMS: the schedule, and what happens when they are due."""

from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Sandbox

from .conftest import Read, Send

LATER = {"scheduledTime": "2025-12-04 12:30:00", "timeZone": "Asia/Kolkata"}
LATER_STILL = {"scheduledTime": "2025-12-04 08:00:00", "timeZone": "UTC"}


async def texts(read: Read, **query: Any) -> list[str]:
    """Return the texts that the schedule has for a query."""
    response = await read("schedule", **query)
    if response.status == 204:
        return []
    return [row["message"] for row in (await response.json())["schedule"]]


async def test_rows_are_as_documented(sandbox: Sandbox, send: Send, read: Read) -> None:
    """What waits for its time is in the schedule, and not in the log."""
    await send(**LATER)
    response = await read("schedule")
    assert response.status == 200
    assert await response.json() == {
        "schedule": [
            {
                "multipartCount": 1,
                "country": "us",
                "scheduledTime": "2025-12-04 12:30:00",
                "timeZone": "Asia/Kolkata",
                "customerNumber": "+1 480-555-0100",
                "message": "Hi there!",
                "userName": "Sandy",
                "customerName": "+1 480-555-0100",
                "zuid": 10001,
                "jobId": sandbox.scheduled[0].job_id,
                "senderId": "+1 888-555-0100",
                "messageType": "OUTGOING",
                "countryCode": "us",
                "isLongCode": True,
                "logid": sandbox.sent[0].log_id,
                "senderIdCountry": "us",
                "senderIdName": "+1 888-555-0100",
                "status": "IN_QUEUE",
            }
        ],
        "code": "200",
        "status": "SUCCESS",
    }
    assert (await read()).status == 204


async def test_name_as_sender(send: Send, read: Read) -> None:
    """A name is no long code and in no country."""
    await send(senderId="ZohoVoice", scheduledTime="2025-12-05 00:00:00")
    row = (await (await read("schedule")).json())["schedule"][0]
    assert (row["isLongCode"], row["senderIdCountry"]) == (False, "")
    assert "timeZone" not in row


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Bins go out", "Bin day"]),
        ({"size": "1"}, ["Bins go out"]),
        ({"from_": "1"}, ["Bin day"]),
        ({"searchtext": "BIN"}, ["Bin day"]),
        ({"searchtext": "out"}, ["Bins go out"]),
        ({"searchtext": "."}, []),
        ({"fromDate": "2025-12-04 07:00:01"}, ["Bin day"]),
        ({"toDate": "20251204 07:00:00"}, ["Bins go out"]),
        ({"toDate": "20251204 06:59"}, []),
        ({"optArchived": "true"}, []),
        ({"optUnread": "true"}, []),
    ],
)
async def test_filters(
    send: Send, read: Read, query: dict[str, str], expected: list[str]
) -> None:
    """Some rows only, the next one first."""
    await send(message="Bin day", **LATER_STILL)
    await send(message="Bins go out", **LATER)
    assert await texts(read, **query) == expected


async def test_bad_query(sandbox: Sandbox, read: Read) -> None:
    """The schedule has parameters of its own."""
    reply = await (await read("schedule", messageType="All")).json()
    assert reply["code"] == "500"
    assert sandbox.reads[0].refusal == "extra parameters: messageType"


async def test_sent_when_due(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, send: Send, read: Read
) -> None:
    """Whoever calls sends what is due, and only that."""
    await send(message="later still", **LATER_STILL)
    await send(customerNumber="+14805550100,+14805550111", **LATER)
    assert len({each.job_id for each in sandbox.scheduled}) == 2
    freezer.move_to("2025-12-04 06:59:59")
    assert sandbox.send_due() == []
    freezer.move_to("2025-12-04 07:00:00")
    sent = sandbox.send_due()
    assert [row.number for row in sent] == ["+14805550100", "+14805550111"]
    assert [row.log_id for row in sent] == [sms.log_id for sms in sandbox.sent[1:]]
    assert {row.submitted_at for row in sent} == {1764831600}
    assert {row.status for row in sent} == {"IN_QUEUE"}
    assert await texts(read) == ["later still"]
    assert sandbox.send_due() == []
    assert len(sandbox.message_log) == 2


async def test_without_a_zone(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, send: Send
) -> None:
    """A time without a zone is in the account's own."""
    sandbox.zone = ZoneInfo("Asia/Kolkata")
    await send(scheduledTime="2025-12-04 12:30:00")
    assert sandbox.scheduled[0].due_at == 1764831600
