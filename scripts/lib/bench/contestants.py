"""The ways to send one SMS."""

from collections.abc import Awaitable, Callable
import json
from typing import Any, override

import aiohttp
from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import DOMAIN as NOTIFY
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.entity_component import EntityComponent

from .zoho import DOMAIN, SENDER_ID, TEXT

type Send = Callable[[str], Awaitable[None]]

ACTION = "zoho_voice.send_sms"
ENTITY = "notify.send_message"
CLASSIC = "notify.zoho_voice"
BARE = "bare aiohttp POST"
BARE_ENTITY = "notify.send_message, bare POST"
REST_COMMAND = "rest_command"
NOTIFY_REST = "notify.rest"
OURS = (ACTION, ENTITY, CLASSIC)
THEIRS = (BARE, BARE_ENTITY, REST_COMMAND, NOTIFY_REST)


async def call(hass: HomeAssistant, action: str, data: dict[str, Any]) -> None:
    """Call an action, and wait until it has done its work."""
    domain, name = action.split(".")
    await hass.services.async_call(domain, name, data, blocking=True)


def entity_ids(hass: HomeAssistant, entry: ConfigEntry) -> list[str]:
    """Return the entities of an account in the order of its recipients."""
    registry = er.async_get(hass)
    by_recipient = {
        entity.config_subentry_id: entity.entity_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    return [by_recipient[subentry_id] for subentry_id in entry.subentries]


def bare_post(hass: HomeAssistant, url: str, access_token: str) -> Send:
    """Return a way to post the bytes without any action, over the same session."""
    session = async_get_clientsession(hass)
    headers = {
        "Authorization": f"Zoho-oauthtoken {access_token}",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    timeout = aiohttp.ClientTimeout(total=10)

    async def send(number: str) -> None:
        body = {
            "senderId": SENDER_ID,
            "customerNumber": number,
            "message": TEXT,
            "dataCoding": 0,
        }
        async with session.post(
            url, data=json.dumps(body).encode(), headers=headers, timeout=timeout
        ) as response:
            await response.read()

    return send


class _BareEntity(NotifyEntity):
    """A notify entity that does nothing but post: what Home Assistant adds to that."""

    _attr_name = "Bare POST"

    def __init__(self, send: Send, number: str) -> None:
        self._send = send
        self._number = number

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Post the bytes."""
        await self._send(self._number)


async def by_bare_entity(hass: HomeAssistant, send: Send, number: str) -> Send:
    """Return a notify entity that posts the bytes, the least that one can do."""
    component: EntityComponent[NotifyEntity] = hass.data[NOTIFY]
    entity = _BareEntity(send, number)
    await component.async_add_entities([entity])
    return by_entity(hass, entity.entity_id)


def by_action(hass: HomeAssistant) -> Send:
    """Return the integration's own action."""

    async def send(number: str) -> None:
        await call(hass, f"{DOMAIN}.send_sms", {"message": TEXT, "recipients": number})

    return send


def by_entity(hass: HomeAssistant, entity_id: str) -> Send:
    """Return a recipient's entity; the number is the recipient's."""

    async def send(number: str) -> None:  # noqa: ARG001
        data = {"message": TEXT, "entity_id": entity_id}
        await call(hass, "notify.send_message", data)

    return send


def by_classic_action(hass: HomeAssistant) -> Send:
    """Return the integration's classic action."""

    async def send(number: str) -> None:
        await call(hass, "notify.zoho_voice", {"message": TEXT, "target": [number]})

    return send


def by_rest_command(hass: HomeAssistant) -> Send:
    """Return the action of `rest_command`."""

    async def send(number: str) -> None:
        await call(hass, "rest_command.sms", {"message": TEXT, "number": number})

    return send


def by_notify_rest(hass: HomeAssistant) -> Send:
    """Return the classic action of `notify: - platform: rest`."""

    async def send(number: str) -> None:
        await call(hass, "notify.rest_sms", {"message": TEXT, "target": [number]})

    return send
