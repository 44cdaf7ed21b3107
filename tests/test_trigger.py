"""Triggers, as automations see them."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.zoho_voice.accounts import async_stop_accounts
from custom_components.zoho_voice.const import DOMAIN
from sandbox import FaultKind, Sandbox

from .common import start_again
from .conftest import ALICE, BOB, CAROL, TRANSLATIONS

STRANGER = "+14805550199"


@pytest.fixture
def actions(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what the automation did."""
    return async_mock_service(hass, "test", "automation")


@pytest.fixture
async def account(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> MockConfigEntry:
    """Return an account that has looked into the message log once."""
    hass.config_entries.async_update_entry(entry, options={"keep_trying": 3600})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await look(hass, freezer)
    return entry


async def let_time_pass(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float
) -> None:
    freezer.tick(timedelta(**time))
    # The loop's own clock does not stand still: its timers are this much ahead.
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(**time))
    await hass.async_block_till_done(wait_background_tasks=True)


async def look(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let the account look into the message log."""
    await hass.async_block_till_done(wait_background_tasks=True)
    await let_time_pass(hass, freezer, seconds=61)


async def automate(hass: HomeAssistant, trigger: str, **options: Any) -> None:
    """Set up an automation that says what its trigger said."""
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": "Test",
                "triggers": {"trigger": f"{DOMAIN}.{trigger}", "options": options},
                "actions": {
                    "action": "test.automation",
                    "data": {"said": "{{ trigger }}"},
                },
            }
        },
    )
    await hass.async_block_till_done()
    assert hass.states.get("automation.test").state == "on"


async def send(hass: HomeAssistant, *recipients: str) -> None:
    await hass.services.async_call(
        DOMAIN,
        "send_sms",
        {"recipients": [*recipients], "message": "Water"},
        blocking=True,
    )
    await hass.async_block_till_done(wait_background_tasks=True)


def said(actions: list[ServiceCall]) -> list[dict[str, Any]]:
    """Return what the triggers said, each time."""
    return [action.data["said"] for action in actions]


async def test_received_sms_is_told(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_received")
    row = sandbox.receive(ALICE, "Alarm off!")
    now = dt_util.utcnow()
    freezer.tick(1)
    sandbox.receive(STRANGER, "Hello")
    await look(hass, freezer)
    first, second = said(actions)
    assert {key: first[key] for key in first if key not in ("id", "idx", "alias")} == {
        "platform": "zoho_voice.sms_received",
        "description": "SMS from Alice",
        "config_entry_id": account.entry_id,
        "number": ALICE,
        "name": "Alice",
        "entity_id": "notify.alice",
        "known": True,
        "text": "Alarm off!",
        "log_id": row.log_id,
        "received_at": now.isoformat(),
        "segments": 1,
    }
    assert (second["number"], second["name"]) == (STRANGER, None)
    assert (second["known"], second["entity_id"]) == (False, None)
    await look(hass, freezer)
    assert len(actions) == 2


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({}, ["OFF", "turn off", "on", ""]),
        ({"text": "off"}, ["OFF", "turn off"]),
        ({"text": ["off", "on"], "match": "is"}, ["OFF", "on"]),
        ({"recipients": ["notify.alice"]}, ["OFF", "on"]),
        ({"recipients": "notify.alice", "text": " Off "}, ["OFF"]),
        ({"recipients": ["notify.nobody"]}, []),
    ],
)
async def test_only_the_wanted_sms_trigger(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
    options: dict[str, Any],
    texts: list[str],
) -> None:
    await automate(hass, "sms_received", **options)
    received = [(ALICE, "OFF"), (BOB, "turn off"), (ALICE, "on"), (STRANGER, "")]
    for number, text in received:
        sandbox.receive(number, text)
        freezer.tick(1)
    await look(hass, freezer)
    assert [one["text"] for one in said(actions)] == texts


async def test_delivered_sms_is_told(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_delivered", recipients=["notify.alice"])
    await send(hass, ALICE, BOB)
    to_alice, to_bob = sandbox.sent
    sent_at = dt_util.utcnow()
    await sandbox.report(to_alice, "SENT")
    await look(hass, freezer)
    assert actions == []
    await sandbox.report(to_alice, "DELIVERED", "to the handset")
    await sandbox.report(to_bob, "DELIVERED")
    await look(hass, freezer)
    (told,) = said(actions)
    assert told["number"] == ALICE
    assert told["name"] == "Alice"
    assert told["log_id"] == to_alice.log_id
    assert told["state"] == "delivered"
    assert (told["status"], told["description"]) == ("DELIVERED", "to the handset")
    assert told["submitted_at"] == sent_at.isoformat()
    assert told["seconds"] == 122
    await look(hass, freezer)
    assert len(actions) == 1


@pytest.mark.parametrize("status", ["UNDELIVERED", "FAILED"])
@pytest.mark.parametrize("options", [{}, {"for": {"minutes": 10}}])
async def test_sms_reported_as_not_delivered_is_told_at_once(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
    status: str,
    options: dict[str, Any],
) -> None:
    await automate(hass, "sms_not_delivered", **options)
    await send(hass, ALICE, BOB)
    to_alice, to_bob = sandbox.sent
    await sandbox.report(to_alice, status, "Absent subscriber")
    await sandbox.report(to_bob, "DELIVERED")
    await look(hass, freezer)
    (told,) = said(actions)
    assert (told["number"], told["status"]) == (ALICE, status)
    assert told["state"] == status.lower()
    assert told["description"] == "Absent subscriber"
    await let_time_pass(hass, freezer, minutes=11)
    assert len(actions) == 1


async def test_sms_without_a_report_is_told_after_some_time(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(
        hass,
        "sms_not_delivered",
        recipients=["notify.alice"],
        **{"for": {"minutes": 10}},
    )
    await send(hass, ALICE, BOB)
    await let_time_pass(hass, freezer, minutes=9, seconds=59)
    assert actions == []
    await let_time_pass(hass, freezer, seconds=2)
    (told,) = said(actions)
    assert (told["number"], told["state"]) == (ALICE, "queued")
    # It was told; that it failed indeed is no news.
    await sandbox.report(sandbox.sent[0], "FAILED")
    await look(hass, freezer)
    assert len(actions) == 1


async def test_report_that_is_being_written_when_the_time_is_up_is_told(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_not_delivered", **{"for": {"minutes": 10}})
    await send(hass, ALICE, BOB)
    await let_time_pass(hass, freezer, minutes=9, seconds=59)
    to_alice, to_bob = sandbox.sent
    await sandbox.report(to_alice, "DELIVERED")
    await sandbox.report(to_bob, "FAILED")
    journal = account.runtime_data.tracking.journal
    is_writing, may_go_on = asyncio.Event(), asyncio.Event()
    async_save = journal.async_save

    async def async_save_slowly() -> None:
        is_writing.set()
        await may_go_on.wait()
        await async_save()

    with patch.object(journal, "async_save", async_save_slowly):
        looking = asyncio.create_task(account.runtime_data.coordinator.async_refresh())
        await is_writing.wait()
        freezer.tick(5)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=10))
        may_go_on.set()
        await looking
    await hass.async_block_till_done()
    (told,) = said(actions)
    assert (told["number"], told["state"]) == (BOB, "failed")
    await let_time_pass(hass, freezer, minutes=11)
    assert len(actions) == 1


async def test_sms_of_an_account_that_is_disabled_meanwhile_is_not_waited_for(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await automate(hass, "sms_not_delivered", **{"for": {"minutes": 10}})
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = asyncio.create_task(send(hass, ALICE))
    while not sandbox.requests:
        await asyncio.sleep(0.001)
    await hass.config_entries.async_set_disabled_by(
        account.entry_id, ConfigEntryDisabler.USER
    )
    await sending
    assert [sms.number for sms in sandbox.sent] == [ALICE]
    await let_time_pass(hass, freezer, minutes=11)
    assert actions == []
    assert "Traceback" not in caplog.text


async def test_waiting_for_a_report_goes_on_when_automations_are_reloaded(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await send(hass, ALICE)
    await let_time_pass(hass, freezer, minutes=5)
    await automate(hass, "sms_not_delivered", **{"for": "00:10:00"})
    await send(hass, BOB)
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"})
    await hass.async_block_till_done()
    await hass.services.async_call("automation", "turn_on", {"entity_id": "all"})
    await hass.async_block_till_done()
    await let_time_pass(hass, freezer, minutes=6)
    assert [one["number"] for one in said(actions)] == [ALICE]
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"})
    await hass.async_block_till_done()
    await hass.services.async_call("automation", "turn_on", {"entity_id": "all"})
    await hass.async_block_till_done()
    await let_time_pass(hass, freezer, minutes=6)
    assert [one["number"] for one in said(actions)] == [ALICE, BOB]


async def reload_automations(hass: HomeAssistant) -> None:
    """Detach the triggers, and attach them again."""
    for action in ("turn_off", "turn_on"):
        await hass.services.async_call("automation", action, {"entity_id": "all"})
        await hass.async_block_till_done()


async def crash(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Lose what is in memory, and start again with what is on disk."""
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"})
    await start_again(hass, entry)
    await hass.services.async_call("automation", "turn_on", {"entity_id": "all"})
    await hass.async_block_till_done()


async def test_sms_whose_time_ran_out_while_home_assistant_was_down_is_told_once(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_not_delivered", **{"for": {"minutes": 10}})
    await send(hass, ALICE)
    await let_time_pass(hass, freezer, minutes=6)
    await send(hass, BOB, CAROL)
    await let_time_pass(hass, freezer, minutes=5)
    assert [one["number"] for one in said(actions)] == [ALICE]
    await async_stop_accounts(hass)
    freezer.tick(timedelta(hours=1))
    await sandbox.report(sandbox.sent[2], "DELIVERED")
    await crash(hass, account)
    # Carol got it, but that is not known before the log was looked at.
    assert [one["number"] for one in said(actions)] == [ALICE]
    await let_time_pass(hass, freezer, seconds=61)
    # Nothing is forgotten if automations are reloaded meanwhile.
    await reload_automations(hass)
    assert [one["number"] for one in said(actions)] == [ALICE]
    await let_time_pass(hass, freezer, minutes=2, seconds=1)
    assert [one["number"] for one in said(actions)] == [ALICE, BOB]
    await reload_automations(hass)
    await crash(hass, account)
    await let_time_pass(hass, freezer, minutes=3)
    await sandbox.report(sandbox.sent[1], "FAILED")
    await look(hass, freezer)
    assert [one["number"] for one in said(actions)] == [ALICE, BOB]


async def test_sms_that_failed_while_home_assistant_was_down_is_told_once(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_not_delivered", **{"for": {"minutes": 10}})
    await send(hass, ALICE)
    await async_stop_accounts(hass)
    freezer.tick(timedelta(hours=1))
    await sandbox.report(sandbox.sent[0], "FAILED")
    await crash(hass, account)
    await look(hass, freezer)
    await let_time_pass(hass, freezer, minutes=3)
    (told,) = said(actions)
    assert (told["number"], told["state"]) == (ALICE, "failed")


async def test_sms_whose_time_runs_out_right_after_a_start_is_told_once(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_not_delivered", **{"for": {"minutes": 10}})
    await send(hass, ALICE, BOB)
    await let_time_pass(hass, freezer, minutes=9, seconds=30)
    await async_stop_accounts(hass)
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await crash(hass, account)
    # The log may not have been looked at yet.
    await let_time_pass(hass, freezer, seconds=35)
    assert actions == []
    await look(hass, freezer)
    await let_time_pass(hass, freezer, minutes=2)
    assert [one["number"] for one in said(actions)] == [BOB]
    await let_time_pass(hass, freezer, minutes=3)
    assert len(actions) == 1


async def test_what_was_told_before_a_crash_is_not_told_again(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_not_delivered", **{"for": {"minutes": 10}})
    await send(hass, ALICE)
    await let_time_pass(hass, freezer, minutes=9)
    await send(hass, BOB)
    await let_time_pass(hass, freezer, minutes=2)
    assert [one["number"] for one in said(actions)] == [ALICE]
    # Nothing is written at the end.
    await crash(hass, account)
    # What falls due while it catches up is told at the end of that, too.
    await let_time_pass(hass, freezer, seconds=100)
    freezer.tick(timedelta(minutes=10))
    await crash(hass, account)
    await let_time_pass(hass, freezer, minutes=3)
    assert [one["number"] for one in said(actions)] == [ALICE, BOB]


async def test_what_fell_due_while_the_automation_was_off_is_not_told(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "sms_not_delivered", **{"for": {"minutes": 10}})
    await send(hass, ALICE)
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"})
    await let_time_pass(hass, freezer, minutes=11)
    await async_stop_accounts(hass)
    await crash(hass, account)
    await let_time_pass(hass, freezer, minutes=3)
    assert actions == []


async def test_message_that_gave_up_is_told(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "message_gave_up", recipients=["notify.night_shift"])
    await sandbox.refuse()
    created_at = dt_util.utcnow()
    await send(hass, ALICE, CAROL)
    await let_time_pass(hass, freezer, minutes=61)
    (told,) = said(actions)
    assert (told["number"], told["name"]) == (CAROL, "Night shift")
    assert told["entity_id"] == "notify.night_shift"
    assert told["state"] == "expired"
    assert told["created_at"] == created_at.isoformat()
    assert told["message_id"]


async def test_automation_that_is_off_does_nothing(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    for trigger in ("sms_received",):
        await automate(hass, trigger)
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"})
    sandbox.receive(ALICE, "Hello")
    await look(hass, freezer)
    assert actions == []


@pytest.mark.parametrize(
    ("trigger", "options"),
    [
        ("sms_received", {"match": "regex"}),
        ("sms_received", {"recipients": "light.kitchen"}),
        ("sms_delivered", {"text": "off"}),
        ("sms_not_delivered", {"for": "soon"}),
    ],
)
async def test_wrong_options_are_refused(
    hass: HomeAssistant,
    account: MockConfigEntry,
    trigger: str,
    options: dict[str, Any],
) -> None:
    await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": "Test",
                "triggers": {"trigger": f"{DOMAIN}.{trigger}", "options": options},
                "actions": {"action": "test.automation"},
            }
        },
    )
    await hass.async_block_till_done()
    assert hass.states.get("automation.test").state == "unavailable"


async def test_every_trigger_and_its_fields_are_described(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, "automation", {})
    descriptions = {
        key.removeprefix(f"{DOMAIN}."): described
        for key, described in (await async_get_all_descriptions(hass)).items()
        if key.startswith(f"{DOMAIN}.")
    }
    texts = TRANSLATIONS["triggers"]
    assert set(descriptions) == set(texts)
    for key, described in descriptions.items():
        assert set(described["fields"]) == set(texts[key]["fields"])
