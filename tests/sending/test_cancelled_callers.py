"""Callers that go while their SMS is on its way: scripts, reloads, the end."""

import asyncio
from collections.abc import Callable
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.zoho import client
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE

ACTIONS = {
    "entity": {
        "action": "notify.send_message",
        "target": {"entity_id": "notify.alice"},
        "data": {"message": "Hello"},
    },
    "action": {
        "action": "zoho_voice.send_sms",
        "data": {"recipients": "Alice", "message": "Hello"},
    },
    "classic action": {
        "action": "notify.zoho_voice_alice",
        "data": {"message": "Hello"},
    },
}


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something is so."""
    while not condition():
        await asyncio.sleep(0.001)


async def start_script(
    hass: HomeAssistant, sandbox: Sandbox, action: dict[str, Any]
) -> None:
    """Run a script until its request has reached Zoho, which does not answer yet."""
    script = {"hello": {"mode": "restart", "sequence": [action]}}
    assert await async_setup_component(hass, "script", {"script": script})
    await hass.services.async_call("script", "turn_on", {"entity_id": "script.hello"})
    await until(lambda: sandbox.requests)


async def until_recorded(hass: HomeAssistant) -> None:
    await until(lambda: hass.states.get("notify.alice").state != "unknown")


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
async def test_sms_of_a_stopped_script_ends_and_is_recorded(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    action: dict[str, Any],
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    await start_script(hass, sandbox, action)
    await hass.services.async_call(
        "script", "turn_off", {"entity_id": "script.hello"}, blocking=True
    )
    assert hass.states.get("script.hello").state == "off"
    assert hass.states.get("notify.alice").state == "unknown"
    await until_recorded(hass)
    assert [sms.number for sms in sandbox.sent] == [ALICE]


async def test_script_that_restarts_sends_again_and_cuts_nothing(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    await start_script(hass, sandbox, ACTIONS["action"])
    await hass.services.async_call("script", "hello", blocking=True)
    await account.runtime_data.async_wait()
    assert [sms.number for sms in sandbox.sent] == [ALICE, ALICE]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
async def test_error_that_nobody_waits_for_is_logged_without_private_data(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    action: dict[str, Any],
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=10)
    with patch.object(client, "REQUEST_TIMEOUT", 0.2):
        await start_script(hass, sandbox, action)
        await hass.services.async_call(
            "script", "turn_off", {"entity_id": "script.hello"}, blocking=True
        )
        await account.runtime_data.async_wait()
    (said,) = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components") and record.levelno > logging.INFO
    ]
    assert "Alice (…0100) may have been sent" in said
    assert ALICE[-5:] not in caplog.text
    assert hass.states.get("notify.alice").state == "unknown"


async def test_call_that_times_out_does_not_cut_its_request(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await hass.services.async_call(
                "notify",
                "send_message",
                {"entity_id": ["notify.alice", "notify.night_shift"], "message": "!"},
                blocking=True,
            )
    assert len(sandbox.sent) == 3
    await until_recorded(hass)
    await until(lambda: hass.states.get("notify.night_shift").state != "unknown")
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
async def test_reload_waits_for_the_request_and_its_end_is_recorded(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    action: dict[str, Any],
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    await start_script(hass, sandbox, action)
    assert await hass.config_entries.async_reload(account.entry_id)
    assert not account.runtime_data._under_way
    await hass.async_block_till_done()
    assert hass.states.get("notify.alice").state not in ("unknown", "unavailable")
    assert [sms.number for sms in sandbox.sent] == [ALICE]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
async def test_request_that_outlasts_a_reload_is_recorded_all_the_same(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    action: dict[str, Any],
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.5)
    await start_script(hass, sandbox, action)
    with patch("custom_components.zoho_voice.account.REQUEST_TIMEOUT", 0):
        assert await hass.config_entries.async_reload(account.entry_id)
    assert hass.states.get("notify.alice").state == "unknown"
    await until_recorded(hass)
    assert [sms.number for sms in sandbox.sent] == [ALICE]


async def test_home_assistant_stops_when_the_request_has_ended(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    await start_script(hass, sandbox, ACTIONS["action"])
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert not account.runtime_data._under_way
    assert hass.states.get("notify.alice").state != "unknown"
