"""The action `zoho_voice.send_sms`."""

import asyncio
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from sandbox import FaultKind, Sandbox

from ..conftest import ALICE, BOB, CAROL, SENDER_ID


async def send_sms(hass: HomeAssistant, **data: Any) -> list[dict[str, Any]]:
    response = await hass.services.async_call(
        "zoho_voice",
        "send_sms",
        {"message": "Hello", **data},
        blocking=True,
        return_response=True,
    )
    return response["messages"]


def numbers(sandbox: Sandbox) -> list[str]:
    return [sms.number for sms in sandbox.sent]


@pytest.mark.clock
async def test_response_says_what_became_of_each_number(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    rows = await send_sms(hass, recipients=[CAROL, "+44 20 7946 0018"], message="Hi €")
    assert [row.pop("log_id") for row in rows] == [sms.log_id for sms in sandbox.sent]
    for row in rows:
        assert row.pop("submitted_at") == dt_util.utcnow().isoformat()
    common = {
        "status": "IN_QUEUE",
        "segments": 1,
        "estimated_segments": 1,
        "sender_id": SENDER_ID,
    }
    assert rows == [
        {"recipient": CAROL, "name": "Night shift", "country": "us", **common},
        {"recipient": "+442079460018", "country": "gb", **common},
    ]


@pytest.mark.parametrize("several_as", ["list", "object"])
async def test_twelve_numbers_take_two_requests(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, several_as: str
) -> None:
    sandbox.several_as = several_as
    wanted = [f"+1480555{n}" for n in range(1000, 1012)]
    rows = await send_sms(hass, recipients=wanted)
    assert [row["recipient"] for row in rows] == wanted
    assert all(row["log_id"] and row["status"] == "IN_QUEUE" for row in rows)
    assert sorted(numbers(sandbox)) == wanted
    assert sorted(
        len(request.body["customerNumber"].split(",")) for request in sandbox.requests
    ) == [2, 10]


async def test_without_a_response_nothing_is_returned(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert (
        await hass.services.async_call(
            "zoho_voice",
            "send_sms",
            {"message": "Hello", "recipients": ALICE},
            blocking=True,
        )
        is None
    )
    assert numbers(sandbox) == [ALICE]


@pytest.mark.parametrize(
    "value",
    [
        ALICE,
        14805550100,
        [14805550100],
        "480 555 0100",
        "Alice",
        "notify.alice",
        f"{ALICE},{ALICE}",
    ],
)
async def test_recipients_are_numbers_in_any_spelling_or_names(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    value: Any,
) -> None:
    await send_sms(hass, recipients=value)
    assert numbers(sandbox) == [ALICE]


async def test_a_template_that_makes_an_integer_of_a_number(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await async_setup_component(
        hass,
        "script",
        {
            "script": {
                "warn": {
                    "sequence": [
                        {
                            "action": "zoho_voice.send_sms",
                            "data": {
                                "recipients": "{{ '+14805550100' }}",
                                "message": "Hello",
                            },
                        }
                    ]
                }
            }
        },
    )
    await hass.services.async_call("script", "warn", blocking=True)
    assert numbers(sandbox) == [ALICE]


async def test_targets_are_entities_devices_areas_and_labels(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    area_registry: ar.AreaRegistry,
    label_registry: lr.LabelRegistry,
) -> None:
    alice = entity_registry.async_get("notify.alice")
    night_shift = entity_registry.async_get("notify.night_shift")
    cellar = area_registry.async_create("Cellar").id
    guards = label_registry.async_create("Guards").label_id
    other = entity_registry.async_get_or_create("light", "demo", "cellar")
    entity_registry.async_update_entity(other.entity_id, area_id=cellar)
    device_registry.async_update_device(alice.device_id, area_id=cellar)
    entity_registry.async_update_entity(night_shift.entity_id, labels={guards})
    for target, expected in (
        ({"entity_id": ["notify.alice", "notify.night_shift"]}, [ALICE, BOB, CAROL]),
        ({"device_id": night_shift.device_id}, [BOB, CAROL]),
        ({"area_id": cellar}, [ALICE]),
        ({"label_id": guards, "recipients": ALICE}, [BOB, CAROL, ALICE]),
        ({"entity_id": "notify.alice", "recipients": [BOB, ALICE]}, [ALICE, BOB]),
    ):
        sandbox.reset()
        await send_sms(hass, **target)
        assert numbers(sandbox) == expected
        assert len(sandbox.requests) == 1


async def test_a_disabled_recipient_is_passed_over_in_an_area_and_refused_by_name(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    area_registry: ar.AreaRegistry,
    label_registry: lr.LabelRegistry,
) -> None:
    cellar = area_registry.async_create("Cellar").id
    for entity_id in ("notify.alice", "notify.night_shift"):
        entity = entity_registry.async_get(entity_id)
        device_registry.async_update_device(entity.device_id, area_id=cellar)
    label = label_registry.async_create("Family").label_id
    for entity_id in ("notify.alice", "notify.night_shift"):
        entity_registry.async_update_entity(entity_id, labels={label})
    # Home Assistant itself leaves it out only where its device brings it along.
    entity_registry.async_update_entity(
        "notify.alice", disabled_by=er.RegistryEntryDisabler.USER
    )
    for target in ({"area_id": cellar}, {"label_id": label}):
        await send_sms(hass, **target)
        assert numbers(sandbox) == [BOB, CAROL]
        sandbox.sent.clear()
    await send_sms(hass, area_id=cellar)
    with pytest.raises(ServiceValidationError, match="disabled"):
        await send_sms(hass, entity_id="notify.alice")
    assert numbers(sandbox) == [BOB, CAROL]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, "no_recipients"),
        ({"area_id": "nowhere"}, "no_recipients"),
        ({"entity_id": "light.kitchen"}, "not_a_recipient"),
        ({"entity_id": "all"}, "no_recipients"),
        ({"recipients": [ALICE, "12"]}, "invalid_phone_number"),
        ({"recipients": 555}, "invalid_phone_number"),
        ({"recipients": [ALICE, "Bob"]}, "unknown_recipient"),
        ({"recipients": ALICE, "message": ""}, "empty_message"),
        (
            {"recipients": ALICE, "title": "T", "message": "x" * 999},
            "message_too_long",
        ),
        ({"recipients": ALICE, "time_zone": "UTC"}, "time_zone_without_time"),
        (
            {"recipients": ALICE, "scheduled_time": "2020-01-01 10:00"},
            "time_in_past",
        ),
        *(
            ({"recipients": ALICE, "scheduled_time": time}, "time_out_of_range")
            for time in ("0001-01-01 00:00+23:59", "9999-12-31 23:59-23:59")
        ),
        (
            {
                "recipients": ALICE,
                "scheduled_time": "2030-01-01 10:00",
                "time_zone": "Mars/Olympus",
            },
            "unknown_time_zone",
        ),
        ({"recipients": ALICE, "sender_id": "+1"}, "invalid_sender_id"),
        (
            {"recipients": ALICE, "config_entry_id": "nothing"},
            "service_config_entry_not_found",
        ),
    ],
)
async def test_wrong_input_is_refused_before_anything_is_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    data: dict[str, Any],
    key: str,
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await send_sms(hass, **data)
    assert caught.value.translation_key == key
    assert sandbox.requests == []


@pytest.mark.parametrize(
    "data",
    [
        {"recipients": [True]},
        {"recipients": [1.5]},
        {"recipients": ALICE, "data_coding": "klingon"},
        {"recipients": ALICE, "scheduled_time": "tomorrow"},
        {"recipients": ALICE, "status_callback": "ftp://example.com"},
        {"recipients": ALICE, "status_callback": "https://example.com/\ud83d"},
        {"recipients": ALICE, "keep_trying_for": {"days": 1e300}},
        {"recipients": ALICE, "keep_trying_for": "99999999999:00:00"},
        {"recipients": ALICE, "keep_trying_for": "inf"},
        {"recipients": ALICE, "colour": "red"},
    ],
)
async def test_values_of_another_type_are_refused_by_the_schema(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    data: dict[str, Any],
) -> None:
    with pytest.raises(vol.Invalid):
        await send_sms(hass, **data)
    assert sandbox.requests == []


async def test_every_parameter_arrives_as_documented(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    hass.config.time_zone = "Europe/Berlin"
    await send_sms(
        hass,
        recipients=ALICE,
        title="Größe",
        scheduled_time="2030-07-01T10:00:00+00:00",
        sender_id="1 (888) 555-0100",
        status_callback="https://example.com/callback?zapikey=1003.5",
    )
    assert sandbox.requests[0].body == {
        "senderId": SENDER_ID,
        "customerNumber": ALICE,
        "message": "Größe\nHello",
        "statusCallback": "https://example.com/callback?zapikey=1003.5",
        "dataCoding": 2,
        "scheduledTime": "2030-07-01 12:00:00",
        "timeZone": "Europe/Berlin",
    }


async def test_waiting_for_delivery(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sending = hass.async_create_task(
        send_sms(hass, recipients=[ALICE, BOB], wait_for_delivery=60)
    )
    async with asyncio.timeout(10):
        coordinator = account.runtime_data.coordinator
        while coordinator.update_interval != timedelta(seconds=15):
            await asyncio.sleep(0.01)
    first, second = sandbox.sent
    await sandbox.report(first, "DELIVERED")
    await coordinator.async_refresh()
    assert not sending.done()
    await sandbox.report(second, "FAILED")
    await coordinator.async_refresh()
    assert [row["state"] for row in await sending] == ["delivered", "failed"]


async def test_waiting_in_vain_for_delivery(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    rows = await send_sms(hass, recipients=ALICE, wait_for_delivery=0.05)
    assert [row["state"] for row in rows] == ["queued"]
    assert "state" not in (await send_sms(hass, recipients=ALICE))[0]


async def test_waiting_for_delivery_outlasts_the_account(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = hass.async_create_task(
        send_sms(hass, recipients=ALICE, wait_for_delivery=0.3)
    )
    async with asyncio.timeout(10):
        while not sandbox.requests:
            await asyncio.sleep(0.01)
    reads = len(sandbox.reads)
    assert await hass.config_entries.async_unload(account.entry_id)
    (row,) = await sending
    assert (row["status"], row["state"]) == ("IN_QUEUE", "queued")
    assert len(sandbox.reads) == reads


async def test_what_is_kept_is_not_waited_for(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS)
    rows = await send_sms(
        hass, recipients=ALICE, keep_trying=True, wait_for_delivery=300
    )
    assert [(row["status"], row["state"]) for row in rows] == [("QUEUED", "queued")]
