"""The message log through a real Home Assistant and the sandbox's real server."""

from datetime import timedelta
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.zoho_voice.tracking.coordinator import LOCK, MAX_CALLS
from custom_components.zoho_voice.tracking.signals import (
    SIGNAL_DELIVERY,
    SIGNAL_INCOMING,
)
from custom_components.zoho_voice.zoho.message_log import DeliveryState
from sandbox import FaultKind, Sandbox

from ..common import full_disk, issues, let_time_pass, outbox, send, start_again
from ..conftest import ALICE, BOB, Look

STRANGER = "+14805550199"
KEEP = {"keep_trying": 3600}


@pytest.fixture
def reported(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return what is announced of the SMS that were sent: numbers and states."""
    found: list[tuple[str, str]] = []
    async_dispatcher_connect(
        hass,
        SIGNAL_DELIVERY,
        callback(lambda _, sms: found.append((sms.number, sms.state))),
    )
    return found


@pytest.fixture
def received(hass: HomeAssistant) -> list[tuple[str | None, str]]:
    """Return what is announced of the SMS that came in: names and texts."""
    found: list[tuple[str | None, str]] = []
    async_dispatcher_connect(
        hass,
        SIGNAL_INCOMING,
        callback(lambda _, sms: found.append((sms.name, sms.message))),
    )
    return found


# When it looks


async def test_what_changes_as_the_account_is_unloaded_leads_to_no_look(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    freezer: FrozenDateTimeFactory,
) -> None:
    assert await look(seconds=6) == 1
    coordinator = account.runtime_data.coordinator
    change = account.runtime_data.tracking.listeners[-1]
    assert change == coordinator._async_reconsider_soon
    await hass.config_entries.async_unload(account.entry_id)
    change()
    await hass.async_block_till_done()
    reads = len(sandbox.reads)
    await let_time_pass(hass, freezer, seconds=3600)
    assert len(sandbox.reads) == reads


async def test_it_tells_nothing_before_automations_hear_of_it(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    freezer: FrozenDateTimeFactory,
    reported: list[tuple[str, str]],
    received: list[tuple[str | None, str]],
) -> None:
    """Their triggers are set up only when Home Assistant has started."""
    await send(hass)
    assert await look(seconds=6) == 1
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    sandbox.receive(ALICE, "Thanks")
    hass.set_state(CoreState.starting)
    await hass.config_entries.async_reload(account.entry_id)
    reads = len(sandbox.reads)
    # A task that waits for the start would be waited for, too.
    await let_time_pass(hass, freezer, seconds=6)
    assert len(sandbox.reads) == reads
    assert (reported, received) == ([(ALICE, "queued")], [])
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert reported == [(ALICE, "queued"), (ALICE, "delivered")]
    assert received == [("Alice", "Thanks")]


async def test_it_looks_every_minute_for_incoming_sms(
    account: MockConfigEntry, look: Look
) -> None:
    assert await look(seconds=6) == 1
    assert await look() == 1
    assert await look() == 1
    assert await look(seconds=1) == 0


@pytest.mark.parametrize("options", [{"incoming_interval": 900}])
async def test_it_looks_as_often_as_the_options_say(
    account: MockConfigEntry, look: Look
) -> None:
    assert await look(seconds=6) == 1
    assert await look(seconds=880) == 0
    assert await look(seconds=21) == 0  # a timer is due by the time since it was set
    assert await look(seconds=901) == 1


@pytest.mark.clock
@pytest.mark.parametrize("options", [{"incoming_interval": 0}])
async def test_without_incoming_sms_it_looks_only_for_what_was_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    reported: list[tuple[str, str]],
    received: list[Any],
) -> None:
    """Each minute in the first hour, then each ten minutes, until it is delivered."""
    assert await look(seconds=6) == 0
    assert await look(hours=5) == 0
    await send(hass)
    sandbox.receive(ALICE, "Nobody asked")
    assert await look() == 1
    await sandbox.report(sandbox.sent[0], "SENT")
    assert await look() == 1
    assert reported == [(ALICE, "queued"), (ALICE, "sent")]
    await look(minutes=57)
    assert await look() == 1
    assert await look() == 0
    assert await look(minutes=10) == 1
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await look(minutes=10)
    assert reported == [(ALICE, "queued"), (ALICE, "sent"), (ALICE, "delivered")]
    assert await look(hours=1) == 0
    assert received == []


@pytest.mark.parametrize("options", [{"incoming_interval": 0}])
async def test_after_a_day_it_looks_no_more(
    hass: HomeAssistant, account: MockConfigEntry, look: Look
) -> None:
    await send(hass)
    assert await look(hours=23) == 1
    assert await look(minutes=11) == 1
    await look(hours=1)
    assert await look(hours=1) == 0


async def test_at_most_twenty_calls_are_made_in_a_minute(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    received: list[Any],
) -> None:
    """What is left is read later: nothing is missed."""
    await look(seconds=6)
    for number in range(2500):
        sandbox.receive(STRANGER, str(number))
    coordinator = account.runtime_data.coordinator
    for _ in range(4):
        coordinator.async_look_soon()
        await look(seconds=6)
    assert coordinator.calls_last_minute == MAX_CALLS
    for _ in range(5):
        await look()
    assert sorted(int(text) for _, text in received) == [*range(2500)]


# What it finds


@pytest.mark.clock
async def test_the_first_look_reports_nothing_old(
    sandbox: Sandbox,
    look: Look,
    received: list[Any],
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
) -> None:
    sandbox.receive(ALICE, "Old")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await look(seconds=6)
    sandbox.receive(ALICE, "New")
    freezer.tick(1)
    sandbox.receive(STRANGER, "New, too")
    await look()
    await look()
    assert received == [("Alice", "New"), (None, "New, too")]


async def test_rows_that_are_late_or_on_a_page_behind_are_found_once(
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    freezer: FrozenDateTimeFactory,
    received: list[Any],
) -> None:
    await look(seconds=6)
    sandbox.log_lag_seconds = 300
    sandbox.receive(ALICE, "Late")
    await look()
    assert received == []
    freezer.tick(300)
    sandbox.log_lag_seconds = 0
    for number in range(250):
        sandbox.receive(STRANGER, str(number))
    assert await look() >= 3
    await look()
    assert len(received) == 251
    assert len({text for _, text in received}) == 251


@pytest.mark.clock
@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("downtime", [{"minutes": 1}, {"days": 3}])
async def test_nothing_is_missed_or_told_twice_after_a_crash(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    freezer: FrozenDateTimeFactory,
    received: list[Any],
    reported: list[Any],
    downtime: dict[str, float],
    oldest_first: bool,
) -> None:
    sandbox.oldest_first = oldest_first
    await look(seconds=6)
    await send(hass)
    sandbox.receive(ALICE, "Before")
    await look()
    await hass.config_entries.async_unload(account.entry_id)
    sandbox.receive(ALICE, "Meanwhile")
    freezer.tick(timedelta(**downtime) / 2)
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    sandbox.receive(BOB, "Later")
    freezer.tick(timedelta(**downtime) / 2)
    await start_again(hass, account)
    await look(seconds=6)
    await look()
    assert received == [
        ("Alice", "Before"),
        ("Alice", "Meanwhile"),
        ("Night shift", "Later"),
    ]
    states = [state for _, state in reported]
    # After a day, nobody asks what became of an SMS; but what is found is told.
    assert states == ["queued", "delivered"]
    await start_again(hass, account)
    await look(seconds=6)
    assert len(received) == 3
    assert len(reported) == 2


async def test_what_could_not_be_written_is_told_later(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    received: list[Any],
) -> None:
    await look(seconds=6)
    sandbox.receive(ALICE, "New")
    with full_disk():
        await look()
        assert received == []
    await look()
    await look()
    assert received == [("Alice", "New")]


@pytest.mark.parametrize("options", [{"incoming_interval": 0}])
async def test_what_came_in_while_nobody_wanted_to_know_is_old(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    received: list[Any],
) -> None:
    for interval, text in ((60, "One"), (0, "Two"), (60, "Three")):
        hass.config_entries.async_update_entry(
            account, options={"incoming_interval": interval}
        )
        await hass.config_entries.async_reload(account.entry_id)
        await look(seconds=6)
        sandbox.receive(ALICE, text)
        await look()
    assert received == [("Alice", "One"), ("Alice", "Three")]


# What goes wrong


async def test_a_sign_in_that_may_not_read_is_asked_for_anew(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    hass_client: ClientSessionGenerator,
) -> None:
    sandbox.add_fault(FaultKind.READ_MISSING_SCOPE, times=None)
    await look(seconds=6)
    issue = issues(hass)["cannot_read"]
    assert issue.is_fixable
    assert await look(minutes=10) == 0
    await send(hass)
    assert await look() == 0
    assert account.runtime_data.coordinator.is_available is False
    assert not [*account.async_get_active_flows(hass, {"reauth"})]

    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": "zoho_voice", "issue_id": issue.issue_id},
    )
    shown = await response.json()
    assert shown["step_id"] == "confirm"
    await client.post(f"/api/repairs/issues/fix/{shown['flow_id']}", json={})
    await hass.async_block_till_done()
    assert [*account.async_get_active_flows(hass, {"reauth"})]

    sandbox.clear_faults()
    await hass.config_entries.async_reload(account.entry_id)
    assert await look(seconds=6) == 1
    assert "cannot_read" not in issues(hass)


@pytest.mark.parametrize("retry_after", [None, 1, 3600])
async def test_zoho_is_left_alone_when_it_is_too_much(
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    retry_after: int | None,
) -> None:
    await look(seconds=6)
    sandbox.add_fault(FaultKind.READ_TOO_MANY_REQUESTS, retry_after=retry_after)
    assert await look() == 1
    coordinator = account.runtime_data.coordinator
    seconds = max(LOCK, retry_after or 0)
    coordinator.async_look_soon()
    coordinator.async_reconsider()
    assert await look(seconds=seconds - 5) == 0
    assert await look(seconds=seconds + 1) == 1
    assert await look() == 1


async def test_a_failure_is_logged_once(
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await look(seconds=6)
    caplog.clear()
    caplog.set_level(logging.INFO)
    sandbox.add_fault(FaultKind.READ_SERVER_ERROR, times=3)
    for _ in range(3):
        assert await look() == 1
    (record,) = caplog.records
    assert record.getMessage() == (
        "Error fetching zoho_voice message log data: Could not read the message log of"
        " Zoho Voice: HTTP 500."
        " If this persists, check the status of Zoho Voice"
    )
    caplog.clear()
    await look()
    assert [record.getMessage() for record in caplog.records] == [
        "Fetching zoho_voice message log data recovered"
    ]


async def test_rows_that_nobody_can_read_are_told_once(
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.add_fault(
        FaultKind.READ_GARBAGE,
        message='{"code": "200", "smsLogQuery": [{"id": 1}, {"id": 2}]}',
        times=None,
    )
    for _ in range(3):
        await look()
    assert caplog.text.count("None of 2 SMS") == 1


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.READ_DROP,
        FaultKind.READ_ERROR,
        FaultKind.READ_HTML,
        FaultKind.READ_TRUNCATED,
        FaultKind.READ_SERVER_ERROR,
    ],
)
async def test_what_comes_in_during_a_failure_is_told_after_it(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
    received: list[Any],
    kind: FaultKind,
) -> None:
    await look(seconds=6)
    sandbox.add_fault(kind, times=3)
    sandbox.receive(ALICE, "New")
    await look()
    assert received == []
    for _ in range(3):
        await look()
    assert received == [("Alice", "New")]


# What ended unclearly


@pytest.fixture
async def unclear(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    look: Look,
) -> None:
    """Let an SMS to Alice wait, and then end without an answer although it was sent."""
    await look(seconds=6)
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS)
    await send(hass)
    sandbox.add_fault(FaultKind.DROP_AFTER)
    await let_time_pass(hass, freezer, seconds=10)
    assert "messages_unclear" in issues(hass)


@pytest.mark.parametrize(
    "options", [KEEP, {**KEEP, "incoming_interval": 0}], ids=["polled", "not polled"]
)
async def test_what_ended_unclearly_is_found_in_the_log(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unclear: None,
    look: Look,
    reported: list[Any],
) -> None:
    ended = async_capture_events(hass, "zoho_voice_message_ended")
    await look()
    assert "messages_unclear" not in issues(hass)
    assert reported == [(ALICE, "queued")]
    assert [event.data["state"] for event in ended] == ["sent"]
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await look()
    assert reported == [(ALICE, "queued"), (ALICE, "delivered")]
    assert len(sandbox.sent) == 1
    assert [*(await outbox(hass)).values()] == [[], []]


@pytest.mark.parametrize("options", [KEEP])
async def test_what_the_log_has_not_stays_unclear(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unclear: None,
    look: Look,
    reported: list[Any],
) -> None:
    sandbox.message_log.clear()
    await send(hass, message="Other")
    await send(hass, recipients="Night shift")
    for _ in range(3):
        await look()
    assert "messages_unclear" in issues(hass)


@pytest.mark.parametrize("options", [KEEP])
@pytest.mark.parametrize("restart", [False, True])
async def test_the_same_text_that_was_delivered_is_not_mistaken_for_it(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    look: Look,
    restart: bool,
) -> None:
    """It is nearly as old, and its end is told before the other is sent."""
    await look(seconds=6)
    await send(hass)
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await look()
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, times=2)
    await send(hass)
    await let_time_pass(hass, freezer, minutes=20)
    sandbox.add_fault(FaultKind.DROP_BEFORE)
    await let_time_pass(hass, freezer, minutes=10)
    assert len(sandbox.sent) == 1
    if restart:
        await start_again(hass, account)
    await look()
    await look()
    assert "messages_unclear" in issues(hass)


def test_states_are_the_words_of_the_entities() -> None:
    assert [*DeliveryState] == [
        "queued",
        "unknown",
        "sent",
        "undelivered",
        "failed",
        "delivered",
    ]
