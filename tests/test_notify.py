"""The recipients' entities and the classic action."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox

from .conftest import ALICE


async def test_send_message(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.alice", "message": "Hello", "title": "Title"},
        blocking=True,
    )
    assert [(sms.number, sms.message) for sms in sandbox.sent] == [
        (ALICE, "Title\nHello")
    ]
