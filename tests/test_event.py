"""The event entities: what they tell, of whom, and when they can't."""

from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er, restore_state
from homeassistant.helpers.dispatcher import DATA_DISPATCHER
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice import event as event_platform
from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.tracking.signals import (
    SIGNAL_DELIVERY,
    SIGNAL_INCOMING,
)
from sandbox import FaultKind, Sandbox

from .common import add_other_account, send
from .conftest import ALICE, TRANSLATIONS, Look

STRANGER = "+14805550199"


def entity_id(hass: HomeAssistant, unique_id: str) -> str:
    """Return which event entity has an id."""
    found = er.async_get(hass).async_get_entity_id("event", DOMAIN, unique_id)
    assert found
    return found


def event(hass: HomeAssistant, unique_id: str) -> State:
    """Return the state of an event entity."""
    state = hass.states.get(entity_id(hass, unique_id))
    assert state
    return state


def said(state: State) -> dict[str, Any]:
    """Return what an event says of itself; all of it has a name."""
    named = [
        {*texts["state_attributes"]}
        for texts in TRANSLATIONS["entity"]["event"].values()
    ]
    attributes = {**state.attributes}
    for key in ("event_types", "friendly_name"):
        del attributes[key]
    assert any(attributes.keys() <= names for names in named)
    return attributes


@pytest.fixture
def delivery(account: MockConfigEntry) -> str:
    """Return the unique id of the event of the account's deliveries."""
    return f"{account.entry_id}_delivery"


@pytest.fixture
def incoming(account: MockConfigEntry) -> str:
    """Return the unique id of the event of the account's incoming SMS."""
    return f"{account.entry_id}_incoming"


@pytest.fixture
def reply(account: MockConfigEntry) -> str:
    """Return the unique id of the event of Alice's replies."""
    return f"{next(iter(account.subentries))}_reply"


async def test_a_delivery_is_told(
    hass: HomeAssistant,
    account: MockConfigEntry,
    delivery: str,
    sandbox: Sandbox,
    look: Look,
) -> None:
    await look(seconds=6)
    assert event(hass, delivery).state == STATE_UNKNOWN
    await send(hass)
    await account.runtime_data.async_wait()
    # That it is queued is no delivery.
    assert event(hass, delivery).state == STATE_UNKNOWN
    await sandbox.report(sandbox.sent[0], "UNDELIVERED", "The phone is off")
    await look()
    assert said(event(hass, delivery)) == {
        "event_type": "undelivered",
        "recipient": "Alice",
        "log_id": sandbox.sent[0].log_id,
        "status": "UNDELIVERED",
        "description": "The phone is off",
        "seconds": 61,
    }


async def test_a_delivery_to_a_stranger_is_told_without_the_number(
    hass: HomeAssistant, delivery: str, sandbox: Sandbox, look: Look
) -> None:
    await look(seconds=6)
    await send(hass, recipients=STRANGER)
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await look()
    found = said(event(hass, delivery))
    assert found["event_type"] == "delivered"
    assert found["recipient"].endswith("0199")
    assert STRANGER not in str(found)


async def test_an_incoming_sms_is_told(
    hass: HomeAssistant, incoming: str, reply: str, sandbox: Sandbox, look: Look
) -> None:
    await look(seconds=6)
    sms = sandbox.receive(ALICE, "On my way")
    await look()
    expected = {
        "event_type": "received",
        "number": ALICE,
        "name": "Alice",
        "known": True,
        "received_at": "2026-11-22T12:00:06+00:00",
        "segments": 1,
        "log_id": sms.log_id,
        "text": "On my way",
    }
    assert said(event(hass, incoming)) == expected
    assert said(event(hass, reply)) == expected

    sandbox.receive(STRANGER, "Hello")
    await look()
    found = said(event(hass, incoming))
    assert (found["known"], found["name"], found["text"]) == (False, None, "Hello")
    assert said(event(hass, reply)) == expected


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("+1480555010*", "Alice"),
        ("1 480 XXX-0100", "Alice"),
        ("+148055501**", None),  # the night shift's, too
        ("+4420794600**", None),
    ],
)
async def test_an_incoming_sms_of_a_masked_number_is_of_whom_alone_it_can_be(
    hass: HomeAssistant,
    incoming: str,
    reply: str,
    sandbox: Sandbox,
    look: Look,
    written: str,
    name: str | None,
) -> None:
    await look(seconds=6)
    sandbox.receive(written, "On my way")
    await look()
    found = said(event(hass, incoming))
    assert (found["number"], found["name"]) == (written, name)
    assert found["known"] is (name is not None)
    assert (event(hass, reply).state == STATE_UNKNOWN) is (name is None)


async def test_an_event_is_of_its_own_account(
    hass: HomeAssistant,
    account: MockConfigEntry,
    incoming: str,
    delivery: str,
    sandbox: Sandbox,
    look: Look,
) -> None:
    other = add_other_account(hass, sandbox, account)
    assert await hass.config_entries.async_setup(other.entry_id)
    await look(seconds=6)
    sandbox.receive(STRANGER, "Hello")
    (sms,) = await send(hass, recipients=STRANGER, config_entry_id=other.entry_id)
    await sandbox.report(sms["log_id"], "DELIVERED")
    await look()
    assert event(hass, incoming).state == STATE_UNKNOWN
    assert event(hass, delivery).state == STATE_UNKNOWN
    assert said(event(hass, f"{other.entry_id}_incoming"))["text"] == "Hello"
    told = said(event(hass, f"{other.entry_id}_delivery"))
    assert told["log_id"] == sms["log_id"]


@pytest.mark.parametrize("options", [{"show_text": False}])
async def test_the_text_can_be_left_out(
    hass: HomeAssistant, incoming: str, reply: str, sandbox: Sandbox, look: Look
) -> None:
    await look(seconds=6)
    sandbox.receive(ALICE, "On my way")
    await look()
    for unique_id in (incoming, reply):
        state = event(hass, unique_id)
        assert state.attributes["name"] == "Alice"
        assert "On my way" not in str(state.as_dict())


async def test_what_is_private_stays_out_of_the_database(
    hass: HomeAssistant, incoming: str, reply: str
) -> None:
    for unique_id in (incoming, reply):
        info = event(hass, unique_id).state_info
        assert info
        assert {"text", "number"} <= info["unrecorded_attributes"]


async def test_events_are_there_as_long_as_zoho_tells(
    hass: HomeAssistant,
    account: MockConfigEntry,
    delivery: str,
    incoming: str,
    reply: str,
    sandbox: Sandbox,
    look: Look,
) -> None:
    await look(seconds=6)
    sandbox.add_fault(FaultKind.READ_SERVER_ERROR, times=4)
    await look()
    for unique_id in (delivery, incoming, reply):
        assert event(hass, unique_id).state == STATE_UNAVAILABLE
    await hass.config.async_update(external_url="https://example.com")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert event(hass, delivery).state == STATE_UNKNOWN
    assert event(hass, incoming).state == STATE_UNAVAILABLE
    account.runtime_data.tracking.refuse_url(account.runtime_data.tracking.callback_url)
    assert event(hass, delivery).state == STATE_UNAVAILABLE
    await hass.config.async_update(external_url=None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert event(hass, delivery).state == STATE_UNAVAILABLE
    for _ in range(4):
        await look()
    for unique_id in (delivery, incoming, reply):
        assert event(hass, unique_id).state == STATE_UNKNOWN


async def test_the_last_event_is_there_after_a_restart(
    hass: HomeAssistant,
    account: MockConfigEntry,
    incoming: str,
    sandbox: Sandbox,
    look: Look,
) -> None:
    await look(seconds=6)
    sandbox.receive(ALICE, "On my way")
    await look()
    before = event(hass, incoming)
    assert said(before)["text"] == "On my way"
    restored = restore_state.async_get(hass)
    await restored.async_dump_states()
    assert await hass.config_entries.async_unload(account.entry_id)
    assert event(hass, incoming).state == STATE_UNAVAILABLE
    await restored.async_load()
    assert await hass.config_entries.async_setup(account.entry_id)
    after = event(hass, incoming)
    assert after.state == before.state
    assert said(after) == said(before)


async def test_entities_follow_no_more_once_the_account_is_unloaded(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    followed = account.runtime_data
    tracking = followed.tracking

    def followers() -> dict[str, int]:
        signals = hass.data[DATA_DISPATCHER]
        return {
            "account": len(followed.listeners),
            "tracking": len(tracking.listeners),
            "sent": len(followed.on_sent),
            "last delivery": len(tracking.on_delivery),
            "replies": len(tracking.on_reply),
            "deliveries": len(signals.get(SIGNAL_DELIVERY, ())),
            "incoming": len(signals.get(SIGNAL_INCOMING, ())),
        }

    loaded = followers()
    assert await hass.config_entries.async_unload(account.entry_id)
    await hass.async_block_till_done()
    recipients = len(account.subentries)
    sensors = 4
    assert {what: number - followers()[what] for what, number in loaded.items()} == {
        "account": sensors + len(["coordinator"]),
        "tracking": sensors + len(["coordinator", "webhook"]),
        "sent": recipients,
        "last delivery": recipients,
        "replies": recipients,
        "deliveries": 1,
        "incoming": 1,
    }
    assert await hass.config_entries.async_setup(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert followers() == loaded


async def test_entities_belong_to_their_devices(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, account.entry_id)
    found = {
        (entity.domain, entity.translation_key, entity.config_subentry_id): (
            entity.entity_category,
            entity.disabled_by,
        )
        for entity in entities
    }
    alice, shift = account.subentries
    diagnostic = (er.EntityCategory.DIAGNOSTIC, None)
    for subentry_id in (alice, shift):
        assert found.pop(("sensor", "last_delivery", subentry_id)) == diagnostic
        assert found.pop(("event", "reply", subentry_id)) == (None, None)
        assert found.pop(("notify", "recipient", subentry_id)) == (None, None)
    assert found == {
        ("event", "delivery", None): diagnostic,
        ("event", "incoming", None): (None, None),
        ("sensor", "messages_waiting", None): diagnostic,
        ("sensor", "messages_sent", None): (None, None),
        ("sensor", "segments_sent", None): (None, None),
        ("sensor", "undelivered", None): diagnostic,
        ("sensor", "last_delivery_time", None): (
            er.EntityCategory.DIAGNOSTIC,
            er.RegistryEntryDisabler.INTEGRATION,
        ),
    }
    assert {entity.has_entity_name for entity in entities} == {True}
    assert event_platform.PARALLEL_UPDATES == 0
