"""Send what an action asks for; the one way that all of them share."""

from collections.abc import Iterable
from typing import Any

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .const import ATTR_RECIPIENTS, CONF_SENDER_ID
from .message import OPTIONS_SCHEMA, async_compose
from .phone_number import parse_sender_id
from .recipients import async_find_recipients
from .sending import SentSms, async_send


def _targets(value: Any) -> list[str | int]:
    """Validate names and numbers; YAML and templates make integers of numbers."""
    targets = cv.ensure_list(value)
    for index, target in enumerate(targets):
        if isinstance(target, bool) or not isinstance(target, (str, int)):
            raise vol.Invalid(
                "expected a phone number or the name of a recipient", path=[index]
            )
    return targets


#: The fields of `zoho_voice.send_sms` and of `data` of `notify.zoho_voice`.
DELIVERY_SCHEMA: dict[vol.Marker, Any] = {
    vol.Optional(ATTR_RECIPIENTS, default=[]): _targets,
    vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
    **OPTIONS_SCHEMA,
}


async def async_deliver(
    hass: HomeAssistant,
    message: str,
    title: str | None,
    fields: dict[str, Any],
    *,
    entity_ids: Iterable[str] = (),
) -> list[SentSms]:
    """Check everything, then send; `fields` are of `DELIVERY_SCHEMA`, and used up.

    Raises ServiceValidationError, before anything is sent, or SendError.
    """
    recipients = await async_find_recipients(
        hass,
        fields.pop(ATTR_RECIPIENTS),
        entity_ids=entity_ids,
        config_entry_id=fields.pop(ATTR_CONFIG_ENTRY_ID, None),
    )
    if sender_id := fields.pop(CONF_SENDER_ID, None):
        sender_id = parse_sender_id(sender_id, hass.config.country)
    sms = await async_compose(hass, message, title, **fields)
    return await async_send(sms, recipients, sender_id)
