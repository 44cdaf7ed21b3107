"""Fixtures of Zoho's client: no Home Assistant, a plain session, real HTTP."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, TraceConfig, web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.zoho_voice.zoho.client import ZohoVoiceClient
from custom_components.zoho_voice.zoho.data_center import DataCenter
from custom_components.zoho_voice.zoho.errors import SignInError
from sandbox import Sandbox


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(socket_enabled: None) -> None:
    """Do without Home Assistant, but not without 127.0.0.1."""


class Tokens:
    """A token source with so many tokens, that remembers what it was told."""

    def __init__(self, *tokens: str) -> None:
        self.left = [*tokens]
        self.renewed: list[str] = []
        self.sign_ins_refused: list[str] = []

    async def async_get(self) -> str:
        return self.left[0]

    async def async_renew(self, refused: str) -> str:
        self.renewed.append(refused)
        if len(self.left) == 1:
            raise SignInError
        del self.left[0]
        return self.left[0]

    def sign_in_refused(self, refused: str) -> None:
        self.sign_ins_refused.append(refused)


@dataclass
class OddZoho:
    """A server that gives one answer to everything, and counts the requests."""

    url: str = ""
    requests: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    #: What to answer first.
    answers: list[dict[str, Any]] = field(default_factory=list)

    async def pause(self, request: web.Request) -> None:
        """Do what a test wants to happen before the answer."""

    async def handle(self, request: web.Request) -> web.Response:
        await request.read()
        self.requests.append(f"{request.method} {request.path}")
        self.queries.append(dict(request.query))
        await self.pause(request)
        return web.Response(**(self.answers.pop(0) if self.answers else self.answer))


@pytest.fixture
def tries() -> list[str]:
    """Return the requests that were begun, whether or not they arrived anywhere."""
    return []


@pytest.fixture
async def http(tries: list[str]) -> AsyncGenerator[ClientSession]:
    """Return a session."""
    trace = TraceConfig()

    async def begin(_session: Any, _context: Any, params: Any) -> None:
        tries.append(params.method)

    trace.on_request_start.append(begin)
    async with ClientSession(trace_configs=[trace]) as session:
        yield session


@pytest.fixture
def tokens(sandbox: Sandbox) -> Tokens:
    """Return two tokens that Zoho takes."""
    return Tokens(*(sandbox.issue_token()["access_token"] for _ in range(2)))


@pytest.fixture
def data_center(sandbox: Sandbox) -> DataCenter:
    """Return where the sandbox is."""
    return DataCenter(sandbox.accounts_url, sandbox.voice_url)


@pytest.fixture
def client(
    http: ClientSession, tokens: Tokens, data_center: DataCenter
) -> ZohoVoiceClient:
    """Return a client of the sandbox."""
    return ZohoVoiceClient(http, tokens, data_center)


@pytest.fixture
async def odd_zoho() -> AsyncGenerator[OddZoho]:
    """Return a server that answers what no sandbox would."""
    odd = OddZoho()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", odd.handle)
    async with TestServer(app) as server:
        odd.url = f"http://127.0.0.1:{server.port}"
        yield odd


@pytest.fixture
def odd_tokens() -> Tokens:
    """Return the tokens of the client of the odd server."""
    return Tokens("first", "second")


@pytest.fixture
def odd_client(
    http: ClientSession, odd_tokens: Tokens, odd_zoho: OddZoho
) -> ZohoVoiceClient:
    """Return a client of the odd server."""
    return ZohoVoiceClient(http, odd_tokens, DataCenter(odd_zoho.url, odd_zoho.url))
