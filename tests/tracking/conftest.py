"""Fixtures for what follows the SMS once they are sent."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from custom_components.zoho_voice.const import DOMAIN
from sandbox import Sandbox

from ..common import let_time_pass

type Look = Callable[..., Awaitable[int]]


@pytest.fixture(autouse=True)
def auto_storage(storage: Path) -> None:
    """Keep what has to be remembered in a folder of the test."""


@pytest.fixture
def look(hass: HomeAssistant, freezer: FrozenDateTimeFactory, sandbox: Sandbox) -> Look:
    """Return how to let time pass; it tells how often the log was asked for."""

    async def pass_time(**time: float) -> int:
        before = len(sandbox.reads)
        for entry in hass.config_entries.async_loaded_entries(DOMAIN):
            await entry.runtime_data.async_wait()
        await hass.async_block_till_done()
        await let_time_pass(hass, freezer, **(time or {"seconds": 61}))
        await hass.async_block_till_done(wait_background_tasks=True)
        return len(sandbox.reads) - before

    return pass_time
