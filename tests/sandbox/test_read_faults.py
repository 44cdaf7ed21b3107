"""What can go wrong with the message log and the schedule."""

import time

from aiohttp import ClientConnectionError
from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Account, FaultKind, Limits, Sandbox

from .conftest import Read, Send

CALLS = pytest.mark.parametrize("call", ["logs", "schedule"])


@pytest.fixture(autouse=True)
async def something_to_read(sandbox: Sandbox, send: Send) -> None:
    """Put an SMS into the log, and another one into the schedule."""
    await send()
    await send(scheduledTime="2025-12-05 00:00:00")


@CALLS
@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (FaultKind.READ_UNAUTHORIZED, 401, "INVALID_OAUTHTOKEN"),
        (FaultKind.READ_MISSING_SCOPE, 401, "OAUTH_SCOPE_MISMATCH"),
        (FaultKind.READ_TOO_MANY_REQUESTS, 429, "TOO_MANY_REQUESTS"),
        (FaultKind.READ_ERROR, 200, "500"),
    ],
)
async def test_errors(
    sandbox: Sandbox, read: Read, call: str, kind: FaultKind, status: int, code: str
) -> None:
    """Errors of Zoho, once each."""
    sandbox.add_fault(kind)
    response = await read(call)
    assert response.status == status
    assert (await response.json())["code"] == code
    assert "Retry-After" not in response.headers
    assert (await read(call)).status == 200
    assert sandbox.reads[0].refusal == f"fault {kind}"


async def test_error_of_any_kind(sandbox: Sandbox, read: Read) -> None:
    """The code, the message and the status can be chosen."""
    sandbox.add_fault(FaultKind.READ_ERROR, status=400, code="X", message="y")
    response = await read()
    assert response.status == 400
    assert await response.json() == {"status": "ERROR", "code": "X", "message": "y"}


async def test_retry_after(sandbox: Sandbox, read: Read) -> None:
    """429 may say how long to wait."""
    sandbox.add_fault(FaultKind.READ_TOO_MANY_REQUESTS, retry_after=7)
    assert (await read()).headers["Retry-After"] == "7"


@pytest.mark.parametrize(("given", "status"), [(None, 500), (503, 503)])
async def test_server_error(
    sandbox: Sandbox, read: Read, given: int | None, status: int
) -> None:
    """A page of a proxy."""
    sandbox.add_fault(FaultKind.READ_SERVER_ERROR, status=given)
    response = await read()
    assert (response.status, response.content_type) == (status, "text/html")


async def test_drop(sandbox: Sandbox, read: Read) -> None:
    """The connection ends without an answer."""
    # The client asks twice: its connection has served the sends.
    sandbox.add_fault(FaultKind.READ_DROP, times=2)
    with pytest.raises(ClientConnectionError):
        await read()
    assert [each.status for each in sandbox.reads] == [None, None]
    assert (await read()).status == 200


async def test_late(sandbox: Sandbox, read: Read) -> None:
    """The rows come, but late."""
    sandbox.add_fault(FaultKind.READ_LATE, seconds=0.2)
    begin = time.perf_counter()
    assert (await read()).status == 200
    assert time.perf_counter() - begin >= 0.2


@CALLS
async def test_garbage(sandbox: Sandbox, read: Read, call: str) -> None:
    """A 200 that is no answer: a page, half of the rows, or any JSON."""
    sandbox.add_fault(FaultKind.READ_HTML)
    sandbox.add_fault(FaultKind.READ_TRUNCATED)
    sandbox.add_fault(FaultKind.READ_GARBAGE)
    sandbox.add_fault(FaultKind.READ_GARBAGE, message='{"smsLogQuery": [null]}')
    responses = [await read(call) for _ in range(4)]
    assert [response.status for response in responses] == [200] * 4
    page, half, garbage, chosen = [await response.text() for response in responses]
    assert "<html>" in page
    whole = await (await read(call)).text()
    assert half
    assert half == whole[: len(half)] != whole
    assert isinstance(await responses[2].json(), list)
    assert garbage
    assert chosen == '{"smsLogQuery": [null]}'


async def test_other_endpoints_are_not_touched(
    sandbox: Sandbox, send: Send, read: Read
) -> None:
    """A fault waits for a request that reads, and the send endpoint's for a send."""
    sandbox.add_fault(FaultKind.READ_SERVER_ERROR)
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS)
    assert (await send()).status == 429
    assert (await send()).status == 200
    assert (await read()).status == 500
    assert (await read()).status == 200


async def test_limit(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, read: Read, send: Send
) -> None:
    """One call too many locks that call, of that account, for ten minutes."""
    sandbox.reads_per_minute = 30
    assert [(await read()).status for _ in range(30)] == [200] * 30
    response = await read()
    assert response.status == 429
    assert "Retry-After" not in response.headers
    assert (await read("schedule")).status == 200
    assert (await send()).status == 200
    sandbox.account = Account(zuid="2")
    token = sandbox.issue_token()["access_token"]
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    assert (await read(headers=headers)).status == 204
    freezer.tick(599)
    assert (await read()).status == 429
    freezer.tick(1)
    assert [(await read()).status for _ in range(31)] == [200] * 30 + [429]


@pytest.mark.clock
async def test_limit_is_per_minute(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, read: Read
) -> None:
    """Whoever stays below the limit is never locked."""
    sandbox.reads_per_minute = 2
    token = sandbox.issue_token()["access_token"]
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    for _ in range(6):
        assert (await read(headers=headers)).status != 429
        freezer.tick(30)
    sandbox.reads_per_minute = None
    assert (await read(headers=headers)).status != 429


async def test_reset_ends_a_lock(sandbox: Sandbox, read: Read) -> None:
    """Nobody stays locked out."""
    sandbox.reads_per_minute = 1
    assert [(await read()).status for _ in range(2)] == [200, 429]
    sandbox.reset()
    assert [(await read()).status for _ in range(2)] == [204, 429]


def test_lock_can_be_short() -> None:
    """The time is one of the limits."""
    assert Limits().read_lock_seconds == 600
    sandbox = Sandbox(limits=Limits(read_lock_seconds=0))
    sandbox.reads_per_minute = 1
    allowed = [sandbox.may_read("logs", sandbox.account) for _ in range(3)]
    assert allowed == [True, False, True]
