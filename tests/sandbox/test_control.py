"""The control API."""

from typing import Any

from aiohttp import ClientConnectorError, ClientSession
import pytest

from sandbox import Sandbox

from .conftest import Send


async def call(
    sandbox: Sandbox, http: ClientSession, method: str, path: str, **options: Any
) -> tuple[int, Any]:
    """Call the control API, and return status and JSON."""
    url = f"{sandbox.accounts_url}/sandbox/{path}"
    async with http.request(method, url, **options) as response:
        return response.status, await response.json()


async def test_state(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """All that was received can be read."""
    await send(dataCoding=0)
    await send(message="")
    await http.post(f"{sandbox.accounts_url}/oauth/v2/token")
    token = sandbox.issue_token()["refresh_token"]
    await http.post(f"{sandbox.accounts_url}/oauth/v2/token/revoke?token={token}")
    status, state = await call(sandbox, http, "GET", "state")
    assert status == 200
    assert state.keys() == {"sent", "requests", "token_requests", "revoked"}
    assert state["sent"] == [
        {
            "log_id": sandbox.sent[0].log_id,
            "number": "+14805550100",
            "sender_id": "+18885550100",
            "message": "Hi there!",
            "data_coding": 0,
            "scheduled_time": None,
            "time_zone": None,
            "status_callback": None,
            "submitted_at": 1764831248.5,
        }
    ]
    accepted, refused = state["requests"]
    assert accepted["body"]["dataCoding"] == 0
    assert accepted["headers"]["Accept"] == "application/json"
    assert (accepted["status"], accepted["accepted"]) == (200, True)
    assert refused["refusal"] == "message has 0 characters"
    assert state["token_requests"] == [
        {"grant_type": None, "outcome": "invalid_client"}
    ]
    assert state["revoked"] == [token]


async def test_reset(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """The records and the faults are forgotten, the tokens are not."""
    await send()
    await http.post(f"{sandbox.accounts_url}/oauth/v2/token")
    await call(sandbox, http, "POST", "faults", json={"kind": "unauthorized"})
    assert await call(sandbox, http, "POST", "reset") == (200, {"status": "ok"})
    assert (sandbox.sent, sandbox.requests, sandbox.token_requests) == ([], [], [])
    assert (await send()).status == 200


async def test_faults(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """Faults can be added and cleared."""
    fault = {"kind": "too_many_requests", "times": None, "retry_after": 7}
    assert (await call(sandbox, http, "POST", "faults", json=fault))[0] == 200
    response = await send()
    assert (response.status, response.headers["Retry-After"]) == (429, "7")
    assert (await send()).status == 429
    assert (await call(sandbox, http, "DELETE", "faults"))[0] == 200
    assert (await send()).status == 200


async def test_refuse_fault(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """The Voice port can be closed from outside, and opened again."""
    await send()
    await call(sandbox, http, "POST", "faults", json={"kind": "refuse"})
    with pytest.raises(ClientConnectorError):
        await send()
    await call(sandbox, http, "DELETE", "faults")
    assert (await send()).status == 200


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "kind None is not one of"),
        ('{"kind": "nonsense"}', "kind 'nonsense' is not one of"),
        ('{"kind": ["late"]}', "kind cannot be ['late']"),
        ('{"kind": "late"}', "late needs seconds"),
        ('{"kind": "late", "seconds": "1"}', "seconds cannot be '1'"),
        ('{"kind": "late", "seconds": -1}', "seconds cannot be negative"),
        ('{"kind": "late", "seconds": 1, "times": 0}', "times is"),
        ('{"kind": "late", "seconds": 1, "times": true}', "times cannot be True"),
        ('{"kind": "late", "second": 1}', "'second' is not one of"),
    ],
)
async def test_bad_fault(
    sandbox: Sandbox, http: ClientSession, body: str, text: str
) -> None:
    """What is wrong with a fault is said."""
    status, reply = await call(sandbox, http, "POST", "faults", data=body)
    assert status == 400
    assert text in reply["error"]


async def test_settings(sandbox: Sandbox, http: ClientSession) -> None:
    """All settings at once, or one alone."""
    settings = {
        "several_as": "object",
        "error_status": 400,
        "answer_seconds": 0.5,
        "sender_ids": ["+1", "Alerts"],
    }
    status, _ = await call(sandbox, http, "POST", "settings", json=settings)
    assert status == 200
    assert (sandbox.several_as, sandbox.error_status) == ("object", 400)
    assert sandbox.answer_seconds == 0.5
    assert sandbox.sender_ids == {"+1", "Alerts"}
    await call(sandbox, http, "POST", "settings", json={"several_as": "list"})
    assert (sandbox.several_as, sandbox.error_status) == ("list", 400)


@pytest.mark.parametrize(
    "settings",
    [
        {"several_as": "set"},
        {"error_status": 500},
        {"error_status": 200, "answer_seconds": -1},
        {"sender_ids": [1]},
        {"sender_ids": "+1"},
        {"log": "x"},
    ],
)
async def test_bad_settings(
    sandbox: Sandbox, http: ClientSession, settings: dict[str, Any]
) -> None:
    """Nothing changes if anything is wrong."""
    sandbox.error_status = 400
    status, reply = await call(sandbox, http, "POST", "settings", json=settings)
    assert status == 400
    assert reply["error"]
    assert (sandbox.several_as, sandbox.error_status) == ("list", 400)
    assert sandbox.sender_ids == {"+18885550100", "ZohoVoice"}


async def test_tokens(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """Tokens can be issued and ended."""
    status, token = await call(sandbox, http, "POST", "token")
    assert status == 200
    headers = {"Authorization": f"Zoho-oauthtoken {token['access_token']}"}
    assert (await send(headers)).status == 200
    assert (await call(sandbox, http, "POST", "expire_access_tokens"))[0] == 200
    assert (await send(headers)).status == 401
    assert sandbox.token_requests == []
