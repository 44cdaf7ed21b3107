"""Full disks, folders that can't be written to, and files from another time."""

import asyncio
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import shutil
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
import voluptuous as vol

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.sending import journal
from sandbox import FaultKind, Sandbox

from ..common import (
    file_of,
    full_disk,
    issues,
    let_time_pass,
    outbox,
    send,
    start_again,
)
from ..conftest import ALICE, BOB

NOT_SAVED = "could not be saved to disk, so nothing was sent"


@pytest.fixture(autouse=True)
def auto_storage(storage: Path) -> None:
    """Keep what has to be remembered in a folder of the test."""


@pytest.fixture
def options() -> dict[str, Any]:
    """Let the account keep trying for an hour."""
    return {"keep_trying": 3600}


@pytest.fixture
def ended(hass: HomeAssistant) -> list[Event]:
    """Return the events about messages that ended."""
    return async_capture_events(hass, "zoho_voice_message_ended")


async def send_to_entity(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.alice", "message": "Water"},
        blocking=True,
    )


async def send_by_classic_action(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "notify", DOMAIN, {"target": "Alice", "message": "Water"}, blocking=True
    )


async def restore(
    hass: HomeAssistant, account: MockConfigEntry, path: Path, content: bytes
) -> None:
    """Start with a file as it was at another time."""
    with patch.object(journal.Journal, "async_flush"):
        path.write_bytes(content)
        # What was written since then is not in the backup.
        path.with_name(f"{path.name}.recent").unlink(missing_ok=True)
        await start_again(hass, account)


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(sms.number, sms.message) for sms in sandbox.sent]


# What can't be written


@pytest.mark.parametrize("way", [send, send_to_entity, send_by_classic_action])
async def test_full_disk_is_an_error_for_whoever_sends(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    way: Callable[[HomeAssistant], Awaitable[Any]],
) -> None:
    for host in ("nowhere", "voice"):  # whether Zoho can be reached or not
        if host == "voice":
            await sandbox.refuse()
        with full_disk(), pytest.raises(HomeAssistantError, match=NOT_SAVED):
            await way(hass)
        assert await outbox(hass) == {"waiting": [], "ended": []}
    assert sandbox.requests == []
    await sandbox.listen()
    await way(hass)
    assert sent(sandbox) == [(ALICE, "Water")]


async def test_folder_that_is_gone_and_can_not_be_made_is_an_error(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    shutil.rmtree(storage, ignore_errors=True)
    storage.write_text("a file where the folder would be")
    with pytest.raises(HomeAssistantError, match=NOT_SAVED):
        await send(hass)
    assert sandbox.requests == []
    storage.unlink()
    await send(hass)
    assert sent(sandbox) == [(ALICE, "Water")]
    assert file_of(storage, account).exists()


async def test_what_waits_outlasts_a_full_disk(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass)
    await sandbox.listen()
    with full_disk():
        await let_time_pass(hass, freezer, minutes=10)
    assert sandbox.requests == []
    assert len((await outbox(hass))["waiting"]) == 1
    await let_time_pass(hass, freezer, minutes=10)
    assert sent(sandbox) == [(ALICE, "Water")]


async def test_disk_that_is_full_once_zoho_has_accepted_makes_nothing_go_twice(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    ended: list[Event],
) -> None:
    """It can't be written down that it was sent, and then the power fails."""
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = asyncio.create_task(send(hass))
    while not sandbox.requests:
        await asyncio.sleep(0.001)
    with full_disk():
        (row,) = await sending
        assert row["status"] == "IN_QUEUE"
        await account.runtime_data.journal.async_flush()
    await restore(
        hass, account, file_of(storage, account), file_of(storage, account).read_bytes()
    )
    assert sent(sandbox) == [(ALICE, "Water")]
    assert [*issues(hass)] == ["messages_unclear"]
    assert [event.data["state"] for event in ended] == ["unclear"]


async def test_callback_url_that_no_file_can_hold_does_no_harm_to_others(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with pytest.raises(vol.Invalid, match="invalid url"):
        await send(hass, status_callback="https://example.com/\ud83d")
    await send(hass)
    assert sent(sandbox) == [(ALICE, "Water")]
    assert await outbox(hass) == {"waiting": [], "ended": []}


# A backup that is restored


@pytest.fixture
async def backup(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    freezer: FrozenDateTimeFactory,
) -> bytes:
    """Return the file with a message that waited; since then it was sent."""
    await sandbox.refuse()
    await send(hass)
    await account.runtime_data.journal.async_flush()
    content = file_of(storage, account).read_bytes()
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=1)
    assert sent(sandbox) == [(ALICE, "Water")]
    sandbox.sent.clear()
    return content


async def test_message_of_a_backup_never_goes_after_its_end(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    freezer: FrozenDateTimeFactory,
    backup: bytes,
    ended: list[Event],
) -> None:
    freezer.tick(3600)
    await restore(hass, account, file_of(storage, account), backup)
    await let_time_pass(hass, freezer, minutes=10)
    assert sandbox.sent == []
    assert [event.data["state"] for event in ended] == ["expired"]
    assert [*issues(hass)] == ["messages_expired"]
    assert [row["state"] for row in (await outbox(hass))["ended"]] == ["expired"]


@pytest.mark.parametrize("hours", [-48, 48])
async def test_message_of_a_backup_does_not_outlive_its_end_by_a_wrong_clock(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    freezer: FrozenDateTimeFactory,
    backup: bytes,
    hours: float,
) -> None:
    freezer.tick(3600.0 * hours)
    await restore(hass, account, file_of(storage, account), backup)
    await let_time_pass(hass, freezer, minutes=10)
    assert sandbox.sent == []
    assert [*issues(hass)] == ["messages_expired"]


async def test_scheduled_message_of_a_backup_never_goes_late(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass, scheduled_time="2026-11-22 12:10:00", time_zone="UTC")
    content = file_of(storage, account).read_bytes()
    await hass.services.async_call(DOMAIN, "clear_outbox", {}, blocking=True)
    await sandbox.listen()
    freezer.tick(601)
    await restore(hass, account, file_of(storage, account), content)
    await let_time_pass(hass, freezer, minutes=10)
    assert sandbox.sent == []
    assert [*issues(hass)] == ["messages_expired"]


async def test_message_that_still_has_time_after_a_restart_goes_before_newer_ones(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass, recipients=[ALICE, BOB])
    content = file_of(storage, account).read_bytes()
    await restore(hass, account, file_of(storage, account), content)
    await send(hass, message="Fire")
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=1)
    await let_time_pass(hass, freezer, minutes=1)
    assert sent(sandbox) == [(ALICE, "Water"), (BOB, "Water"), (ALICE, "Fire")]
    await account.runtime_data.journal.async_flush()
    stored = json.loads(file_of(storage, account).read_bytes())
    assert stored["messages"] == []
