"""Whether a server is there, without asking it for anything."""

import asyncio
from typing import Any
from unittest.mock import patch

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.zoho_voice.zoho import reachability
from custom_components.zoho_voice.zoho.reachability import async_can_reach
from sandbox import Sandbox

from .conftest import OddZoho


async def test_zoho_is_reached_unless_it_refuses(
    http: ClientSession, sandbox: Sandbox
) -> None:
    urls = [sandbox.accounts_url, f"{sandbox.voice_url}/rest/json/v1/sms/send"]
    assert [await async_can_reach(http, url) for url in urls] == [True, True]
    await sandbox.refuse("voice")
    assert [await async_can_reach(http, url) for url in urls] == [True, False]
    await sandbox.refuse("accounts")
    assert [await async_can_reach(http, url) for url in urls] == [False, False]
    await sandbox.listen("voice")
    assert [await async_can_reach(http, url) for url in urls] == [False, True]
    assert sandbox.requests == sandbox.token_requests == []


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200},
        {"status": 404},
        {"status": 503},
        {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}},
    ],
)
async def test_any_answer_will_do_and_no_path_is_asked_for(
    http: ClientSession, odd_zoho: OddZoho, answer: dict[str, Any]
) -> None:
    odd_zoho.answer = answer
    assert await async_can_reach(http, f"{odd_zoho.url}/oauth/v2/token?a=b")
    assert odd_zoho.requests == ["HEAD /"]


async def test_server_that_does_not_answer_is_not_there(http: ClientSession) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        request.transport.close()
        return web.Response()

    app = web.Application()
    app.router.add_route("HEAD", "/", hang_up)
    async with TestServer(app) as server:
        assert not await async_can_reach(http, f"http://127.0.0.1:{server.port}")


async def test_server_that_takes_too_long_is_not_there(
    http: ClientSession, socket_enabled: None
) -> None:
    async def hang(reader: Any, writer: Any) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with patch.object(reachability, "TIMEOUT", 0.05):
            assert not await async_can_reach(http, f"http://127.0.0.1:{port}")


async def test_server_that_can_not_prove_who_it_is_is_not_there(
    http: ClientSession, odd_zoho: OddZoho
) -> None:
    url = odd_zoho.url.replace("http://", "https://")
    assert not await async_can_reach(http, url)
    assert odd_zoho.requests == []
