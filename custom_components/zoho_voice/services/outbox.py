"""The actions that show and remove what waits to be sent."""

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_NAME, ATTR_STATE
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

from ..account import Account
from ..accounts import async_find_account
from ..calls.prepare import validate_targets
from ..calls.recipients import accounts_of, async_find_recipients
from ..const import ATTR_MESSAGE_ID, ATTR_RECIPIENTS, CONF_SENDER_ID, DOMAIN
from ..errors import send_error, validation_error
from ..sending.journal import NotWrittenError
from ..sending.outbox import Message

SERVICE_CLEAR_OUTBOX = "clear_outbox"
SERVICE_GET_OUTBOX = "get_outbox"

GET_OUTBOX_SCHEMA = vol.Schema({vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string})
CLEAR_OUTBOX_SCHEMA = GET_OUTBOX_SCHEMA.extend(
    {vol.Optional(ATTR_RECIPIENTS): validate_targets}
)


@callback
def async_setup_outbox(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_OUTBOX,
        _async_get_outbox,
        GET_OUTBOX_SCHEMA,
        SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_CLEAR_OUTBOX,
        _async_clear_outbox,
        CLEAR_OUTBOX_SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_get_outbox(call: ServiceCall) -> ServiceResponse:
    """Return what waits, and what ended without having been sent for certain."""
    accounts = _accounts(call)
    return {
        "waiting": [
            _kept(m, account.quiet_until(m))
            for account in accounts
            for m in account.outbox.waiting
        ],
        "ended": [_kept(m) for account in accounts for m in account.outbox.reports],
    }


async def _async_clear_outbox(call: ServiceCall) -> ServiceResponse:
    """Take out what waits, for everybody or for some recipients."""
    accounts = _accounts(call)
    numbers = None
    if targets := call.data.get(ATTR_RECIPIENTS):
        found = await async_find_recipients(
            call.hass,
            targets,
            config_entry_id=call.data.get(ATTR_CONFIG_ENTRY_ID),
            keep_trying=1,
        )
        numbers = {n for group in found.values() for r in group for n in r.numbers}
    cleared: list[Message] = []
    for account in accounts:
        try:
            cleared += await account.outbox.async_clear(numbers)
        except NotWrittenError as err:
            raise send_error({}, [(err, {m.number: m.name for m in cleared})]) from err
    return {"cleared": [_kept(m) for m in cleared]} if call.return_response else None


@callback
def _accounts(call: ServiceCall) -> list[Account]:
    """Return the account that a call names, or all of them."""
    entry_id = call.data.get(ATTR_CONFIG_ENTRY_ID)
    if entry_id is None:
        return accounts_of(call.hass)
    account = async_find_account(call.hass, entry_id)
    if account is None:
        raise validation_error("no_account")
    return [account]


def _kept(message: Message, sends_at: float | None = None) -> JsonObjectType:
    """Return a message of the outbox, without its text; times are in UTC."""
    row: JsonObjectType = {
        ATTR_MESSAGE_ID: message.message_id,
        "recipient": message.number,
        CONF_SENDER_ID: message.sender_id,
        ATTR_STATE: message.state,
        "reason": message.reason,
        "created_at": dt_util.utc_from_timestamp(message.created_at).isoformat(),
        "expires_at": dt_util.utc_from_timestamp(message.expires_at).isoformat(),
    }
    if sends_at is not None:
        row["sends_at"] = dt_util.utc_from_timestamp(sends_at).isoformat()
    if message.name is not None:
        row[ATTR_NAME] = message.name
    return row
