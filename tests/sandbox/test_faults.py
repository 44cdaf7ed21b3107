"""Faults on demand."""

import asyncio
from json import JSONDecodeError, loads
import time
from typing import Any

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
)
import pytest

from sandbox import FaultKind, Sandbox

from .conftest import Send


async def post_token(sandbox: Sandbox, http: ClientSession, **values: str) -> Any:
    """Refresh, and return status, content type and text."""
    form = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": sandbox.issue_token()["refresh_token"],
    } | values
    async with http.post(f"{sandbox.accounts_url}/oauth/v2/token", data=form) as reply:
        return reply.status, reply.content_type, await reply.text()


async def test_late(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """It is accepted at once and answered late."""
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    begin = time.perf_counter()
    answer = asyncio.create_task(send())
    await asyncio.sleep(0.1)
    assert len(sandbox.sent) == 1
    assert sandbox.requests[0].status is None
    assert (await (await answer).json())["status"] == "SUCCESS"
    assert time.perf_counter() - begin >= 0.2
    assert sandbox.requests[0].status == 200


async def test_late_for_a_client_that_gives_up(sandbox: Sandbox) -> None:
    """A client that times out has sent all the same, and stopping is quick."""
    sandbox.add_fault(FaultKind.LATE, seconds=60)
    headers = {
        "Authorization": f"Zoho-oauthtoken {sandbox.issue_token()['access_token']}",
        "Accept": "application/json",
    }
    body = {"senderId": "ZohoVoice", "customerNumber": "+14805550100", "message": "x"}
    async with ClientSession(timeout=ClientTimeout(0.1)) as http:
        with pytest.raises(TimeoutError):
            await http.post(
                f"{sandbox.voice_url}/rest/json/v1/sms/send", json=body, headers=headers
            )
    assert len(sandbox.sent) == 1
    begin = time.perf_counter()
    await sandbox.stop()
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    ("kind", "accepted"), [(FaultKind.DROP_BEFORE, 0), (FaultKind.DROP_AFTER, 1)]
)
async def test_drop(
    sandbox: Sandbox, send: Send, kind: FaultKind, accepted: int
) -> None:
    """The connection ends without an answer."""
    sandbox.add_fault(kind)
    with pytest.raises((ServerDisconnectedError, ClientConnectionError)):
        await send()
    assert len(sandbox.sent) == accepted
    assert sandbox.requests[0].status is None
    assert sandbox.requests[0].accepted == bool(accepted)
    assert (await send()).status == 200


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [(None, None), (3, "3"), ("Wed, 21 Oct 2026 07:28:00 GMT",) * 2],
)
async def test_too_many_requests(
    sandbox: Sandbox, send: Send, retry_after: str | int | None, header: str | None
) -> None:
    """429, with and without the time to wait."""
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, retry_after=retry_after)
    response = await send()
    assert response.status == 429
    assert response.headers.get("Retry-After") == header
    assert sandbox.sent == []
    assert sandbox.requests[0].status == 429


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize(
    ("kind", "accepted"),
    [(FaultKind.SERVER_ERROR, 0), (FaultKind.SERVER_ERROR_AFTER, 1)],
)
async def test_server_error(
    sandbox: Sandbox, send: Send, kind: FaultKind, accepted: int, status: int
) -> None:
    """5xx, before or after accepting."""
    sandbox.add_fault(kind, status=status)
    assert (await send()).status == status
    assert len(sandbox.sent) == accepted


async def test_empty_reply(sandbox: Sandbox, send: Send) -> None:
    """Accepted, but nothing is answered."""
    sandbox.add_fault(FaultKind.EMPTY_REPLY)
    response = await send()
    assert (response.status, await response.read()) == (200, b"")
    assert len(sandbox.sent) == 1


async def test_html_reply(sandbox: Sandbox, send: Send) -> None:
    """Accepted, but a page is answered."""
    sandbox.add_fault(FaultKind.HTML_REPLY)
    response = await send()
    assert (response.status, response.content_type) == (200, "text/html")
    assert "<html>" in await response.text()
    assert len(sandbox.sent) == 1


async def test_truncated_reply(sandbox: Sandbox, send: Send) -> None:
    """Accepted, but half of the JSON is answered."""
    sandbox.add_fault(FaultKind.TRUNCATED_REPLY)
    response = await send()
    assert (response.status, response.content_type) == (200, "application/json")
    text = await response.text()
    assert text.startswith('{"code": "ZVSMS-2000"')
    with pytest.raises(JSONDecodeError):
        loads(text)
    assert len(sandbox.sent) == 1


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.ERROR_200, 200), (FaultKind.ERROR_400, 400)]
)
async def test_error(
    sandbox: Sandbox, send: Send, kind: FaultKind, status: int
) -> None:
    """An error of Zoho Voice, the documented one or any other."""
    sandbox.add_fault(kind)
    sandbox.add_fault(kind, code="ZVSMS-4999", message="Out of credit")
    response = await send()
    assert response.status == status
    assert await response.json() == {
        "status": "ERROR",
        "code": "ZVSMS-4027",
        "message": "Bad Request",
    }
    reply = await (await send()).json()
    assert (reply["code"], reply["message"]) == ("ZVSMS-4999", "Out of credit")
    assert sandbox.sent == []


async def test_unauthorized_once_and_always(sandbox: Sandbox, send: Send) -> None:
    """401 for a token that is right."""
    sandbox.add_fault(FaultKind.UNAUTHORIZED)
    response = await send()
    assert response.status == 401
    assert (await response.json())["code"] == "INVALID_OAUTHTOKEN"
    assert (await send()).status == 200
    sandbox.add_fault(FaultKind.UNAUTHORIZED, times=None)
    assert [(await send()).status for _ in range(3)] == [401] * 3
    sandbox.clear_faults()
    assert (await send()).status == 200
    assert len(sandbox.sent) == 2


async def test_missing_scope(sandbox: Sandbox, send: Send) -> None:
    """401 for a scope that is there."""
    sandbox.add_fault(FaultKind.MISSING_SCOPE)
    response = await send()
    assert response.status == 401
    assert (await response.json())["code"] == "OAUTH_SCOPE_MISMATCH"


async def test_faults_queue_up(sandbox: Sandbox, send: Send) -> None:
    """Each request takes the first fault that is left."""
    sandbox.add_fault(FaultKind.SERVER_ERROR, times=2, status=503)
    sandbox.add_fault(FaultKind.TOKEN_ERROR)
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS)
    assert [(await send()).status for _ in range(4)] == [503, 503, 429, 200]
    assert len(sandbox.sent) == 1


async def test_refused_request_stays_refused(sandbox: Sandbox, send: Send) -> None:
    """A fault after accepting does not hide that a request is wrong."""
    sandbox.add_fault(FaultKind.EMPTY_REPLY)
    reply = await (await send(message="")).json()
    assert reply["code"] == "ZVSMS-4027"


async def test_refuse_and_listen(sandbox: Sandbox, send: Send) -> None:
    """The port refuses connections, also for those who were connected before."""
    assert (await send()).status == 200
    await sandbox.refuse()
    for _ in range(2):
        with pytest.raises(ClientConnectorError):
            await send()
    await sandbox.refuse()
    await sandbox.listen()
    await sandbox.listen()
    assert (await send()).status == 200
    assert len(sandbox.requests) == 2


async def test_refuse_accounts(sandbox: Sandbox, http: ClientSession) -> None:
    """The accounts port can refuse connections too."""
    url = sandbox.accounts_url
    await sandbox.refuse("accounts")
    with pytest.raises(ClientConnectorError):
        await http.get(url)
    await sandbox.listen("accounts")
    assert (await http.get(url)).status == 200


async def test_refuse_fault_ends_by_itself(sandbox: Sandbox, send: Send) -> None:
    """After the time that was given, the port listens again."""
    sandbox.add_fault(FaultKind.REFUSE, seconds=0.2)
    with pytest.raises(ClientConnectorError):
        await send()
    await asyncio.sleep(0.25)
    assert (await send()).status == 200


async def test_refuse_fault_until_cleared(sandbox: Sandbox, send: Send) -> None:
    """Without a time, it lasts until the faults are cleared."""
    sandbox.add_fault(FaultKind.REFUSE)
    with pytest.raises(ClientConnectorError):
        await send()
    sandbox.clear_faults()
    assert (await send()).status == 200


async def test_clearing_faults_keeps_a_refusal(sandbox: Sandbox, send: Send) -> None:
    """What refuse() began, only listen() ends."""
    await sandbox.refuse()
    sandbox.clear_faults()
    with pytest.raises(ClientConnectorError):
        await send()


async def test_stop_ends_a_refuse_fault(sandbox: Sandbox) -> None:
    """No timer is left behind."""
    sandbox.add_fault(FaultKind.REFUSE, seconds=60)
    await sandbox.stop()


async def test_token_late(sandbox: Sandbox, http: ClientSession) -> None:
    """The token comes, but late."""
    sandbox.add_fault(FaultKind.TOKEN_LATE, seconds=0.2)
    begin = time.perf_counter()
    status, _, text = await post_token(sandbox, http)
    assert time.perf_counter() - begin >= 0.2
    assert status == 200
    assert "access_token" in loads(text)


async def test_token_error(sandbox: Sandbox, http: ClientSession) -> None:
    """An error with HTTP 200, as Zoho has it."""
    sandbox.add_fault(FaultKind.TOKEN_ERROR)
    sandbox.add_fault(FaultKind.TOKEN_ERROR, code="invalid_client")
    status, _, text = await post_token(sandbox, http)
    assert (status, loads(text)) == (200, {"error": "invalid_code"})
    status, _, text = await post_token(sandbox, http)
    assert (status, loads(text)) == (200, {"error": "invalid_client"})
    assert [request.outcome for request in sandbox.token_requests] == [
        "invalid_code",
        "invalid_client",
    ]


@pytest.mark.parametrize(("given", "status"), [(None, 400), (400, 400), (200, 200)])
async def test_token_throttled(
    sandbox: Sandbox, http: ClientSession, given: int | None, status: int
) -> None:
    """Throttled, with either status."""
    sandbox.add_fault(FaultKind.TOKEN_THROTTLED, status=given)
    answered, _, text = await post_token(sandbox, http)
    assert answered == status
    assert loads(text)["status"] == "failure"
    assert loads(text)["error"] == "Access Denied"


async def test_token_server_error_html_and_drop(
    sandbox: Sandbox, http: ClientSession
) -> None:
    """The token endpoint is out of order."""
    sandbox.add_fault(FaultKind.TOKEN_SERVER_ERROR, status=503)
    sandbox.add_fault(FaultKind.TOKEN_HTML)
    sandbox.add_fault(FaultKind.TOKEN_DROP)
    status, _, _ = await post_token(sandbox, http)
    assert status == 503
    status, content_type, _ = await post_token(sandbox, http)
    assert (status, content_type) == (200, "text/html")
    with pytest.raises(ClientConnectionError):
        await post_token(sandbox, http)
    assert [request.outcome for request in sandbox.token_requests] == [
        "status 503",
        "html",
        "dropped",
    ]


@pytest.mark.parametrize(("given", "status"), [(None, 500), (503, 503), (401, 401)])
async def test_user_info_error(
    sandbox: Sandbox, http: ClientSession, given: int | None, status: int
) -> None:
    """Nobody knows who is signed in."""
    token = sandbox.issue_token()["access_token"]
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    sandbox.add_fault(FaultKind.USER_INFO_ERROR, status=given)
    url = f"{sandbox.accounts_url}/oauth/user/info"
    assert (await http.get(url, headers=headers)).status == status
    assert (await http.get(url, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (FaultKind.LATE, {}),
        (FaultKind.TOKEN_LATE, {}),
        (FaultKind.LATE, {"seconds": -1}),
        (FaultKind.SERVER_ERROR, {"status": 99}),
        (FaultKind.SERVER_ERROR, {"times": 0}),
    ],
)
async def test_senseless_options(
    sandbox: Sandbox, kind: FaultKind, options: dict[str, Any]
) -> None:
    """Options that make no sense are refused."""
    with pytest.raises(ValueError, match=r"times|seconds|status"):
        sandbox.add_fault(kind, **options)
