"""Diagnostics of an account: what helps to find a fault, and nothing private."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
import time
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .account import Account, ZohoVoiceConfigEntry
from .accounts import async_get_account
from .connection.data_center import data_center_of
from .const import CONF_DATA_CENTER, CONF_SENDER_ID
from .recipient import recipients_of
from .sending.outbox import Message, Outbox
from .sending.outcomes import Outcomes


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ZohoVoiceConfigEntry
) -> dict[str, Any]:
    """Return diagnostics of an account; times are in UTC, ages in seconds."""
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
        "token": _token(entry.data[CONF_TOKEN]),
        "country": hass.config.country,
        "options": {
            key: REDACTED if isinstance(value, str) else value
            for key, value in entry.options.items()
        },
        "requests": _requests(account.outcomes),
        "outbox": _outbox(account.outbox),
        "tracking": _tracking(account),
        "recipients": [
            {
                "numbers": len(recipient.numbers),
                "has_own_sender_id": recipient.sender_id is not None,
            }
            for recipient in recipients
        ],
    }


def _token(token: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the access token; what Zoho has refused since is expired at once."""
    expires_at = token["expires_at"] or None
    scope = token.get("scope")
    return {
        "age": expires_at and round(time.time() - expires_at + token["expires_in"]),
        "expires_at": _utc(expires_at),
        "scopes": scope and sorted(scope.replace(",", " ").split()),
    }


def _requests(outcomes: Outcomes) -> dict[str, Any]:
    """Describe what became of the requests since Home Assistant started."""
    return {
        "outcomes": dict(outcomes.requests),
        "last_success": _utc(outcomes.last_success),
        "last_failures": [
            {"time": _utc(failure.time), "kind": failure.kind, "code": failure.code}
            for failure in outcomes.failures
        ],
        "refused_sender_ids": len(outcomes.refused_senders),
        "messages_kept": outcomes.kept,
    }


def _outbox(outbox: Outbox) -> dict[str, Any]:
    """Describe what waits, and what ended without having been sent for certain."""
    next_try = outbox.seconds_to_next_try()
    return {
        "waiting": _messages(outbox.waiting),
        "ended": _messages(outbox.reports),
        "next_try_in": None if next_try is None else round(next_try),
    }


def _tracking(account: Account) -> dict[str, Any]:
    """Describe what is followed, and how Zoho tells of it."""
    tracking = account.tracking
    coordinator = account.coordinator
    submitted = [*tracking.tracker.unsettled_since]
    interval = coordinator and coordinator.update_interval
    return {
        "counters": asdict(tracking.tracker.counters),
        "without_final_state": {
            "count": len(submitted),
            "states": dict(Counter(sms.state for sms in tracking.tracker.unsettled)),
            "oldest": round(time.time() - min(submitted)) if submitted else None,
        },
        "unclear": len(tracking.unclear.messages),
        "incoming_since": _utc(tracking.tracker.incoming_since),
        "message_log": coordinator
        and {
            "can_read": coordinator.can_read,
            "last_look_succeeded": coordinator.last_update_success,
            "calls_last_minute": coordinator.calls_last_minute,
            "interval": interval and interval.total_seconds(),
        },
        "webhook": {
            "has_url": tracking.callback_url is not None,
            "is_called_back": tracking.is_called_back,
        },
    }


def _messages(messages: Iterable[Message]) -> dict[str, Any]:
    """Return how many messages there are in each state, and since when."""
    ages: dict[str, list[int]] = {}
    for message in messages:
        ages.setdefault(message.state, []).append(
            round(time.time() - message.created_at)
        )
    return {
        state: {"count": len(group), "oldest": max(group), "newest": min(group)}
        for state, group in ages.items()
    }


def _utc(timestamp: float | None) -> str | None:
    """Return a time in seconds since the epoch as text."""
    if timestamp is None:
        return None
    return dt_util.utc_from_timestamp(timestamp).isoformat()
