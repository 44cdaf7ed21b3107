"""The sandbox as the other side: accounts on it, and proof of what it received."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
import time
from types import MappingProxyType
from typing import Any, Self, cast

import aiohttp
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryData,
)
from homeassistant.core import HomeAssistant

from scripts.lib.process import ProcessError
from scripts.lib.sandbox import Sandbox

DOMAIN = "zoho_voice"
SENDER_ID = "+18885550100"
TEXT = "The washing machine is done, and the back door is open."
#: What every contestant has to have posted, whatever its order.
FIELDS = {"senderId", "customerNumber", "message", "dataCoding"}

_SEND_PATH = "/rest/json/v1/sms/send"


class WrongResultError(RuntimeError):
    """What was measured did something else than it should."""


def numbers(count: int) -> list[str]:
    """Return numbers that are nobody's in the account."""
    return [f"+1480555{number:04}" for number in range(count)]


def recipient_number(index: int) -> str:
    """Return the number of one of the account's recipients."""
    return f"+1602555{index:04}"


class Zoho:
    """The control API of a running sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Keep where it is."""
        self._sandbox = sandbox
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open a session of its own, beside Home Assistant's."""
        self._session = aiohttp.ClientSession(self._sandbox.accounts_url)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    @property
    def send_url(self) -> str:
        """Return where SMS are posted."""
        return f"{self._sandbox.voice_url}{_SEND_PATH}"

    async def answer_in(self, seconds: float) -> None:
        """Let the sandbox take its time from now on."""
        await self._call("POST", "settings", {"answer_seconds": seconds})

    async def expire_access_tokens(self) -> None:
        """Let it refuse all tokens it has given."""
        await self._call("POST", "expire_access_tokens")

    async def token(self) -> dict[str, Any]:
        """Return a token as if somebody had just signed in."""
        token = await self._call("POST", "token")
        return {**token, "expires_at": time.time() + token["expires_in"]}

    async def reset(self) -> None:
        """Let it forget what it received."""
        await self._call("POST", "reset")

    async def received(self) -> dict[str, Any]:
        """Return what it received, and let it forget that."""
        state = await self._call("GET", "state")
        await self.reset()
        return state

    async def check(self, expected: Sequence[str], requests: int) -> dict[str, Any]:
        """Raise unless it got the text for these numbers, in so many requests."""
        state = await self.received()
        sent = Counter(sms["number"] for sms in state["sent"])
        accepted = [each for each in state["requests"] if each["accepted"]]
        if sent != Counter(expected):
            raise WrongResultError(
                f"{sent.total()} SMS arrived, not the {len(expected)} expected"
            )
        if len(accepted) != requests:
            raise WrongResultError(f"{len(accepted)} requests, not {requests}")
        if any(
            (sms["message"], sms["sender_id"], sms["data_coding"])
            != (TEXT, SENDER_ID, 0)
            for sms in state["sent"]
        ):
            raise WrongResultError("a text, sender or coding is another")
        if any(each["body"].keys() != FIELDS for each in accepted):
            raise WrongResultError("a request has other fields than the rest")
        return state

    async def _call(self, method: str, name: str, data: Any = None) -> dict[str, Any]:
        if self._session is None:
            raise ProcessError("the sandbox is not open")
        async with self._session.request(
            method, f"/sandbox/{name}", json=data
        ) as response:
            response.raise_for_status()
            return cast(dict[str, Any], await response.json())

    async def entry(self, recipients: int) -> ConfigEntry:
        """Return a new account, signed in, that Home Assistant does not know yet."""
        return ConfigEntry(
            data={
                "auth_implementation": DOMAIN,
                "data_center": "other",
                "accounts_url": self._sandbox.accounts_url,
                "voice_url": self._sandbox.voice_url,
                "sender_id": SENDER_ID,
                "token": await self.token(),
            },
            discovery_keys=MappingProxyType({}),
            domain=DOMAIN,
            minor_version=1,
            options={},
            source="user",
            subentries_data=[
                ConfigSubentryData(
                    data={"phone_numbers": [recipient_number(index)]},
                    subentry_type="recipient",
                    title=f"Person {index}",
                    unique_id=None,
                )
                for index in range(recipients)
            ],
            title="bench@example.com",
            unique_id="10001",
            version=1,
        )


async def add_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Add an entry and wait until it is set up entirely."""
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    check_loaded(entry)


def check_loaded(entry: ConfigEntry) -> None:
    """Raise unless an entry is loaded."""
    if entry.state is not ConfigEntryState.LOADED:
        raise WrongResultError(f"{entry.domain} is {entry.state}: {entry.reason}")


async def remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove an entry."""
    with suppress(KeyError):
        await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
