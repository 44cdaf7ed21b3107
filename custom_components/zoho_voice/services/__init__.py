"""The actions, which do not depend on the state of any account."""

from homeassistant.core import HomeAssistant, callback

from .ask import async_setup_ask
from .messages import async_setup_messages
from .outbox import async_setup_outbox
from .send_sms import SEND_SMS_SCHEMA, async_setup_send_sms

__all__ = ["SEND_SMS_SCHEMA", "async_setup_services"]


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    async_setup_ask(hass)
    async_setup_messages(hass)
    async_setup_outbox(hass)
    async_setup_send_sms(hass)
