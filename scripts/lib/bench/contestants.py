"""The ways to send one SMS."""

from collections.abc import Awaitable, Callable
import json
from typing import Any, override

import aiohttp
from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import DOMAIN as NOTIFY
from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.entity_component import EntityComponent

from .bench import Bench
from .core import SENDER_ID, entity_ids
from .zoho import TEXT, recipient_numbers

type Send = Callable[[str], Awaitable[None]]

ACTION = "zoho_voice.send_sms"
ENTITY = "notify.send_message"
CLASSIC = "notify.zoho_voice"
BARE = "bare aiohttp POST"
#: The least that an entity can do.
BARE_ENTITY = "notify.send_message, bare POST"
REST_COMMAND = "rest_command"
NOTIFY_REST = "notify.rest"
OURS = (ACTION, ENTITY, CLASSIC)


async def call(bench: Bench, action: str, **data: Any) -> None:
    """Send by an action, and wait until it has done its work."""
    domain, name = action.split(".")
    await bench.hass.services.async_call(
        domain, name, {"message": TEXT, **data}, blocking=True
    )


def all_ways(bench: Bench, entry: ConfigEntry) -> dict[str, Send]:
    """Return all ways to send to a number; an entity's is its first recipient's."""
    return {
        BARE: _bare_post(bench, entry),
        REST_COMMAND: lambda number: call(bench, "rest_command.sms", number=number),
        NOTIFY_REST: lambda number: call(bench, "notify.rest_sms", target=[number]),
        ACTION: lambda number: call(bench, ACTION, recipients=number),
        ENTITY: by_entity(bench, entity_ids(bench.hass, entry)[0]),
        CLASSIC: lambda number: call(bench, CLASSIC, target=[number]),
    }


def by_entity(bench: Bench, entity_id: str) -> Send:
    """Return the way through an entity, which knows the number itself."""
    return lambda _: call(bench, ENTITY, entity_id=entity_id)


def _bare_post(bench: Bench, entry: ConfigEntry) -> Send:
    """Return a way to post the bytes without any action, over the same session."""
    session = async_get_clientsession(bench.hass)
    headers = {
        "Authorization": f"Zoho-oauthtoken {entry.data['token']['access_token']}",
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
            bench.zoho.send_url,
            data=json.dumps(body).encode(),
            headers=headers,
            timeout=timeout,
        ) as response:
            await response.read()

    return send


class _BareEntity(NotifyEntity):
    """A notify entity that does nothing but post: what Home Assistant adds to that."""

    _attr_name = "Bare POST"

    def __init__(self, bench: Bench, entry: ConfigEntry) -> None:
        self._send = _bare_post(bench, entry)

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Post the bytes."""
        await self._send(recipient_numbers(1)[0])


async def by_bare_entity(bench: Bench, entry: ConfigEntry) -> Send:
    """Return the way through an entity that posts the bytes, the least one can do."""
    component: EntityComponent[NotifyEntity] = bench.hass.data[NOTIFY]
    entity = _BareEntity(bench, entry)
    await component.async_add_entities([entity])
    return by_entity(bench, entity.entity_id)
