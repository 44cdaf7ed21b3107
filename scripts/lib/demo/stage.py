"""What the steps play on: Home Assistant, the sandbox, and what they remember."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from scripts.lib.hass import Hass
from scripts.lib.sandbox import CLIENT_SECRET, Sandbox

type Record = dict[str, Any]

_SHOWN_NUMBERS = 4


@dataclass(frozen=True)
class Received:
    """What Zoho's side received."""

    requests: Sequence[Record]
    sent: Sequence[Record]
    token_requests: Sequence[Record]

    def since(self, earlier: Self) -> Received:
        """Return what came in after that."""
        return Received(
            self.requests[len(earlier.requests) :],
            self.sent[len(earlier.sent) :],
            self.token_requests[len(earlier.token_requests) :],
        )

    @property
    def numbers(self) -> list[str]:
        """Return the number of each SMS that was accepted."""
        return [sms["number"] for sms in self.sent]

    def show(self) -> object:
        """Return it as a person wants to read it."""
        rows: list[object] = [
            {"token request": token["grant_type"], "answer": token["outcome"]}
            for token in self.token_requests
        ]
        rows += [
            {"POST": _shorten(request["body"]), "answer": _answer(request)}
            for request in self.requests
        ]
        return rows or "nothing"


def _shorten(body: Record) -> Record:
    """Leave out the middle of many numbers."""
    numbers = body["customerNumber"].split(",")
    if len(numbers) <= _SHOWN_NUMBERS:
        return body
    shown = f"{numbers[0]},{numbers[1]},…,{numbers[-1]} ({len(numbers)} numbers)"
    return body | {"customerNumber": shown}


def _answer(request: Record) -> str:
    """Say how a send request was answered."""
    if not request["accepted"]:
        return f"refused ({request['refusal']})"
    if request["status"] is None:
        return "accepted, then the connection dropped"
    return f"accepted ({request['status']})"


@dataclass
class Stage:
    """Home Assistant and the sandbox, running."""

    hass: Hass
    sandbox: Sandbox
    flow_id: str = ""
    entry_id: str = ""
    recipient_flow_id: str = ""
    errors: list[str] = field(default_factory=list)
    """What the actions said that had to fail."""
    texts: set[str] = field(default_factory=set)
    """The texts and numbers of messages."""
    secrets: set[str] = field(default_factory=lambda: {CLIENT_SECRET})
    """Tokens and the like."""

    async def zoho(self, method: str, path: str, data: object = None) -> Any:
        """Call the sandbox's control API."""
        url = f"{self.sandbox.accounts_url}/sandbox/{path}"
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.request(method, url, json=data) as response,
        ):
            return await response.json()

    async def received(self) -> Received:
        """Return all that the sandbox received; remember what is private."""
        state = await self.zoho("GET", "state")
        self.secrets |= set(state["revoked"])
        for request in state["requests"]:
            self.secrets.add(request["headers"]["Authorization"].split()[-1])
        for sms in state["sent"]:
            self.texts |= {sms["number"].lstrip("+"), *sms["message"].splitlines()}
        return Received(state["requests"], state["sent"], state["token_requests"])

    async def action(
        self, name: str, data: Record, target: Record, *, response: bool = False
    ) -> Any:
        """Perform an action as the UI does; raise CommandError with its error."""
        domain, _, service = name.partition(".")
        result = await self.hass.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            target=target,
            return_response=response,
        )
        return result.get("response")
