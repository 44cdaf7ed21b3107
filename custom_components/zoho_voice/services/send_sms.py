"""The action `zoho_voice.send_sms`."""

from homeassistant.components.notify.const import ATTR_MESSAGE, ATTR_TITLE
from homeassistant.const import ATTR_NAME, ATTR_STATE
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..calls.prepare import DELIVERY_SCHEMA, async_prepare
from ..calls.target import take_entity_ids
from ..const import (
    ATTR_DRY_RUN,
    ATTR_MESSAGE_ID,
    ATTR_WAIT_FOR_DELIVERY,
    CONF_SENDER_ID,
    DOMAIN,
)
from ..sending.dispatch import SentSms
from ..zoho.message_log import DeliveryState

SERVICE_SEND_SMS = "send_sms"
#: How long a call may wait for delivery reports (seconds).
MAX_WAIT = 300

SEND_SMS_SCHEMA = vol.Schema(
    {
        **cv.ENTITY_SERVICE_FIELDS,
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_TITLE): cv.string,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
        vol.Optional(ATTR_WAIT_FOR_DELIVERY, default=0): vol.All(
            vol.Coerce(float), vol.Range(min=0, max=MAX_WAIT)
        ),
        **DELIVERY_SCHEMA,
    }
)


@callback
def async_setup_send_sms(hass: HomeAssistant) -> None:
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
    entity_ids = take_entity_ids(call.hass, fields)
    dry_run = fields.pop(ATTR_DRY_RUN)
    seconds = fields.pop(ATTR_WAIT_FOR_DELIVERY)
    sending = await async_prepare(
        call.hass,
        fields.pop(ATTR_MESSAGE),
        fields.pop(ATTR_TITLE, None),
        fields,
        entity_ids=entity_ids,
        context=call.context,
    )
    sent = sending.check() if dry_run else await sending.async_send()
    states = {}
    if seconds and not dry_run:
        states = await sending.async_wait_for_delivery(seconds)
    if not call.return_response:
        return None
    response: JsonObjectType = {
        "messages": [_row(item, states.get(item.receipt.number)) for item in sent]
    }
    if dry_run:
        response["requests"] = sending.requests
    return response


def _row(sent: SentSms, state: DeliveryState | None) -> JsonObjectType:
    """Return one row of the action's response."""
    receipt = sent.receipt
    row: JsonObjectType = {
        "recipient": receipt.number,
        "log_id": receipt.log_id,
        "status": receipt.status,
        "segments": receipt.segments,
        "estimated_segments": sent.estimated_segments,
        CONF_SENDER_ID: receipt.sender_id,
        "submitted_at": (
            receipt.submitted_at.isoformat() if receipt.submitted_at else None
        ),
        "country": receipt.country,
    }
    if sent.message_id is not None:
        row[ATTR_MESSAGE_ID] = sent.message_id
    if sent.sends_at is not None:
        row["sends_at"] = dt_util.utc_from_timestamp(sent.sends_at).isoformat()
    if sent.name is not None:
        row[ATTR_NAME] = sent.name
    if state is not None:
        row[ATTR_STATE] = state
    return row
