"""The same text again, as automations see it."""

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.sending import journal
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE, BOB, CAROL
from .test_keep_trying import (
    file_of,
    issues,
    let_time_pass,
    outbox,
    send,
    start_again,
)
from .test_spending_limit import ALICE_ONLY, BOTH, WAYS, account, change_options, tell

pytestmark = pytest.mark.usefixtures("storage")

__all__ = ["account"]


@pytest.fixture
def options() -> dict[str, Any]:
    """Return the options of the account."""
    return {"repeat_seconds": 60}


OUTBOX = [{"repeat_seconds": 60, "keep_trying": 3600}]
BOTH_MODES = pytest.mark.parametrize(
    "options", [{"repeat_seconds": 60}, *OUTBOX], ids=["at once", "outbox"]
)


@pytest.mark.clock
@pytest.mark.parametrize("way", WAYS)
async def test_same_text_goes_once_until_the_time_is_over(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    for _ in range(3):
        await tell(hass, way, ALICE_ONLY)
        await let_time_pass(hass, freezer, seconds=19)
    assert len(sandbox.sent) == 1
    await tell(hass, way, ALICE_ONLY, "Fire")
    await let_time_pass(hass, freezer, seconds=3)
    await tell(hass, way, ALICE_ONLY)
    assert [sms.message for sms in sandbox.sent] == ["Water", "Fire", "Water"]


@pytest.mark.parametrize("way", WAYS)
async def test_only_who_got_it_is_left_out(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, way: str
) -> None:
    await tell(hass, way, ALICE_ONLY)
    await tell(hass, way, BOTH)
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB, CAROL]
    assert len(sandbox.requests) == 2


@BOTH_MODES
async def test_response_says_what_was_dropped(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass)
    rows = await send(hass, recipients=BOTH)
    assert [(row["recipient"], row["status"]) for row in rows] == [
        (ALICE, "DUPLICATE"),
        (BOB, "IN_QUEUE"),
        (CAROL, "IN_QUEUE"),
    ]
    assert (rows[0]["name"], rows[0]["log_id"]) == ("Alice", None)
    assert {row["status"] for row in await send(hass, recipients=BOTH)} == {"DUPLICATE"}
    assert len(sandbox.requests) == 2
    rows = await send(hass, recipients=BOTH, dry_run=True)
    assert {row["status"] for row in rows} == {"DUPLICATE"}
    rows = await send(hass, recipients=BOTH, dry_run=True, title="Water")
    assert {row["status"] for row in rows} == {"DRY_RUN"}


async def test_title_and_schedule_make_another_text(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass)
    await send(hass, title="Cellar")
    for hour in (18, 19, 18):
        await send(
            hass, scheduled_time=f"2026-11-22 {hour}:00:00", time_zone="Europe/Berlin"
        )
    assert [sms.scheduled_time for sms in sandbox.sent] == [
        None,
        None,
        "2026-11-22 18:00:00",
        "2026-11-22 19:00:00",
    ]


@BOTH_MODES
async def test_it_survives_a_restart_and_a_crash(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = asyncio.create_task(send(hass))
    while not sandbox.requests:
        await asyncio.sleep(0.001)
    content = file_of(storage, account).read_bytes()
    assert b"Water" not in content or account.options.get("keep_trying")
    await sending
    await start_again(hass, account)
    (row,) = await send(hass)
    assert row["status"] == "DUPLICATE"
    # After a crash it is not certain that it was sent.
    file_of(storage, account).write_bytes(content)
    with patch.object(journal.Journal, "async_flush"):
        await start_again(hass, account)
    with pytest.raises(HomeAssistantError, match="may have been sent just before"):
        await send(hass)
    assert len(sandbox.sent) == 1


@BOTH_MODES
@pytest.mark.parametrize("kind", [FaultKind.ERROR_200, FaultKind.ERROR_400])
async def test_what_certainly_was_not_sent_may_be_repeated(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, kind: FaultKind
) -> None:
    for way in WAYS:
        sandbox.add_fault(kind)
        with pytest.raises(HomeAssistantError):
            await tell(hass, way, ALICE_ONLY)
    await send(hass)
    assert len(sandbox.sent) == 1


async def test_what_could_not_reach_zoho_may_be_repeated(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await sandbox.refuse()
    for way in WAYS:
        with pytest.raises(HomeAssistantError, match="Could not connect"):
            await tell(hass, way, ALICE_ONLY)
    await sandbox.listen()
    await send(hass)
    await hass.config_entries.async_unload(account.entry_id)
    await hass.config_entries.async_setup(account.entry_id)
    (row,) = await send(hass)
    assert row["status"] == "DUPLICATE"


@BOTH_MODES
@pytest.mark.parametrize("way", WAYS)
async def test_what_may_have_been_sent_is_neither_repeated_nor_lost(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    sandbox.add_fault(FaultKind.DROP_AFTER)
    with pytest.raises(HomeAssistantError, match="connection to Zoho was lost"):
        await tell(hass, way, ALICE_ONLY)
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, way, BOTH)
    assert "The same message to Alice (…0100) may have been sent" in str(caught.value)
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB, CAROL]
    assert issues(hass) == {}
    await let_time_pass(hass, freezer, minutes=1)
    await tell(hass, way, ALICE_ONLY)
    assert len(sandbox.sent) == 4


@pytest.mark.parametrize("options", OUTBOX)
@pytest.mark.parametrize("way", WAYS)
async def test_what_waits_is_a_repeat_however_long_it_waits(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    await sandbox.refuse()
    await tell(hass, way, ALICE_ONLY)
    await let_time_pass(hass, freezer, minutes=10)
    await start_again(hass, account)
    await tell(hass, way, ALICE_ONLY)
    assert len((await outbox(hass))["waiting"]) == 1
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=10)
    assert len(sandbox.sent) == 1
    # Its time begins when it is sent.
    await tell(hass, way, ALICE_ONLY)
    assert len(sandbox.sent) == 1
    await let_time_pass(hass, freezer, minutes=1)
    await tell(hass, way, ALICE_ONLY)
    assert len(sandbox.sent) == 2


@pytest.mark.parametrize("options", OUTBOX)
@pytest.mark.parametrize("end", ["expired", "cleared", "refused"])
async def test_what_waited_and_was_not_sent_may_be_repeated(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    end: str,
) -> None:
    await sandbox.refuse()
    await send(hass, keep_trying_for={"seconds": 20})
    if end == "expired":
        await let_time_pass(hass, freezer, seconds=20)
    elif end == "cleared":
        await hass.services.async_call("zoho_voice", "clear_outbox", blocking=True)
    await sandbox.listen()
    if end == "refused":
        sandbox.add_fault(FaultKind.ERROR_200)
        await let_time_pass(hass, freezer, seconds=10)
    assert (await outbox(hass))["waiting"] == []
    assert sandbox.sent == []
    (row,) = await send(hass)
    assert row["status"] == "IN_QUEUE"


@pytest.mark.parametrize("options", OUTBOX)
async def test_what_waited_and_may_have_been_sent_is_not_repeated(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass)
    await sandbox.listen()
    sandbox.add_fault(FaultKind.DROP_AFTER)
    await let_time_pass(hass, freezer, seconds=10)
    assert [*issues(hass)] == ["messages_unclear"]
    with pytest.raises(HomeAssistantError, match="may have been sent just before"):
        await send(hass)
    assert len(sandbox.sent) == 1


@BOTH_MODES
@pytest.mark.parametrize("way", WAYS)
async def test_calls_of_the_same_moment_send_one(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, way: str
) -> None:
    await asyncio.gather(*(tell(hass, way, ALICE_ONLY) for _ in range(5)))
    await asyncio.gather(
        *(send(hass, recipients=[BOB, n], message="Fire") for n in [ALICE, CAROL])
    )
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB, ALICE, CAROL]


@BOTH_MODES
async def test_call_is_no_repeat_of_one_that_fails_meanwhile(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.ERROR_200)
    results = await asyncio.gather(
        *(send(hass) for _ in range(3)), return_exceptions=True
    )
    assert isinstance(results[0], HomeAssistantError)
    assert [rows[0]["status"] for rows in results[1:]] == ["IN_QUEUE", "DUPLICATE"]
    assert len(sandbox.sent) == 1


async def test_call_is_a_repeat_of_one_whose_caller_is_gone_but_is_sent(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.1)
    first = asyncio.create_task(send(hass))
    while not sandbox.requests:
        await asyncio.sleep(0.001)
    second = asyncio.create_task(send(hass))
    await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not second.done()
    assert (await second)[0]["status"] == "DUPLICATE"
    assert len(sandbox.sent) == 1
    assert account.runtime_data.sendings == set()


async def test_call_that_was_given_up_before_it_started_is_not_remembered(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    client = account.runtime_data.client
    with patch.object(client, "async_authorize", asyncio.Event().wait):
        first = asyncio.create_task(send(hass))
        await asyncio.sleep(0)
        second = asyncio.create_task(send(hass))
        for _ in range(10):
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
    (row,) = await send(hass)
    assert row["status"] == "IN_QUEUE"
    assert account.runtime_data.sendings == set()


@pytest.mark.parametrize("options", [{"repeat_seconds": 60, "segments_per_hour": 3}])
async def test_what_was_refused_is_not_remembered_as_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass, message="x" * 300)
    for _ in range(2):
        with pytest.raises(HomeAssistantError, match="spending limit"):
            await send(hass, recipients=BOTH)
    await change_options(hass, account, repeat_seconds=60, flood_limit=1)
    for _ in range(2):
        with pytest.raises(HomeAssistantError, match="1 in 10 min"):
            await send(hass)
    await change_options(hass, account, repeat_seconds=60)
    (row,) = await send(hass)
    assert row["status"] == "IN_QUEUE"


async def test_what_is_dropped_counts_neither_as_spent_nor_as_flood(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await change_options(
        hass, account, repeat_seconds=60, segments_per_hour=2, flood_limit=2
    )
    for _ in range(10):
        await send(hass)
    await send(hass, message="Fire")
    assert len(sandbox.sent) == 2


async def test_recipient_that_got_it_has_no_error_though_another_one_fails(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await tell(hass, "entity", ALICE_ONLY)
    sandbox.add_fault(FaultKind.ERROR_200, times=None)
    results = await asyncio.gather(
        *(
            hass.data["entity_components"]["notify"]
            .get_entity(entity_id)
            .async_send_message("Water")
            for entity_id in ("notify.alice", "notify.night_shift")
        ),
        return_exceptions=True,
    )
    # Called one by one, each is a call of its own.
    assert results[0] is None
    assert isinstance(results[1], HomeAssistantError)
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, "entity", BOTH)
    assert "Alice" not in str(caught.value)
    assert len(sandbox.sent) == 1
