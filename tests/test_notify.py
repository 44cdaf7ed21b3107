"""The recipients' entities and the classic actions, as automations use them."""

import asyncio
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox

from .conftest import ALICE, BOB, CAROL, SENDER_ID, recipient


async def notify(hass: HomeAssistant, action: str, **data: Any) -> None:
    await hass.services.async_call(
        "notify", action, {"message": "Hello", **data}, blocking=True
    )


def numbers(sandbox: Sandbox) -> list[str]:
    return [sms.number for sms in sandbox.sent]


async def test_entity_sends_to_all_numbers_of_its_recipient_with_one_request(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await notify(hass, "send_message", entity_id="notify.night_shift", title="Cellar")
    assert numbers(sandbox) == [BOB, CAROL]
    assert {sms.message for sms in sandbox.sent} == {"Cellar\nHello"}
    assert {sms.sender_id for sms in sandbox.sent} == {SENDER_ID}
    assert len(sandbox.requests) == 1


@pytest.mark.clock
async def test_entity_remembers_when_it_sent_last(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    assert hass.states.get("notify.alice").state == "unknown"
    await notify(hass, "send_message", entity_id="notify.alice")
    assert hass.states.get("notify.alice").state == dt_util.utcnow().isoformat()
    freezer.tick()
    await notify(hass, "zoho_voice", target="Alice")
    assert hass.states.get("notify.alice").state == dt_util.utcnow().isoformat()
    assert hass.states.get("notify.night_shift").state == "unknown"


async def test_each_recipient_is_a_device_via_the_account(
    hass: HomeAssistant,
    account: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    devices = dr.async_entries_for_config_entry(device_registry, account.entry_id)
    by_name = {device.name: device for device in devices}
    assert set(by_name) == {"sandbox@example.com", "Alice", "Night shift"}
    alice = by_name["Alice"]
    assert alice.via_device_id == by_name["sandbox@example.com"].id
    assert entity_registry.async_get("notify.alice").device_id == alice.id
    subentry_ids = {entry.title: key for key, entry in account.subentries.items()}
    assert (
        entity_registry.async_get("notify.alice").config_subentry_id
        == (subentry_ids["Alice"])
    )


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (ALICE, [ALICE]),
        ("480 555 0100", [ALICE]),
        ([ALICE, "+1 480 555 0111"], [ALICE, BOB]),
        (f"{ALICE}, {BOB}", [ALICE, BOB]),
        ("Alice", [ALICE]),
        ("night SHIFT", [BOB, CAROL]),
        ("notify.night_shift", [BOB, CAROL]),
        (["Alice", "notify.alice", ALICE], [ALICE]),
        ("Alice, notify.night_shift", [ALICE, BOB, CAROL]),
    ],
)
async def test_classic_action_takes_numbers_names_and_entity_ids(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    target: str | list[str],
    expected: list[str],
) -> None:
    await notify(hass, "zoho_voice", target=target)
    assert numbers(sandbox) == expected
    assert len(sandbox.requests) == 1


async def test_classic_action_takes_the_options_of_the_action_as_data(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await notify(
        hass,
        "zoho_voice",
        title="Cellar",
        data={
            "recipients": ["Alice"],
            "sender_id": "ZohoVoice",
            "scheduled_time": "2030-01-01 10:00:00",
            "time_zone": "Asia/Kolkata",
            "data_coding": "binary",
            "status_callback": "https://example.com/callback?key=1",
            "config_entry_id": account.entry_id,
        },
    )
    (sms,) = sandbox.sent
    assert (sms.number, sms.message) == (ALICE, "Cellar\nHello")
    assert (sms.sender_id, sms.data_coding) == ("ZohoVoice", 1)
    assert (sms.scheduled_time, sms.time_zone) == (
        "2030-01-01 10:00:00",
        "Asia/Kolkata",
    )
    assert sms.status_callback == "https://example.com/callback?key=1"


@pytest.mark.parametrize(
    ("data", "key", "said"),
    [
        ({}, "no_recipients", "No recipient was specified"),
        ({"target": "Bob"}, "unknown_recipient", "no recipient called Bob"),
        ({"target": "+1480"}, "invalid_phone_number", "+1480 is not a valid"),
        (
            {"target": [ALICE, "+148055501234567"]},
            "invalid_phone_number",
            "…4567 is not a valid phone number",
        ),
        ({"target": "notify.nobody"}, "not_a_recipient", "notify.nobody is not"),
        ({"target": "notify.14805550111"}, "not_a_recipient", "notify.…0111 is not"),
        (
            {"target": ALICE, "data": {"+14805550111": 1}},
            "invalid_data",
            "['…0111']",
        ),
        (
            {
                "target": ALICE,
                "data": {
                    "scheduled_time": "2030-01-01 10:00",
                    "time_zone": "+14805550111",
                },
            },
            "unknown_time_zone",
            "The time zone …0111 is unknown",
        ),
        (
            {"target": ALICE, "data": {"colour": "red"}},
            "invalid_data",
            "colour",
        ),
        (
            {"target": ALICE, "data": {"recipients": [True]}},
            "invalid_data",
            "expected a phone number or the name of a recipient",
        ),
        ({"target": ALICE, "message": " "}, "empty_message", "empty"),
        (
            {"target": ALICE, "message": "x" * 1001},
            "message_too_long",
            "1001 characters",
        ),
        (
            {"target": ALICE, "data": {"sender_id": "?!"}},
            "invalid_sender_id",
            "neither a phone number nor a name",
        ),
    ],
)
async def test_classic_action_refuses_wrong_input_before_anything_is_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    data: dict[str, Any],
    key: str,
    said: str,
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await notify(hass, "zoho_voice", **data)
    assert caught.value.translation_key == key
    assert said in str(caught.value)
    assert "Nothing was sent" in str(caught.value)
    assert sandbox.requests == []


async def test_classic_action_is_there_and_says_so_when_the_account_is_not_loaded(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await hass.config_entries.async_unload(account.entry_id)
    for action, data in (
        ("zoho_voice", {"target": ALICE}),
        ("zoho_voice", {"target": "Alice"}),
        ("zoho_voice_alice", {}),
    ):
        with pytest.raises(ServiceValidationError, match="not loaded"):
            await notify(hass, action, **data)
    await hass.config_entries.async_setup(account.entry_id)
    await notify(hass, "zoho_voice_alice")
    assert numbers(sandbox) == [ALICE]


async def test_classic_action_says_so_when_there_is_no_account(
    hass: HomeAssistant, credentials: None, sandbox: Sandbox
) -> None:
    assert await async_setup_component(hass, "zoho_voice", {})
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError, match="There is no Zoho Voice account"):
        await notify(hass, "zoho_voice", target=ALICE)


async def test_each_recipient_has_a_classic_action(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await notify(hass, "zoho_voice_night_shift", title="Cellar")
    assert numbers(sandbox) == [BOB, CAROL]


async def test_platform_in_yaml_sets_up_nothing(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    before = set(hass.services.async_services()["notify"])
    assert await async_setup_component(hass, "persistent_notification", {})
    await async_setup_component(
        hass, "notify", {"notify": [{"platform": "zoho_voice", "name": "extra"}]}
    )
    await hass.async_block_till_done()
    assert set(hass.services.async_services()["notify"]) == before


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        ({"notifiers": ["zoho_voice_alice"]}, [ALICE]),
        (
            {
                "notifiers": ["zoho_voice"],
                "data": {"recipients": ["Night shift", ALICE]},
            },
            [BOB, CAROL, ALICE],
        ),
    ],
)
async def test_alert_really_sends(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    alert: dict[str, Any],
    expected: list[str],
) -> None:
    hass.states.async_set("binary_sensor.cellar", "off")
    assert await async_setup_component(
        hass,
        "alert",
        {
            "alert": {
                "water": {
                    "name": "Water in the cellar",
                    "title": "Leak sensor",
                    "entity_id": "binary_sensor.cellar",
                    "repeat": 30,
                    "can_acknowledge": True,
                    **alert,
                }
            }
        },
    )
    hass.states.async_set("binary_sensor.cellar", "on")
    await hass.async_block_till_done()
    assert numbers(sandbox) == expected
    assert sandbox.sent[0].message == "Leak sensor\nWater in the cellar"
    hass.states.async_set("binary_sensor.cellar", "off")
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    "recipients",
    [[recipient("Alice", ALICE), recipient("alice!", BOB), recipient("Ålice", CAROL)]],
)
async def test_recipients_whose_names_make_the_same_action_all_have_one(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    actions = [
        action
        for action in hass.services.async_services()["notify"]
        if action.startswith("zoho_voice_")
    ]
    assert len(actions) == 3
    assert "zoho_voice_alice" not in actions
    for action in actions:
        await notify(hass, action)
    assert sorted(numbers(sandbox)) == [ALICE, BOB, CAROL]


async def test_entities_of_one_call_share_requests(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await notify(hass, "send_message", entity_id=["notify.alice", "notify.night_shift"])
    assert sorted(numbers(sandbox)) == [ALICE, BOB, CAROL]
    assert len(sandbox.requests) == 1


async def test_calls_of_the_same_text_at_the_same_moment_do_not_mix(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await asyncio.gather(
        *(notify(hass, "send_message", entity_id="notify.alice") for _ in range(3))
    )
    assert numbers(sandbox) == [ALICE, ALICE, ALICE]


@pytest.mark.parametrize(
    "recipients", [[recipient("Alice", ALICE), recipient("Bob", BOB, sender_id="Own")]]
)
async def test_one_error_names_all_entities_of_a_call(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    entity_ids = ["notify.alice", "notify.bob"]
    with pytest.raises(HomeAssistantError) as caught:
        await notify(hass, "send_message", entity_id=entity_ids)
    assert caught.value.translation_key == "partly_sent"
    assert "Sent to Alice (…0100)" in str(caught.value)
    assert "refused the SMS to Bob (…0111)" in str(caught.value)
    assert hass.states.get("notify.alice").state != "unknown"
    assert hass.states.get("notify.bob").state == "unknown"
