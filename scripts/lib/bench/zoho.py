"""The sandbox as the other side: accounts on it, and proof of what it received."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
import time
from typing import Any, NamedTuple, cast

import aiohttp
from homeassistant.config_entries import ConfigEntry

from scripts.lib.sandbox import Sandbox

from .core import SENDER_ID, WrongResultError, new_entry

DOMAIN = "zoho_voice"
TEXT = "The washing machine is done, and the back door is open."
#: What every contestant has to have posted, whatever its order.
_FIELDS = {"senderId", "customerNumber", "message", "dataCoding"}
#: The flood brake counts as always, and lets all through.
_OPTIONS = {"flood_limit": 1_000_000, "flood_minutes": 1}


def numbers(count: int) -> list[str]:
    """Return numbers that are nobody's in the account."""
    return [f"+1480555{index:04}" for index in range(count)]


def recipient_numbers(count: int) -> list[str]:
    """Return the numbers of the account's recipients."""
    return [f"+1602555{index:04}" for index in range(count)]


class Received(NamedTuple):
    """How many requests it had of each kind."""

    accepted: int
    refused: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Zoho:
    """The control API of a running sandbox, in a session of its own."""

    sandbox: Sandbox
    session: aiohttp.ClientSession

    @property
    def send_url(self) -> str:
        """Return where SMS are posted."""
        return f"{self.sandbox.voice_url}/rest/json/v1/sms/send"

    async def change(self, **settings: object) -> None:
        """Change settings of the sandbox, as `python -m sandbox --help` names them."""
        await self._call("POST", "settings", settings)

    async def answer_in(self, seconds: float) -> None:
        """Let the sandbox take its time from now on."""
        await self.change(answer_seconds=seconds)

    async def receive(self, senders: Sequence[str]) -> None:
        """Let each of these numbers send an SMS to the account."""
        for number in senders:
            await self._call("POST", "receive", {"from": number, "text": TEXT})

    async def log_ids(self) -> list[tuple[str, str]]:
        """Return the number and the log id of each SMS it accepted."""
        state = await self._call("GET", "state")
        return [(sms["number"], sms["log_id"]) for sms in state["sent"]]

    async def expire_access_tokens(self) -> None:
        """Let it refuse all tokens it has given."""
        await self._call("POST", "expire_access_tokens")

    async def token(self) -> dict[str, Any]:
        """Return a token as if somebody had just signed in."""
        token = await self._call("POST", "token")
        return {**token, "expires_at": time.time() + token["expires_in"]}

    async def check(
        self, expected: Sequence[str], requests: int | None = None
    ) -> Received:
        """Return what it received, and let it forget that.

        Raises WrongResultError unless it is the text for these numbers and, if that is
        known, in so many requests.
        """
        state = await self._call("GET", "state")
        await self._call("POST", "reset")
        sent = Counter(sms["number"] for sms in state["sent"])
        accepted = [each for each in state["requests"] if each["accepted"]]
        if sent != Counter(expected):
            raise WrongResultError(
                f"{sent.total()} SMS arrived, not the {len(expected)} expected"
            )
        if requests not in {None, len(accepted)}:
            raise WrongResultError(f"{len(accepted)} requests, not {requests}")
        if any(
            (sms["message"], sms["sender_id"], sms["data_coding"])
            != (TEXT, SENDER_ID, 0)
            for sms in state["sent"]
        ):
            raise WrongResultError("a text, sender or coding is another")
        if any(each["body"].keys() != _FIELDS for each in accepted):
            raise WrongResultError("a request has other fields than the rest")
        return Received(
            len(accepted),
            len(state["requests"]) - len(accepted),
            len(state["token_requests"]),
        )

    async def entry(self, recipients: int, **options: object) -> ConfigEntry:
        """Return a new account, signed in, that Home Assistant does not know yet."""
        return new_entry(
            DOMAIN,
            {
                "auth_implementation": DOMAIN,
                "data_center": "other",
                "accounts_url": self.sandbox.accounts_url,
                "voice_url": self.sandbox.voice_url,
                "sender_id": SENDER_ID,
                "token": await self.token(),
            },
            [({"phone_numbers": [it]}, None) for it in recipient_numbers(recipients)],
            {**_OPTIONS, **options},
        )

    async def _call(self, method: str, name: str, data: Any = None) -> dict[str, Any]:
        async with self.session.request(
            method, f"/sandbox/{name}", json=data
        ) as response:
            response.raise_for_status()
            return cast(dict[str, Any], await response.json())
