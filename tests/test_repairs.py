"""Repair issues: when they are there, when they go, and what their dialogs do."""

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.repairs import MAX_LINES
from custom_components.zoho_voice.sending import journal
from sandbox import FaultKind, Sandbox

from .common import file_of, issues, let_time_pass, outbox, send, start_again
from .conftest import (
    ALICE,
    BOB,
    CAROL,
    SENDER_ID,
    TRANSLATIONS,
    placeholders_in,
    recipient,
)

NEW_SENDER_ID = "+18885550199"


@pytest.fixture(autouse=True)
def auto_storage(storage: Path) -> None:
    """Keep what has to be remembered in a folder of the test."""


@pytest.fixture
def options() -> dict[str, Any]:
    """Let the account keep trying for an hour."""
    return {"keep_trying": 3600}


@pytest.fixture
def recipients() -> list[ConfigSubentryData]:
    """Return recipients of whom some have a sender ID of their own."""
    return [
        recipient("Alice", ALICE),
        recipient("Bob", BOB, sender_id="Company"),
        recipient("Carol", CAROL, sender_id="Company"),
    ]


class Dialog:
    """The dialog of an issue, as the browser has it."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    async def open(self, issue: ir.IssueEntry) -> dict[str, Any]:
        """Open it and return what it shows."""
        return await self._post(
            "", {"handler": DOMAIN, "issue_id": issue.issue_id}, issue
        )

    async def submit(
        self, shown: dict[str, Any], issue: ir.IssueEntry, **user_input: str
    ) -> dict[str, Any]:
        """Submit what it shows."""
        return await self._post(f"/{shown['flow_id']}", user_input, issue)

    async def _post(
        self, path: str, data: dict[str, Any], issue: ir.IssueEntry
    ) -> dict[str, Any]:
        async with self._client.post(f"/api/repairs/issues/fix{path}", json=data) as r:
            assert r.status == 200, await r.text()
            shown: dict[str, Any] = await r.json()
        texts = TRANSLATIONS["issues"][issue.translation_key]["fix_flow"]
        if shown["type"] == "abort":
            assert shown["reason"] in texts["abort"]
        if shown["type"] == "form":
            given = {
                **issue.translation_placeholders,
                **(shown["description_placeholders"] or {}),
            }
            step = texts["step"][shown["step_id"]]
            fields = {field["name"] for field in shown["data_schema"]}
            assert (
                fields == {*step.get("data", {})} == {*step.get("data_description", {})}
            )
            for text in (
                step["title"],
                step["description"],
                *(texts["error"][error] for error in (shown["errors"] or {}).values()),
            ):
                assert placeholders_in(text) <= {*given}
        return shown


@pytest.fixture
async def dialog(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> Dialog:
    """Return a browser that shows dialogs."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    return Dialog(await hass_client())


@pytest.fixture
def unapproved(sandbox: Sandbox) -> None:
    """Let Zoho approve no sender ID."""
    sandbox.sender_ids.clear()


async def send_in_vain(hass: HomeAssistant, **data: Any) -> None:
    with pytest.raises(HomeAssistantError, match="ZVSMS-4027"):
        await send(hass, **data)


# A sender ID that Zoho may not accept


async def test_sender_that_is_refused_is_told_until_it_is_accepted(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, unapproved: None
) -> None:
    await send_in_vain(hass)
    await send_in_vain(hass)
    (issue,) = issues(hass).values()
    assert issue.translation_key == "sender_id_refused"
    assert issue.translation_placeholders == {
        "account": "sandbox@example.com",
        "sender_id": "…0100",
        "users": "sandbox@example.com",
    }
    assert issue.is_fixable
    assert SENDER_ID[1:] not in repr(issue)
    sandbox.sender_ids.add(SENDER_ID)
    sandbox.add_fault(FaultKind.SERVER_ERROR)
    with pytest.raises(HomeAssistantError):
        await send(hass)
    assert [*issues(hass)] == ["sender_id_refused"]
    await send(hass)
    assert issues(hass) == {}


async def test_other_refusals_say_nothing_of_the_sender(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    for code in ("ZVSMS-4038", "ZVT011", "ZVSMS-4711"):
        sandbox.add_fault(FaultKind.ERROR_200, code=code, message="No")
        with pytest.raises(HomeAssistantError, match=code):
            await send(hass)
    assert issues(hass) == {}


async def test_sender_of_a_call_is_its_own_affair(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    await send_in_vain(hass, sender_id="Nobody")
    assert issues(hass) == {}


async def test_each_sender_has_an_issue_of_its_own(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send_in_vain(hass, recipients=["Bob", "Alice"])
    (issue,) = issues(hass).values()
    assert issue.translation_placeholders["sender_id"] == "Company"
    assert issue.translation_placeholders["users"] == "Bob, Carol"
    sandbox.sender_ids.clear()
    await send_in_vain(hass)
    assert len(ir.async_get(hass).issues) == 2
    sandbox.sender_ids |= {"Company"}
    await send(hass, recipients="Carol")
    (issue,) = issues(hass).values()
    assert issue.translation_placeholders["sender_id"] == "…0100"


async def test_message_that_waited_tells_of_its_sender_too(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unapproved: None,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass)
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=1)
    found = issues(hass)
    assert {*found} == {"messages_refused", "sender_id_refused"}
    messages = found["messages_refused"].translation_placeholders["messages"]
    assert messages == "- Alice (…0100), 2026-11-22 04:00 (ZVSMS-4027)"


async def test_sender_is_told_after_a_restart_and_forgotten_when_it_is_accepted(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send_in_vain(hass, recipients="Bob")
    await start_again(hass, account)
    assert [*issues(hass)] == ["sender_id_refused"]
    sandbox.sender_ids.add("Company")
    await send(hass, recipients="Carol")
    assert issues(hass) == {}


async def test_sender_that_changed_is_forgotten(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, unapproved: None
) -> None:
    await send_in_vain(hass)
    flow = await account.start_reconfigure_flow(hass)
    await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"sender_id": NEW_SENDER_ID}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues(hass) == {}


async def test_sender_that_nobody_uses_any_more_is_forgotten(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    await send_in_vain(hass, recipients="Bob")
    (first,) = issues(hass).values()
    for title in ("Bob", "Carol"):
        (issue,) = issues(hass).values()
        (subentry_id,) = (
            s.subentry_id for s in account.subentries.values() if s.title == title
        )
        hass.config_entries.async_remove_subentry(account, subentry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert issue.translation_placeholders["users"] == "Carol"
    assert issue.issue_id != first.issue_id
    assert issues(hass) == {}


async def test_new_sender_is_tried_and_used_wherever_the_old_one_was(
    hass: HomeAssistant, dialog: Dialog, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send_in_vain(hass, recipients="Bob")
    issue = issues(hass)["sender_id_refused"]
    shown = await dialog.open(issue)
    assert shown["step_id"] == "sender"
    suggested = {
        field["name"]: field.get("description", {}).get("suggested_value")
        for field in shown["data_schema"]
    }
    assert suggested == {"sender_id": "Company", "test_number": None}

    shown = await dialog.submit(shown, issue, sender_id="?", test_number="1")
    assert shown["errors"] == {
        "sender_id": "invalid_sender_id",
        "test_number": "invalid_phone_number",
    }
    shown = await dialog.submit(shown, issue, sender_id="Firm", test_number=ALICE)
    assert shown["errors"] == {"base": "test_failed"}
    assert "ZVSMS-4027" in shown["description_placeholders"]["error"]
    assert [*issues(hass)] == ["sender_id_refused"]

    sandbox.sender_ids.add("Firm")
    shown = await dialog.submit(shown, issue, sender_id="Firm", test_number=ALICE)
    assert shown["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues(hass) == {}
    assert [(sms.number, sms.sender_id) for sms in sandbox.sent] == [(ALICE, "Firm")]
    await send(hass, recipients=["Alice", "Bob", "Carol"])
    assert {(sms.number, sms.sender_id) for sms in sandbox.sent[1:]} == {
        (ALICE, SENDER_ID),
        (BOB, "Firm"),
        (CAROL, "Firm"),
    }
    assert account.data["sender_id"] == SENDER_ID


async def test_new_sender_of_the_account_is_used_at_once(
    hass: HomeAssistant,
    dialog: Dialog,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unapproved: None,
) -> None:
    await send_in_vain(hass)
    issue = issues(hass)["sender_id_refused"]
    sandbox.sender_ids.add(NEW_SENDER_ID)
    shown = await dialog.submit(
        await dialog.open(issue), issue, sender_id="888 555 0199"
    )
    assert shown["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.data["sender_id"] == NEW_SENDER_ID
    await send(hass)
    assert [sms.sender_id for sms in sandbox.sent] == [NEW_SENDER_ID]
    assert issues(hass) == {}


async def test_sender_that_is_right_is_left_as_it_is(
    hass: HomeAssistant,
    dialog: Dialog,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unapproved: None,
) -> None:
    await send_in_vain(hass)
    issue = issues(hass)["sender_id_refused"]
    client = account.runtime_data.client
    shown = await dialog.submit(await dialog.open(issue), issue, sender_id=SENDER_ID)
    assert shown["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues(hass) == {}
    assert account.runtime_data.client is client
    await send_in_vain(hass)
    assert [*issues(hass)] == ["sender_id_refused"]


async def test_sender_of_an_account_that_is_not_loaded_can_not_be_changed(
    hass: HomeAssistant, dialog: Dialog, account: MockConfigEntry, unapproved: None
) -> None:
    await send_in_vain(hass)
    await hass.config_entries.async_unload(account.entry_id)
    issue = issues(hass)["sender_id_refused"]
    shown = await dialog.open(issue)
    assert (shown["type"], shown["reason"]) == ("abort", "not_loaded")
    assert [*issues(hass)] == ["sender_id_refused"]


async def test_account_that_is_removed_leaves_no_issue(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send_in_vain(hass, recipients="Bob")
    await sandbox.refuse()
    await send(hass)
    await let_time_pass(hass, freezer, hours=1)
    assert {*issues(hass)} == {"sender_id_refused", "messages_expired"}
    await hass.config_entries.async_remove(account.entry_id)
    await hass.async_block_till_done()
    assert issues(hass) == {}


# Messages that were not sent for certain


async def expire_one(
    hass: HomeAssistant, sandbox: Sandbox, freezer: FrozenDateTimeFactory, **data: Any
) -> None:
    await sandbox.refuse()
    await send(hass, keep_trying_for={"minutes": 5}, **data)
    await let_time_pass(hass, freezer, minutes=5)


async def test_what_ends_while_the_dialog_is_open_is_not_taken_as_read(
    hass: HomeAssistant,
    dialog: Dialog,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await expire_one(hass, sandbox, freezer)
    issue = issues(hass)["messages_expired"]
    shown = await dialog.open(issue)
    assert shown["description_placeholders"]["count"] == "1"
    await expire_one(hass, sandbox, freezer, recipients="Bob")
    await dialog.submit(shown, issue)
    await hass.async_block_till_done()
    issue = issues(hass)["messages_expired"]
    assert issue.translation_placeholders["count"] == "1"
    assert "Bob" in issue.translation_placeholders["messages"]
    await dialog.submit(await dialog.open(issue), issue)
    await hass.async_block_till_done()
    assert issues(hass) == {}
    await start_again(hass, account)
    assert issues(hass) == {}
    assert await outbox(hass) == {"waiting": [], "ended": []}


async def test_who_ignores_an_issue_learns_of_what_is_new(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await expire_one(hass, sandbox, freezer)
    issue = issues(hass)["messages_expired"]
    ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, ignore=True)
    await expire_one(hass, sandbox, freezer, recipients="Bob")
    issue = issues(hass)["messages_expired"]
    assert issue.dismissed_version is None
    assert issue.translation_placeholders["count"] == "2"


async def test_many_messages_do_not_make_an_endless_list(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    numbers = [f"+1480555{n:04}" for n in range(100, 100 + MAX_LINES + 5)]
    await expire_one(hass, sandbox, freezer, recipients=numbers)
    placeholders = issues(hass)["messages_expired"].translation_placeholders
    assert placeholders["count"] == str(len(numbers))
    lines = placeholders["messages"].splitlines()
    assert lines[0] == "- …"
    assert len(lines) == MAX_LINES + 1


async def test_automations_hear_what_became_of_messages_when_they_can_listen(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    """A message was under way when the power failed."""
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = asyncio.create_task(send(hass))
    while not sandbox.requests:
        await asyncio.sleep(0.001)
    content = file_of(storage, account).read_bytes()
    await sending
    await account.runtime_data.journal.async_flush()
    file_of(storage, account).write_bytes(content)
    ended = async_capture_events(hass, "zoho_voice_message_ended")
    hass.set_state(CoreState.starting)
    with patch.object(journal.Journal, "async_flush"):
        await start_again(hass, account)
    assert [*issues(hass)] == ["messages_unclear"]
    assert ended == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert [event.data["state"] for event in ended] == ["unclear"]
    # It is told once, however often Home Assistant starts.
    await start_again(hass, account)
    assert [*issues(hass)] == ["messages_unclear"]
    assert len(ended) == 1
    assert len(sandbox.sent) == 1


# A file that is damaged


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_damaged_file_is_told_until_it_is_read_and_never_again(
    hass: HomeAssistant,
    dialog: Dialog,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
) -> None:
    storage.mkdir(exist_ok=True)
    file_of(storage, entry).write_text("not what it was")
    await set_up(hass, entry)
    for _ in range(2):
        (issue,) = issues(hass).values()
        assert issue.translation_key == "outbox_damaged"
        assert issue.is_persistent
        await start_again(hass, entry)
    issue = issues(hass)["outbox_damaged"]
    shown = await dialog.open(issue)
    assert shown["description_placeholders"]["account"] == "sandbox@example.com"
    await dialog.submit(shown, issue)
    assert issues(hass) == {}
    await start_again(hass, entry)
    assert issues(hass) == {}
    aside = storage / issue.translation_placeholders["file"]
    assert aside.read_text() == "not what it was"
    await send(hass)
    assert len(sandbox.sent) == 1


async def test_file_of_which_a_part_is_damaged_is_not_used_in_part(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
) -> None:
    await sandbox.refuse()
    await send(hass)
    stored = json.loads(file_of(storage, account).read_bytes())
    assert len(stored["messages"]) == 1
    await sandbox.listen()
    stored["repeats"] = "not what it was"
    with patch.object(journal.Journal, "async_flush"):
        file_of(storage, account).write_text(json.dumps(stored))
        await start_again(hass, account)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [*issues(hass)] == ["outbox_damaged"]
    assert await outbox(hass) == {"waiting": [], "ended": []}
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["messages", "messages", 0, "number"], 1),
        (["messages", "messages", 0, "name"], 1),
        (["messages", "messages", 0, "submitted_at"], True),
        (["messages", "messages", 0, "submitted_at"], "now"),
        (["messages", "messages", 0, "submitted_at"], 1e15),
        (["messages", "messages", 0, "segments"], 1.5),
        (["messages", "messages", 0, "state"], "lost"),
        (["messages", "counters", "segments"], None),
        (["messages", "last_states"], []),
        (["messages", "known"], [["id", 0]]),
        (["told_until"], "noon"),
    ],
)
async def test_damaged_file_of_what_was_sent_keeps_nothing_from_being_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    path: list[str | int],
    value: Any,
) -> None:
    await send(hass)
    await account.runtime_data.async_wait()
    await account.runtime_data.journal.async_flush()
    file = storage / f"{file_of(storage, account).name}.tracking"
    stored = json.loads(file.read_bytes())
    part: Any = stored
    for key in path[:-1]:
        part = part[key]
    assert part[path[-1]] != value
    part[path[-1]] = value
    with patch.object(journal.Journal, "async_flush"):
        file.write_text(json.dumps(stored))
        await start_again(hass, account)
    issue = issues(hass)["tracking_damaged"]
    aside = storage / issue.translation_placeholders["file"]
    assert aside.name == f"{file.name}.damaged"
    assert json.loads(aside.read_bytes()) == stored
    assert account.runtime_data.tracking.tracker.counters.messages == 0
    await send(hass)
    await account.runtime_data.async_wait()
    assert len(sandbox.sent) == 2
    assert json.loads(file.read_bytes())["messages"]["counters"]["messages"] == 1


async def test_file_of_what_was_sent_that_can_not_be_moved_is_told(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    storage.mkdir(exist_ok=True)
    file = storage / f"{file_of(storage, entry).name}.tracking"
    file.write_text("not what it was")
    with patch.object(Path, "rename", side_effect=PermissionError):
        await set_up(hass, entry)
    (issue,) = issues(hass).values()
    assert issue.translation_key == "tracking_blocked"
    assert not issue.is_fixable
    assert issue.translation_placeholders["file"] == file.name
    await send(hass)
    assert len(sandbox.sent) == 1
    await entry.runtime_data.async_wait()
    assert file.read_text() == "not what it was"
    file.unlink()
    await start_again(hass, entry)
    assert issues(hass) == {}


async def test_both_files_can_be_damaged_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    storage.mkdir(exist_ok=True)
    file = file_of(storage, entry)
    file.write_text("not what it was")
    (storage / f"{file.name}.tracking").write_text("nor is this")
    await set_up(hass, entry)
    assert {*issues(hass)} == {"outbox_damaged", "tracking_damaged"}


async def test_file_that_can_not_be_moved_is_told_until_that_is_mended(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    storage.mkdir(exist_ok=True)
    file_of(storage, entry).write_text("not what it was")
    with patch.object(Path, "rename", side_effect=PermissionError):
        await set_up(hass, entry)
    (issue,) = issues(hass).values()
    assert issue.translation_key == "outbox_blocked"
    assert not issue.is_fixable
    assert issue.translation_placeholders["file"] == file_of(storage, entry).name
    with pytest.raises(HomeAssistantError, match="could not be saved to disk"):
        await send(hass)
    assert file_of(storage, entry).read_text() == "not what it was"
    await send(hass, keep_trying=False)
    assert len(sandbox.sent) == 1
    file_of(storage, entry).unlink()
    await start_again(hass, entry)
    assert issues(hass) == {}
    await send(hass)
    assert len(sandbox.sent) == 2
