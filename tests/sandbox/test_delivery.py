"""What becomes of an SMS, and SMS that come in."""

import asyncio
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Direction, Sandbox

from .conftest import Receiver, Send

ALICE, BOB = "+14805550100", "+14805550111"


async def statuses(sandbox: Sandbox, *wanted: str | None) -> None:
    """Wait until the rows of the log have these statuses."""
    async with asyncio.timeout(5):
        while [row.status for row in sandbox.message_log] != [*wanted]:
            await asyncio.sleep(0.01)


async def test_an_accepted_sms_is_queued(sandbox: Sandbox, send: Send) -> None:
    """The log has what the receipt says, and nothing happens by itself."""
    receipt = (await (await send()).json())["send"]
    row = sandbox.message_log[0]
    assert (row.log_id, row.status) == (receipt["logid"], receipt["status"])
    assert int(row.submitted_at * 1000) == receipt["submittedTime"]
    assert row.direction is Direction.OUTGOING
    await send(message="")
    assert len(sandbox.message_log) == 1


async def test_report(sandbox: Sandbox, send: Send) -> None:
    """An SMS has whatever status it is told to have, and goes back if it is told to."""
    await send()
    await send()
    sms, other = sandbox.sent
    for status, description in (
        ("SENT", None),
        ("UNDELIVERED", "The phone is off"),
        ("Whatever", "…"),
        ("SENT", None),
    ):
        assert await sandbox.report(sms, status, description) == []
        row = sandbox.message_log[0]
        assert (row.status, row.description) == (status, description)
    await sandbox.report(other.log_id, "DELIVERED")
    await sandbox.report(sandbox.message_log[0], "FAILED")
    assert [row.status for row in sandbox.message_log] == ["FAILED", "DELIVERED"]


@pytest.mark.parametrize("number", [BOB, BOB.removeprefix("+")])
async def test_report_for_a_shared_log_id(
    sandbox: Sandbox, send: Send, number: str
) -> None:
    """One of the numbers, or all of them."""
    sandbox.several_as = "object"
    await send(customerNumber=f"{ALICE},{BOB}")
    alice, bob = sandbox.sent
    await sandbox.report(alice.log_id, "DELIVERED", number=number)
    assert [row.status for row in sandbox.message_log] == ["IN_QUEUE", "DELIVERED"]
    await sandbox.report(alice, "SENT")
    assert [row.status for row in sandbox.message_log] == ["SENT", "DELIVERED"]
    await sandbox.report(bob.log_id, "FAILED")
    assert [row.status for row in sandbox.message_log] == ["FAILED", "FAILED"]


async def test_nothing_to_report_about(sandbox: Sandbox, send: Send) -> None:
    """What is not in the log, or not yet, has no status."""
    await send(scheduledTime="2025-12-05 00:00:00")
    await send()
    with pytest.raises(LookupError, match="no SMS in the log"):
        await sandbox.report("nonsense", "SENT")
    with pytest.raises(LookupError, match="no SMS in the log"):
        await sandbox.report(sandbox.sent[0], "SENT")
    with pytest.raises(LookupError, match="no SMS in the log"):
        await sandbox.report(sandbox.sent[1].log_id, "SENT", number=BOB)


async def test_delivered_by_itself(
    sandbox: Sandbox, send: Send, receiver: Receiver
) -> None:
    """SMS are sent, then delivered, unless their number cannot be reached."""
    sandbox.auto_deliver_seconds = 0.05
    sandbox.undeliverable = {BOB}
    await send(customerNumber=f"{ALICE},{BOB}", statusCallback=receiver.url)
    await statuses(sandbox, "IN_QUEUE", "IN_QUEUE")
    await statuses(sandbox, "SENT", "SENT")
    await statuses(sandbox, "DELIVERED", "UNDELIVERED")
    assert sandbox.message_log[1].description == "The phone cannot be reached"
    async with asyncio.timeout(5):
        while len(sandbox.callbacks.made) < 4:
            await asyncio.sleep(0.01)
    told = [(each.number, each.status) for each in sandbox.callbacks.made]
    assert sorted(told) == [
        (ALICE, "DELIVERED"),
        (ALICE, "SENT"),
        (BOB, "SENT"),
        (BOB, "UNDELIVERED"),
    ]


async def test_scheduled_and_delivered_by_itself(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, send: Send
) -> None:
    """What is scheduled goes the same way, once it is due."""
    sandbox.auto_deliver_seconds = 0
    await send(scheduledTime="2025-12-05 00:00:00")
    freezer.move_to("2025-12-05 00:00:00")
    sandbox.send_due()
    await statuses(sandbox, "DELIVERED")


@pytest.mark.parametrize("end", ["reset", "stop"])
async def test_nothing_goes_on_after_the_end(
    sandbox: Sandbox, send: Send, end: str
) -> None:
    """Nothing happens by itself in a sandbox that is reset or stopped."""
    sandbox.auto_deliver_seconds = 0.05
    await send()
    row = sandbox.message_log[0]
    if end == "reset":
        sandbox.reset()
    else:
        await sandbox.stop()
    await asyncio.sleep(0.15)
    assert row.status == "IN_QUEUE"


async def test_receive(sandbox: Sandbox) -> None:
    """An SMS from somebody's phone."""
    sms = sandbox.receive(ALICE, "STOP")
    assert [*sandbox.message_log] == [sms]
    assert (sms.number, sms.message, sms.sender_id) == (ALICE, "STOP", "+18885550100")
    assert (sms.direction, sms.status) == (Direction.INCOMING, None)
    assert sms.submitted_at == 1764831248.5
    assert sandbox.sent == []


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("14805550100", ALICE),
        ("+1 (480) 555-0100", ALICE),
        (" +1.480.555.0100 ", ALICE),
        ("22395", "22395"),
        ("Dr. Who", "Dr. Who"),
    ],
)
async def test_numbers_that_write(sandbox: Sandbox, given: str, number: str) -> None:
    """A number in any notation, a short code, or a name."""
    assert sandbox.receive(given, "x").number == number


async def test_who_is_answered(sandbox: Sandbox, send: Send) -> None:
    """A reply goes to the number that wrote last, or to the one it is meant for."""
    sandbox.sender_ids = {"+18885550100", "+18885550199", "ZohoVoice"}
    await send(senderId="+18885550199")
    await send(senderId="ZohoVoice")
    assert sandbox.receive(ALICE, "x").sender_id == "+18885550199"
    assert sandbox.receive(BOB, "x").sender_id == "+18885550100"
    assert sandbox.receive(BOB, "x", "18885550199").sender_id == "18885550199"
    assert sandbox.receive(BOB, "x").sender_id == "18885550199"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((" ", "x"), "the number is missing"),
        ((ALICE, "\ud83d"), "surrogate"),
        ((ALICE, "x", "+18885550199"), "no sender ID"),
        ((ALICE, "x", ""), "no sender ID"),
    ],
)
async def test_nothing_to_receive(
    sandbox: Sandbox, arguments: Any, reason: str
) -> None:
    """What nobody can send is refused."""
    with pytest.raises(ValueError, match=reason):
        sandbox.receive(*arguments)
    assert len(sandbox.message_log) == 0


async def test_nobody_to_answer(sandbox: Sandbox) -> None:
    """A name cannot be answered."""
    sandbox.sender_ids = {"ZohoVoice"}
    with pytest.raises(ValueError, match="nobody can answer"):
        sandbox.receive(ALICE, "x")
