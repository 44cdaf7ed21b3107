"""Home Assistant's core in this very process, with all that is compared."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
import json
import logging
from pathlib import Path
import sys
from types import MappingProxyType
from typing import Any

from homeassistant.bootstrap import async_setup_hass
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryData,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.runner import RuntimeConfig

from scripts.lib.hass import HOME, Hass

SENDER_ID = "+18885550100"

# The same bytes as the integration posts. Headers without a template are not rendered.
_CONFIGURATION = """\
logger:
  default: warning
config:
notify:
  - platform: rest
    name: rest_sms
    resource: <url>
    method: POST_JSON
    headers: &headers
      Authorization: <authorization>
      Accept: application/json
    message_param_name: message
    target_param_name: customerNumber
    data:
      senderId: "<sender_id>"
      dataCoding: 0
rest_command:
  sms:
    url: <url>
    method: post
    headers: *headers
    content_type: application/json
    payload: >-
      {"senderId": "<sender_id>", "customerNumber": {{ number | to_json }},
      "message": {{ message | to_json }}, "dataCoding": 0}
"""


class WrongResultError(RuntimeError):
    """What was measured did something else than it should."""


def configuration(send_url: str, access_token: str) -> str:
    """Return the configuration.yaml with the contestants that live there."""
    authorization = json.dumps(f"Zoho-oauthtoken {access_token}")
    return HOME + (
        _CONFIGURATION.replace("<url>", send_url)
        .replace("<authorization>", authorization)
        .replace("<sender_id>", SENDER_ID)
    )


@asynccontextmanager
async def running_core(directory: Path, text: str = "") -> AsyncIterator[HomeAssistant]:
    """Run a core on a configuration directory, which may be new."""
    Hass(directory, configuration=text).seed()
    # Home Assistant adds none to the terminal where there is one already.
    logging.getLogger().addHandler(logging.NullHandler())
    log = str(directory / "home-assistant.log")
    hass = await async_setup_hass(
        RuntimeConfig(str(directory), skip_pip=True, log_file=log, log_no_color=True)
    )
    # It would log what is to be seen.
    sys.excepthook = sys.__excepthook__
    if hass is None or hass.config.recovery_mode:
        raise WrongResultError(f"Home Assistant did not start on {directory}")
    await hass.async_start()
    await hass.async_block_till_done()
    try:
        yield hass
    finally:
        await hass.async_stop(force=True)


def new_entry(
    domain: str,
    data: Mapping[str, Any],
    recipients: Iterable[tuple[Mapping[str, Any], str | None]],
    options: Mapping[str, Any] = MappingProxyType({}),
) -> ConfigEntry:
    """Return an entry that Home Assistant does not know yet.

    A recipient is its data and its unique id.
    """
    return ConfigEntry(
        data=data,
        discovery_keys=MappingProxyType({}),
        domain=domain,
        minor_version=1,
        options=options,
        source="user",
        subentries_data=[
            ConfigSubentryData(
                data=recipient,
                subentry_type="recipient",
                title=f"Person {index}",
                unique_id=unique_id,
            )
            for index, (recipient, unique_id) in enumerate(recipients)
        ],
        title="bench@example.com",
        unique_id=None,
        version=1,
    )


async def add_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Add an entry and wait until it is set up entirely."""
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    check_loaded(entry)


async def remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove an entry."""
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


def check_loaded(entry: ConfigEntry) -> None:
    """Raise WrongResultError unless an entry is loaded."""
    if entry.state is not ConfigEntryState.LOADED:
        raise WrongResultError(f"{entry.domain} is {entry.state}: {entry.reason}")


def entity_ids(hass: HomeAssistant, entry: ConfigEntry) -> list[str]:
    """Return the notify entities of an entry's recipients in their order."""
    by_recipient = {
        entity.config_subentry_id: entity.entity_id
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if entity.domain == "notify"
    }
    return [by_recipient[subentry_id] for subentry_id in entry.subentries]
