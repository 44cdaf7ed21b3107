"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from aiohttp import ClientResponse, ClientSession
import pytest

from sandbox import Sandbox

REDIRECT_URI = "http://127.0.0.1:8123/auth/external/callback"

type Send = Callable[..., Coroutine[Any, Any, ClientResponse]]


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
