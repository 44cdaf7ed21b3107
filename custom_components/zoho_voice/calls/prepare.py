"""Check what an action asks for; the one way that all of them share."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..const import (
    ATTR_KEEP_TRYING,
    ATTR_KEEP_TRYING_FOR,
    ATTR_PRIORITY,
    ATTR_RECIPIENTS,
    CONF_SENDER_ID,
)
from ..sending.dispatch import Sending
from ..sending.outbox import MAX_AGE
from .message import OPTIONS_SCHEMA, async_compose
from .phone_number import parse_sender_id
from .recipients import async_find_recipients

#: For how long a call keeps trying that asks for it without a time, unless the account
#: has one (seconds).
DEFAULT_KEEP_TRYING = 3600.0

_NORMAL = "normal"
_URGENT = "urgent"


def validate_targets(value: Any) -> list[str | int]:
    """Validate names and numbers; YAML and templates make integers of numbers."""
    targets = cv.ensure_list(value)
    for index, target in enumerate(targets):
        if isinstance(target, bool) or not isinstance(target, (str, int)):
            raise vol.Invalid(
                "expected a phone number or the name of a recipient", path=[index]
            )
    return targets


def _validate_time_period(value: Any) -> timedelta:
    """Validate a time; of one without end, Home Assistant makes no error of a form."""
    try:
        period: timedelta = cv.positive_time_period(value)
    except OverflowError as err:
        raise vol.Invalid("expected a shorter time") from err
    return period


#: The fields of `zoho_voice.send_sms` and of `data` of `notify.zoho_voice`.
DELIVERY_SCHEMA: dict[vol.Marker, Any] = {
    vol.Optional(ATTR_RECIPIENTS, default=[]): validate_targets,
    vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
    vol.Optional(ATTR_KEEP_TRYING): cv.boolean,
    vol.Optional(ATTR_KEEP_TRYING_FOR): vol.All(
        _validate_time_period,
        vol.Range(min=timedelta(seconds=1), max=timedelta(seconds=MAX_AGE)),
    ),
    vol.Optional(ATTR_PRIORITY, default=_NORMAL): vol.In([_NORMAL, _URGENT]),
    **OPTIONS_SCHEMA,
}


async def async_prepare(
    hass: HomeAssistant,
    message: str,
    title: str | None,
    fields: dict[str, Any],
    *,
    entity_ids: Iterable[str] = (),
    context: Context | None = None,
) -> Sending:
    """Check everything; `fields` are of `DELIVERY_SCHEMA`, and used up.

    `context` is that of the call.

    Raises ServiceValidationError.
    """
    keep_trying, default_keep_trying = _keep_trying(fields)
    urgent = fields.pop(ATTR_PRIORITY) == _URGENT
    recipients = await async_find_recipients(
        hass,
        fields.pop(ATTR_RECIPIENTS),
        entity_ids=entity_ids,
        keep_trying=default_keep_trying or keep_trying,
        config_entry_id=fields.pop(ATTR_CONFIG_ENTRY_ID, None),
    )
    if sender_id := fields.pop(CONF_SENDER_ID, None):
        sender_id = parse_sender_id(sender_id, hass.config.country)
    sms = await async_compose(hass, message, title, **fields)
    return Sending(
        sms,
        recipients,
        sender_id,
        keep_trying,
        default_keep_trying=default_keep_trying,
        urgent=urgent,
        context=context,
    )


def _keep_trying(fields: dict[str, Any]) -> tuple[float | None, float]:
    """Return for how long to keep trying (seconds); None if the call does not say.

    The second is for how long if the account does not say either.
    """
    wanted: bool | None = fields.pop(ATTR_KEEP_TRYING, None)
    time: timedelta | None = fields.pop(ATTR_KEEP_TRYING_FOR, None)
    if wanted is False:
        return 0.0, 0.0
    if time is not None:
        return time.total_seconds(), 0.0
    return None, DEFAULT_KEEP_TRYING if wanted else 0.0
