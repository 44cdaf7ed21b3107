"""Nothing is told while Home Assistant starts: automations do not hear of it yet."""

from asyncio import Future

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started


async def async_wait_until_started(hass: HomeAssistant) -> None:
    """Return when all automations are set up."""
    started: Future[None] = hass.loop.create_future()

    @callback
    def set_started(_: HomeAssistant) -> None:
        if not started.done():
            started.set_result(None)

    stop = async_at_started(hass, set_started)
    try:
        await started
    finally:
        stop()
