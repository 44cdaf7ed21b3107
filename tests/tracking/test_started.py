"""Waiting for the start of Home Assistant."""

import asyncio

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
import pytest

from custom_components.zoho_voice.tracking.started import async_wait_until_started


async def test_who_is_gone_by_then_is_not_in_the_way(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    hass.set_state(CoreState.starting)
    waiting = [asyncio.create_task(async_wait_until_started(hass)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await asyncio.wait(waiting)
    assert waiting[0].cancelled()
    assert waiting[1].exception() is None
    assert "Error" not in caplog.text
