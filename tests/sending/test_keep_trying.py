"""Messages that are kept until Zoho can be reached, as automations see them."""

import asyncio
from datetime import datetime
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.sending import journal
from sandbox import FaultKind, Sandbox

from ..common import file_of, issues, let_time_pass, outbox, send, start_again
from ..conftest import ALICE, BOB, CAROL

pytestmark = pytest.mark.usefixtures("storage")

STRANGER = "+14805550199"
WAITING = "sensor.sandbox_example_com_sms_waiting"


@pytest.fixture
def options() -> dict[str, Any]:
    """Let the account keep trying for an hour."""
    return {"keep_trying": 3600}


@pytest.fixture
def ended(hass: HomeAssistant) -> list[Event]:
    """Return the events about messages that ended."""
    return async_capture_events(hass, "zoho_voice_message_ended")


async def test_message_is_kept_and_sent_once_when_zoho_is_back(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    ended: list[Event],
) -> None:
    await sandbox.refuse()
    (row,) = await send(hass)
    assert row["status"] == "QUEUED"
    assert row["log_id"] is None
    assert hass.states.get(WAITING).state == "1"
    ((waiting,), none) = (await outbox(hass)).values()
    assert none == []
    assert waiting["message_id"] == row["message_id"]
    assert (waiting["name"], waiting["recipient"]) == ("Alice", ALICE)
    await send(hass, recipients=STRANGER)
    assert [row.get("name") for row in (await outbox(hass))["waiting"]] == [
        "Alice",
        None,
    ]
    await hass.services.async_call(
        DOMAIN, "clear_outbox", {"recipients": STRANGER}, blocking=True
    )
    await let_time_pass(hass, freezer, minutes=10)
    assert sandbox.sent == []
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=10)
    assert [(sms.number, sms.message) for sms in sandbox.sent] == [(ALICE, "Water")]
    assert hass.states.get(WAITING).state == "0"
    assert hass.states.get("notify.alice").state != "unknown"
    await let_time_pass(hass, freezer, minutes=10)
    assert len(sandbox.sent) == 1
    (event,) = ended
    assert event.data == {
        "config_entry_id": account.entry_id,
        "message_id": row["message_id"],
        "state": "sent",
        "recipient": "…0100",
        "name": "Alice",
    }
    assert await outbox(hass) == {"waiting": [], "ended": []}


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("send_message", {"entity_id": ["notify.alice", "notify.night_shift"]}),
        ("zoho_voice", {"target": ["Alice", "Night shift"]}),
    ],
)
async def test_every_way_to_send_keeps(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    action: str,
    data: dict[str, Any],
) -> None:
    await sandbox.refuse()
    await hass.services.async_call(
        "notify", action, {"message": "Water", **data}, blocking=True
    )
    assert hass.states.get(WAITING).state == "3"
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=1)
    assert sorted(sms.number for sms in sandbox.sent) == [ALICE, BOB, CAROL]
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": FaultKind.TOO_MANY_REQUESTS, "times": None},
        {"kind": FaultKind.UNAUTHORIZED, "times": None},
        {"kind": FaultKind.MISSING_SCOPE, "times": None},
        {"kind": FaultKind.REFUSE},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_what_certainly_did_not_reach_zoho_is_kept(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    fault: dict[str, Any],
) -> None:
    sandbox.add_fault(**fault)
    (row,) = await send(hass)
    assert row["status"] == "QUEUED"
    sandbox.clear_faults()
    # Signing in again, changing the sender, and a reload all try at once.
    await hass.config_entries.async_reload(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [sms.number for sms in sandbox.sent] == [ALICE]


@pytest.mark.parametrize(
    "kind", [FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR, FaultKind.ERROR_200]
)
async def test_what_may_have_been_sent_or_was_refused_is_an_error(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, kind: FaultKind
) -> None:
    sandbox.add_fault(kind)
    with pytest.raises(HomeAssistantError):
        await send(hass)
    assert await outbox(hass) == {"waiting": [], "ended": []}
    assert not {key for key in issues(hass) if key.startswith("messages")}


async def test_call_decides_for_itself(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    with pytest.raises(HomeAssistantError, match="Could not connect"):
        await send(hass, keep_trying=False)
    assert hass.states.get(WAITING).state == "0"
    await send(hass, keep_trying_for={"minutes": 5})
    hass.config_entries.async_update_entry(account, options={})
    account.runtime_data.keep_trying = 0
    with pytest.raises(HomeAssistantError, match="Could not connect"):
        await send(hass)
    await send(hass, keep_trying=True)
    times = [
        int(row["expires_at"][14:16]) - int(row["created_at"][14:16])
        for row in (await outbox(hass))["waiting"]
    ]
    assert times == [5, 0]
    await let_time_pass(hass, freezer, minutes=6)
    assert hass.states.get(WAITING).state == "1"


@pytest.mark.parametrize(
    ("options", "seconds"), [({"keep_trying": 21600}, 21600), ({}, 3600)]
)
async def test_call_without_a_time_takes_that_of_the_account(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, seconds: int
) -> None:
    await sandbox.refuse()
    await send(hass, keep_trying=True)
    (row,) = (await outbox(hass))["waiting"]
    begin, end = (
        datetime.fromisoformat(row[key]) for key in ("created_at", "expires_at")
    )
    assert (end - begin).total_seconds() == seconds


async def test_message_survives_a_crash(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
) -> None:
    await sandbox.refuse()
    await send(hass, recipients=["Alice", BOB], title="Cellar", sender_id="ZohoVoice")
    content = file_of(storage, account).read_bytes()
    await sandbox.listen()
    await start_again(hass, account)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [(sms.number, sms.message, sms.sender_id) for sms in sandbox.sent] == [
        (ALICE, "Cellar\nWater", "ZohoVoice"),
        (BOB, "Cellar\nWater", "ZohoVoice"),
    ]
    assert len(sandbox.requests) == 1
    assert json.loads(content)["version"] == journal.VERSION


async def test_message_under_way_in_a_crash_is_not_sent_again(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    ended: list[Event],
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = asyncio.create_task(send(hass))
    while not sandbox.requests:
        await asyncio.sleep(0.001)
    content = file_of(storage, account).read_bytes()
    await sending
    await account.runtime_data.journal.async_flush()
    assert json.loads(file_of(storage, account).read_bytes())["messages"] == []
    file_of(storage, account).write_bytes(content)
    with patch.object(journal.Journal, "async_flush"):
        await start_again(hass, account)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert len(sandbox.sent) == 1
    issue = issues(hass)["messages_unclear"]
    assert issue.translation_placeholders["count"] == "1"
    assert "Alice (…0100)" in issue.translation_placeholders["messages"]
    assert ALICE not in str(issue)


async def test_message_that_was_written_ahead_of_the_file_is_not_sent_again(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
) -> None:
    await send(hass, message="Fire")
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = asyncio.create_task(send(hass))
    while len(sandbox.requests) < 2:
        await asyncio.sleep(0.001)
    files = {path: path.read_bytes() for path in storage.glob("zoho_voice.*")}
    assert "Water" not in str(files[file_of(storage, account)])
    await sending
    await account.runtime_data.journal.async_flush()
    for path, content in files.items():
        path.write_bytes(content)
    with patch.object(journal.Journal, "async_flush"):
        await start_again(hass, account)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert len(sandbox.sent) == 2
    issue = issues(hass)["messages_unclear"]
    assert issue.translation_placeholders["count"] == "1"


async def test_message_that_expires_is_reported_until_somebody_has_read_it(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    ended: list[Event],
) -> None:
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    await sandbox.refuse()
    await send(hass)
    await let_time_pass(hass, freezer, hours=1)
    await sandbox.listen()
    assert hass.states.get(WAITING).state == "0"
    assert [event.data["state"] for event in ended] == ["expired"]
    assert sandbox.sent == []
    issue = issues(hass)["messages_expired"]
    await account.runtime_data.journal.async_flush()
    ir.async_delete_issue(hass, DOMAIN, issue.issue_id)
    await start_again(hass, account)
    issue = issues(hass)["messages_expired"]
    flows = hass.data[REPAIRS_DOMAIN]["flow_manager"]
    flow = await flows.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    assert flow["step_id"] == "confirm"
    await flows.async_configure(flow["flow_id"], {})
    await hass.async_block_till_done()
    assert issues(hass) == {}
    assert await outbox(hass) == {"waiting": [], "ended": []}
    assert sandbox.sent == []


async def test_message_that_zoho_refuses_later_is_reported(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass)
    await sandbox.listen()
    sandbox.add_fault(FaultKind.ERROR_200)
    await let_time_pass(hass, freezer, minutes=1)
    assert {*issues(hass)} == {"messages_refused", "sender_id_refused"}
    (row,) = (await outbox(hass))["ended"]
    assert (row["state"], row["reason"]) == ("refused", "ZVSMS-4027")


async def test_scheduled_message_never_goes_late(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass, scheduled_time="2026-11-22 12:10:00", time_zone="UTC")
    await let_time_pass(hass, freezer, minutes=11)
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=11)
    assert sandbox.sent == []
    assert [*issues(hass)] == ["messages_expired"]


async def test_disk_that_is_full_is_an_error_and_nothing_is_sent(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with (
        patch.object(journal, "write_utf8_file_atomic", side_effect=WriteError),
        pytest.raises(HomeAssistantError, match="could not be saved to disk"),
    ):
        await send(hass)
    assert sandbox.requests == []
    await send(hass)
    assert len(sandbox.sent) == 1


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("send_message", {"entity_id": "notify.alice"}),
        ("zoho_voice", {"target": "Alice"}),
    ],
)
async def test_message_that_can_neither_be_sent_nor_kept_is_an_error(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    action: str,
    data: dict[str, Any],
) -> None:
    token = {**account.data["token"], "expires_at": 0}
    hass.config_entries.async_update_entry(
        account, data={**account.data, "token": token}
    )
    await sandbox.refuse("accounts")
    with (
        patch.object(journal, "write_utf8_file_atomic", side_effect=WriteError),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await hass.services.async_call(
            "notify", action, {"message": "Water", **data}, blocking=True
        )
    assert caught.value.translation_key == "not_written"
    assert "Alice (…0100)" in str(caught.value)
    assert hass.states.get(WAITING).state == "0"
    await sandbox.listen("accounts")
    assert sandbox.requests == []


async def test_damaged_file_is_set_aside_and_reported(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
) -> None:
    storage.mkdir(exist_ok=True)
    file_of(storage, entry).write_text("not what it was")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    (issue,) = issues(hass).values()
    assert issue.translation_key == "outbox_damaged"
    aside = storage / issue.translation_placeholders["file"]
    assert aside.read_text() == "not what it was"
    await send(hass, keep_trying=True)
    assert len(sandbox.sent) == 1


async def test_message_waits_for_an_account_that_is_not_loaded(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    await hass.config_entries.async_unload(account.entry_id)
    (row,) = await send(hass)
    assert row["status"] == "QUEUED"
    with pytest.raises(ServiceValidationError, match="not loaded"):
        await send(hass, keep_trying=False)
    await hass.config_entries.async_setup(account.entry_id)
    assert account.state is ConfigEntryState.LOADED
    await hass.async_block_till_done(wait_background_tasks=True)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [sms.number for sms in sandbox.sent] == [ALICE]


async def test_outbox_can_be_cleared_for_some_or_for_all(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await sandbox.refuse()
    await send(hass, recipients=["Alice", "Night shift"])

    async def clear(**data: Any) -> list[str]:
        response = await hass.services.async_call(
            DOMAIN, "clear_outbox", data, blocking=True, return_response=True
        )
        return [row["recipient"] for row in response["cleared"]]

    assert await clear(recipients=["Alice"]) == [ALICE]
    assert hass.states.get(WAITING).state == "2"
    with pytest.raises(ServiceValidationError, match="There is no Zoho Voice account"):
        await clear(config_entry_id="nobody")
    with (
        patch.object(journal, "write_utf8_file_atomic", side_effect=WriteError),
        pytest.raises(HomeAssistantError, match="could not be saved"),
    ):
        await clear()
    assert await clear(config_entry_id=account.entry_id) == [BOB, CAROL]
    assert await clear() == []
    await hass.services.async_call(DOMAIN, "clear_outbox", {}, blocking=True)


async def test_removed_account_leaves_no_file(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    await sandbox.refuse()
    await send(hass)
    assert file_of(storage, account).exists()
    await hass.config_entries.async_remove(account.entry_id)
    await hass.async_block_till_done()
    assert not file_of(storage, account).exists()


async def test_account_that_is_removed_while_it_is_disabled_leaves_no_file(
    hass: HomeAssistant, entry: MockConfigEntry, storage: Path
) -> None:
    # As it is read at the start; nothing of it was set up since.
    entry.disabled_by = ConfigEntryDisabler.USER
    path = file_of(storage, entry)
    path.parent.mkdir()
    files = [path.with_name(path.name + end) for end in ("", ".recent", ".tracking")]
    for file in files:
        file.write_text("{}")
    await hass.config_entries.async_remove(entry.entry_id)
    assert [file.name for file in files if file.exists()] == []


async def test_part_that_is_kept_is_named_beside_the_part_that_failed(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await sandbox.refuse()
    await send(hass)
    await sandbox.listen()
    sandbox.add_fault(FaultKind.ERROR_200)
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, recipients=["Alice", BOB])
    assert "Alice (…0100) is waiting to be sent" in str(caught.value)
    assert "refused the SMS to Night shift (…0111)" in str(caught.value)
    assert hass.states.get(WAITING).state == "2"


async def test_message_does_not_seem_to_be_under_way_while_the_account_is_not_loaded(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    storage: Path,
) -> None:
    await sandbox.refuse()
    await send(hass)
    known = account.runtime_data
    assert await hass.config_entries.async_unload(account.entry_id)
    before = file_of(storage, account).read_bytes()
    with patch.object(journal.Journal, "async_save_ahead") as save:
        await let_time_pass(hass, freezer, minutes=10)
    assert save.mock_calls == []
    assert file_of(storage, account).read_bytes() == before
    assert [message.state for message in known.outbox.waiting] == ["queued"]
    await sandbox.listen()
    assert await hass.config_entries.async_setup(account.entry_id)
    await let_time_pass(hass, freezer, minutes=1)
    assert [(sms.number, sms.message) for sms in sandbox.sent] == [(ALICE, "Water")]
