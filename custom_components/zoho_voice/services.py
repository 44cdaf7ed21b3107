"""The action `zoho_voice.send_sms`."""

from typing import Any

from homeassistant.components.notify.const import ATTR_MESSAGE, ATTR_TITLE
from homeassistant.const import ATTR_NAME
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from .const import CONF_SENDER_ID, DOMAIN
from .delivery import DELIVERY_SCHEMA, async_deliver
from .sending import SentSms

SERVICE_SEND_SMS = "send_sms"
_TARGET_FIELDS = frozenset(map(str, cv.ENTITY_SERVICE_FIELDS))

SEND_SMS_SCHEMA = vol.Schema(
    {
        **cv.ENTITY_SERVICE_FIELDS,
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_TITLE): cv.string,
        **DELIVERY_SCHEMA,
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SEND_SMS,
        _async_send_sms,
        SEND_SMS_SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_send_sms(call: ServiceCall) -> ServiceResponse:
    """Send an SMS and return what became of it, one row a number."""
    fields = dict(call.data)
    target = {key: fields.pop(key) for key in _TARGET_FIELDS & fields.keys()}
    sent = await async_deliver(
        call.hass,
        fields.pop(ATTR_MESSAGE),
        fields.pop(ATTR_TITLE, None),
        fields,
        entity_ids=_target_entity_ids(call.hass, target) if target else (),
    )
    return {"messages": [_row(item) for item in sent]} if call.return_response else None


@callback
def _target_entity_ids(hass: HomeAssistant, target: dict[str, Any]) -> list[str]:
    """Return the entities of a call's target.

    What is named has to be a recipient; areas, devices and labels may hold others.
    """
    registry = er.async_get(hass)
    selected = async_extract_referenced_entity_ids(hass, TargetSelection(target))
    return sorted(selected.referenced) + sorted(
        entity_id
        for entity_id in selected.indirectly_referenced
        if (entity := registry.async_get(entity_id)) is not None
        and entity.platform == DOMAIN
        and not entity.disabled
    )


def _row(sent: SentSms) -> JsonObjectType:
    """Return one row of the action's response."""
    receipt = sent.receipt
    row: JsonObjectType = {
        "recipient": receipt.number,
        "log_id": receipt.log_id,
        "status": receipt.status,
        "segments": receipt.segments,
        CONF_SENDER_ID: receipt.sender_id,
        "submitted_at": (
            receipt.submitted_at.isoformat() if receipt.submitted_at else None
        ),
        "country": receipt.country,
    }
    if sent.name is not None:
        row[ATTR_NAME] = sent.name
    return row
