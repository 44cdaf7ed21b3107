"""What the system information says of all accounts together."""

import asyncio
from collections.abc import Iterable
from typing import Any

from homeassistant.components import system_health
from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from yarl import URL

from .calls.recipients import accounts_of
from .connection.data_center import data_center_of
from .const import DOMAIN


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:  # noqa: ARG001
    """Say what to ask."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what there is to know; what Zoho has to be asked for comes later."""
    entries = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    data_centers = [data_center_of(entry.data) for entry in entries]
    accounts = accounts_of(hass)
    successes = [a.outcomes.last_success for a in accounts if a.outcomes.last_success]
    info: dict[str, Any] = {
        "accounts": len(entries),
        "accounts_loaded": sum(e.state is ConfigEntryState.LOADED for e in entries),
        "messages_waiting": sum(len(account.outbox.waiting) for account in accounts),
    }
    if successes:
        info["last_success"] = dt_util.utc_from_timestamp(max(successes))
    if data_centers:
        info["can_reach_accounts_server"] = _async_can_reach(
            hass, {data_center.accounts_url for data_center in data_centers}
        )
        info["can_reach_voice_server"] = _async_can_reach(
            hass, {data_center.voice_url for data_center in data_centers}
        )
    return info


async def _async_can_reach(
    hass: HomeAssistant, urls: Iterable[str]
) -> str | dict[str, str]:
    """Return if servers can be reached; if not, which of them can't."""
    urls = sorted(urls)
    results = await asyncio.gather(
        *(system_health.async_check_can_reach_url(hass, url) for url in urls)
    )
    failures = [
        f"{result['error']}: {URL(url).host}"
        for url, result in zip(urls, results, strict=True)
        if isinstance(result, dict)
    ]
    return {"type": "failed", "error": ", ".join(failures)} if failures else "ok"
