"""The session in which Zoho is called shares connections, and nothing else."""

from collections.abc import AsyncGenerator
import socket
from unittest.mock import AsyncMock, Mock

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.connection.session import async_get_session
from sandbox import Sandbox


@pytest.fixture
async def cookies_url(socket_enabled: None) -> AsyncGenerator[str]:
    """Run a server that sets a cookie and says which ones it got."""

    async def handle(request: web.Request) -> web.Response:
        response = web.Response(text=request.headers.get("Cookie", ""))
        response.set_cookie("from", request.query["who"])
        return response

    app = web.Application()
    app.router.add_get("/", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://localhost:{server.port}/"


async def test_no_cookie_goes_from_one_to_the_other(
    hass: HomeAssistant, cookies_url: str
) -> None:
    ours, theirs = async_get_session(hass), async_get_clientsession(hass)
    # The test framework took away the means to look names up.
    resolver = Mock(AbstractResolver)
    resolver.resolve = AsyncMock(
        side_effect=lambda host, port, family: [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]
    )
    ours.connector._resolver = resolver

    async def cookies(session: object, who: str) -> str:
        async with session.get(cookies_url, params={"who": who}) as response:
            return await response.text()

    assert await cookies(ours, "zoho") == ""
    assert await cookies(theirs, "others") == ""
    assert await cookies(theirs, "others") == "from=others"
    assert await cookies(ours, "zoho") == ""
    assert await cookies(theirs, "others") == "from=others"


async def test_connections_are_shared(hass: HomeAssistant) -> None:
    assert async_get_session(hass) is async_get_session(hass)
    assert async_get_session(hass).connector is async_get_clientsession(hass).connector


async def test_account_uses_it(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert account.runtime_data.client._session is async_get_session(hass)
