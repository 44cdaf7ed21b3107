"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncGenerator, Callable, Coroutine
import json
from typing import Any

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer
import pytest

from sandbox import Sandbox

REDIRECT_URI = "http://127.0.0.1:8123/auth/external/callback"

type Send = Callable[..., Coroutine[Any, Any, ClientResponse]]
type Read = Callable[..., Coroutine[Any, Any, ClientResponse]]


@pytest.fixture(autouse=True)
def allow_sockets(socket_enabled: None) -> None:
    """Let the tests reach 127.0.0.1."""


@pytest.fixture
def moment() -> str:
    """Return when the test takes place (UTC): 1,764,831,248.5 s after the epoch."""
    return "2025-12-04 06:54:08.500"


@pytest.fixture
async def sandbox() -> AsyncGenerator[Sandbox]:
    """Return a running sandbox."""
    async with Sandbox(redirect_uris=[REDIRECT_URI]) as running:
        yield running


@pytest.fixture
async def http() -> AsyncGenerator[ClientSession]:
    """Return a client."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
def send(sandbox: Sandbox, http: ClientSession) -> Send:
    """Return a function that posts to the send endpoint."""
    token = sandbox.issue_token()["access_token"]

    async def post(
        headers: dict[str, str] | None = None, **changes: Any
    ) -> ClientResponse:
        body = {
            "senderId": "+18885550100",
            "customerNumber": "+14805550100",
            "message": "Hi there!",
        } | changes
        return await http.post(
            f"{sandbox.voice_url}/rest/json/v1/sms/send",
            json={name: value for name, value in body.items() if value is not ...},
            headers={
                "Authorization": f"Zoho-oauthtoken {token}",
                "Accept": "application/json",
            }
            | (headers or {}),
        )

    return post


@pytest.fixture
def read(sandbox: Sandbox, http: ClientSession) -> Read:
    """Return a function that reads the message log, or the schedule."""
    token = sandbox.issue_token()["access_token"]

    async def get(
        call: str = "logs", headers: dict[str, str] | None = None, **query: Any
    ) -> ClientResponse:
        # A trailing underscore is for names that Python keeps for itself.
        return await http.get(
            f"{sandbox.voice_url}/rest/json/v1/sms/{call}",
            params={name.rstrip("_"): value for name, value in query.items()},
            headers={
                "Authorization": f"Zoho-oauthtoken {token}",
                "Accept": "application/json",
            }
            | (headers or {}),
        )

    return get


class Receiver:
    """A server that is called back, and answers with the next of its statuses."""

    def __init__(self) -> None:
        """Begin with 200, always."""
        self.url = ""
        self.statuses: list[int] = []
        self.calls: list[dict[str, Any]] = []

    async def handle(self, request: web.Request) -> web.Response:
        """Keep what is called."""
        self.calls.append(
            {
                "method": request.method,
                "content_type": request.headers.get("Content-Type"),
                "query": dict(request.query),
                "body": (await request.read()).decode(),
            }
        )
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def payloads(self) -> list[Any]:
        """Return the JSON of the calls."""
        return [json.loads(call["body"]) for call in self.calls]


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    """Return a running server for callbacks."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/hook", receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook?key=1"))
        yield receiver
