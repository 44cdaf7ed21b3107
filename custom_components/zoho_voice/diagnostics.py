"""Diagnostics of an account: what helps to find a fault, and nothing private."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant

from .account import (
    ZohoVoiceConfigEntry,
    async_get_account,
    data_center_of,
    recipients_of,
)
from .const import CONF_DATA_CENTER, CONF_SENDER_ID


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ZohoVoiceConfigEntry
) -> dict[str, Any]:
    """Return diagnostics of an account; times are in UTC."""
    data_center = data_center_of(entry.data)
    recipients = recipients_of(entry).values()
    account = async_get_account(hass, entry)
    return {
        "state": entry.state.value,
        "data_center": {
            "key": entry.data[CONF_DATA_CENTER],
            "accounts_url": data_center.accounts_url,
            "voice_url": data_center.voice_url,
        },
        "sender_id_is_number": entry.data[CONF_SENDER_ID].startswith("+"),
        "token_expires_at": datetime.fromtimestamp(
            entry.data[CONF_TOKEN]["expires_at"], UTC
        ).isoformat(),
        "country": hass.config.country,
        "options": dict(entry.options),
        "outbox": {
            "waiting": len(account.outbox.waiting),
            "ended": Counter(message.state for message in account.outbox.reports),
        },
        "recipients": [
            {
                "numbers": len(recipient.numbers),
                "has_own_sender_id": recipient.sender_id is not None,
            }
            for recipient in recipients
        ],
    }
