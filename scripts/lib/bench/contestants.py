"""The ways to send one SMS."""

from collections.abc import Awaitable, Callable, Coroutine
import json
from typing import Any, override

import aiohttp
from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import DOMAIN as NOTIFY
from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.components.sensor.const import DOMAIN as SENSOR
from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)
from homeassistant.helpers.typing import StateType

from .bench import Bench
from .core import SENDER_ID, entity_ids
from .zoho import TEXT, recipient_numbers

type Send = Callable[[str], Awaitable[Any]]

ACTION = "zoho_voice.send_sms"
ENTITY = "notify.send_message"
CLASSIC = "notify.zoho_voice"
BARE = "bare aiohttp POST"
#: The least that an entity can do which shows the same.
BARE_ENTITY = "notify.send_message, bare POST"
_STATES = ("queued", "sent", "delivered", "undelivered", "failed", "unknown")
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


def _bare_post(
    bench: Bench, entry: ConfigEntry
) -> Callable[[str], Coroutine[Any, Any, bytes]]:
    """Return a way to post the bytes without any action, over the same session."""
    session = async_get_clientsession(bench.hass)
    headers = {
        "Authorization": f"Zoho-oauthtoken {entry.data['token']['access_token']}",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    timeout = aiohttp.ClientTimeout(total=10)

    async def send(number: str) -> bytes:
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
            return await response.read()

    return send


class _BareSensor(SensorEntity):
    """A sensor that is told its value."""

    def __init__(self, key: str) -> None:
        self._attr_name = self._attr_unique_id = f"Bare {key}"

    def tell(self, value: StateType) -> None:
        """Write the value, if it is another."""
        if value != self._attr_native_value:
            self._attr_native_value = value
            self.async_write_ha_state()


class _BareEntity(NotifyEntity):
    """A notify entity that signs in as Home Assistant does, posts, and takes note.

    It shows in sensors what ours shows of an SMS, as soon as Zoho has answered.
    """

    _attr_name = _attr_unique_id = "Bare POST"

    def __init__(
        self, bench: Bench, entry: ConfigEntry, session: OAuth2Session
    ) -> None:
        self._send = _bare_post(bench, entry)
        self._session = session
        self.last_delivery = _BareSensor("last delivery")
        self.last_delivery._attr_device_class = SensorDeviceClass.ENUM  # noqa: SLF001
        self.last_delivery._attr_options = [*_STATES]  # noqa: SLF001
        self.messages, self.segments = _BareSensor("messages"), _BareSensor("segments")
        for sensor in (self.messages, self.segments):
            sensor._attr_state_class = SensorStateClass.TOTAL_INCREASING  # noqa: SLF001
        self._count = 0

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Post the bytes, and count."""
        await self._session.async_ensure_token_valid()
        answer = json.loads(await self._send(recipient_numbers(1)[0]))
        self._count += answer["send"]["multipartCount"]
        self.last_delivery.tell("queued")
        self.messages.tell(self._count)
        self.segments.tell(self._count)


async def by_bare_entity(bench: Bench, entry: ConfigEntry) -> Send:
    """Return the way through an entity that does the least one can do."""
    hass = bench.hass
    implementation = await async_get_config_entry_implementation(hass, entry)
    entity = _BareEntity(bench, entry, OAuth2Session(hass, entry, implementation))
    for domain, entities in (
        (SENSOR, [entity.last_delivery, entity.messages, entity.segments]),
        (NOTIFY, [entity]),
    ):
        await hass.data[domain].async_add_entities(entities)
    return by_entity(bench, entity.entity_id)
