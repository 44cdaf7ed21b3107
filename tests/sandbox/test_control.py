"""The control API."""

from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientConnectorError, ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import CallbackStyle, Sandbox

from .conftest import Read, Receiver, Send


async def call(
    sandbox: Sandbox, http: ClientSession, method: str, path: str, **options: Any
) -> tuple[int, Any]:
    """Call the control API, and return status and JSON."""
    url = f"{sandbox.accounts_url}/sandbox/{path}"
    async with http.request(method, url, **options) as response:
        return response.status, await response.json()


async def test_state(
    sandbox: Sandbox, http: ClientSession, send: Send, read: Read
) -> None:
    """All that was received can be read."""
    await send(dataCoding=0)
    await read(size=5)
    await send(message="")
    await http.post(f"{sandbox.accounts_url}/oauth/v2/token")
    token = sandbox.issue_token()["refresh_token"]
    await http.post(f"{sandbox.accounts_url}/oauth/v2/token/revoke?token={token}")
    status, state = await call(sandbox, http, "GET", "state")
    assert status == 200
    assert state.keys() == {
        "sent",
        "requests",
        "reads",
        "callbacks",
        "token_requests",
        "revoked",
    }
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
    (reading,) = state["reads"]
    assert reading["headers"]["Accept"] == "application/json"
    assert (reading["call"], reading["query"]) == ("logs", {"size": "5"})
    assert (reading["status"], reading["rows"]) == (200, 1)
    assert state["callbacks"] == []


async def test_messages(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """The log can be read as the sandbox has it, and what is scheduled."""
    await send(statusCallback="http://127.0.0.1:1/hook")
    sandbox.receive("+14805550111", "Hello")
    await send(scheduledTime="2025-12-05 00:00:00", timeZone="UTC")
    status, reply = await call(sandbox, http, "GET", "messages")
    assert status == 200
    sent, received = reply["messages"]
    assert sent == {
        "log_id": sandbox.sent[0].log_id,
        "direction": "OUTGOING",
        "number": "+14805550100",
        "sender_id": "+18885550100",
        "message": "Hi there!",
        "submitted_at": 1764831248.5,
        "segments": 1,
        "account": "10001",
        "status": "IN_QUEUE",
        "description": None,
        "status_callback": "http://127.0.0.1:1/hook",
    }
    assert (received["direction"], received["message"]) == ("INCOMING", "Hello")
    (scheduled,) = reply["scheduled"]
    assert (scheduled["due_at"], scheduled["account"]) == (1764892800, "10001")
    assert scheduled["sms"]["log_id"] == sandbox.sent[1].log_id


async def test_report_and_call_back(
    sandbox: Sandbox, http: ClientSession, send: Send, receiver: Receiver
) -> None:
    """Statuses are changed, and receivers called, from outside."""
    await send(statusCallback=receiver.url)
    log_id = sandbox.sent[0].log_id
    report = {
        "log_id": log_id,
        "status": "UNDELIVERED",
        "description": "The phone is off",
        "number": "+14805550100",
    }
    status, reply = await call(sandbox, http, "POST", "report", json=report)
    assert (status, reply["status"]) == (200, "ok")
    (callback,) = reply["callbacks"]
    assert (callback["status"], callback["answer"]) == ("UNDELIVERED", 200)
    row = sandbox.message_log[0]
    assert (row.status, row.description) == ("UNDELIVERED", "The phone is off")
    _, reply = await call(
        sandbox, http, "POST", "call_back", json={"log_id": log_id, "status": "SENT"}
    )
    assert len(reply["callbacks"]) == 1
    _, reply = await call(
        sandbox,
        http,
        "POST",
        "report",
        json={"log_id": log_id, "status": "DELIVERED", "callback": False},
    )
    assert reply["callbacks"] == []
    assert row.status == "DELIVERED"
    _, state = await call(sandbox, http, "GET", "state")
    assert [each["status"] for each in state["callbacks"]] == ["UNDELIVERED", "SENT"]


async def test_receive(sandbox: Sandbox, http: ClientSession) -> None:
    """An SMS comes in from outside."""
    values = {"from": "14805550100", "text": "STOP", "to": None}
    status, reply = await call(sandbox, http, "POST", "receive", json=values)
    assert (status, reply["status"]) == (200, "ok")
    sms = sandbox.message_log[0]
    assert reply["message"]["log_id"] == sms.log_id
    assert (sms.number, sms.message) == ("+14805550100", "STOP")


async def test_send_due(
    sandbox: Sandbox, http: ClientSession, freezer: FrozenDateTimeFactory, send: Send
) -> None:
    """What is due is sent when somebody says so."""
    await send(scheduledTime="2025-12-05 00:00:00")
    assert (await call(sandbox, http, "POST", "send_due"))[1]["messages"] == []
    freezer.move_to("2025-12-05 00:00:00")
    _, reply = await call(sandbox, http, "POST", "send_due")
    assert [each["log_id"] for each in reply["messages"]] == [sandbox.sent[0].log_id]
    assert sandbox.scheduled == []


@pytest.mark.parametrize(
    ("path", "values", "text"),
    [
        ("receive", {"from": "+14805550100"}, "text is missing"),
        ("receive", {"from": " ", "text": "x"}, "the number is missing"),
        ("receive", {"from": "1", "text": "x", "to": "?"}, "no sender ID"),
        ("receive", {"from": 1, "text": "x"}, "from cannot be 1"),
        ("report", {"log_id": "x"}, "status is missing"),
        ("report", {"log_id": "x", "status": "SENT"}, "no SMS in the log"),
        ("report", {"log_id": "x", "status": "SENT", "callback": 1}, "callback"),
        ("call_back", {"status": "SENT"}, "log_id is missing"),
        ("call_back", {"log_id": "x", "status": "SENT"}, "no SMS in the log"),
        ("call_back", {"log_id": ..., "status": "SENT"}, "without a statusCallback"),
        ("call_back", {"log_id": "x", "status": "SENT", "callback": False}, "not one"),
    ],
)
async def test_bad_values(
    sandbox: Sandbox,
    http: ClientSession,
    send: Send,
    path: str,
    values: dict[str, Any],
    text: str,
) -> None:
    """What is wrong is said, and nothing changes."""
    await send()
    if values.get("log_id") is ...:
        values = values | {"log_id": sandbox.sent[0].log_id}
    status, reply = await call(sandbox, http, "POST", path, json=values)
    assert status == 400
    assert text in reply["error"]
    assert [row.status for row in sandbox.message_log] == ["IN_QUEUE"]


async def test_reset(
    sandbox: Sandbox, http: ClientSession, send: Send, read: Read
) -> None:
    """The records and the faults are forgotten, the tokens are not."""
    await send()
    await send(scheduledTime="2025-12-05 00:00:00")
    await read()
    await http.post(f"{sandbox.accounts_url}/oauth/v2/token")
    await call(sandbox, http, "POST", "faults", json={"kind": "unauthorized"})
    assert await call(sandbox, http, "POST", "reset") == (200, {"status": "ok"})
    assert (sandbox.sent, sandbox.requests, sandbox.token_requests) == ([], [], [])
    assert (sandbox.scheduled, sandbox.reads, [*sandbox.message_log]) == ([], [], [])
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
        "accept_callbacks": False,
        "callback": {"method": "GET", "encoding": "query", "times": 2},
        "auto_deliver_seconds": 1,
        "undeliverable": ["+14805550100"],
        "time_zone": "Asia/Kolkata",
        "oldest_first": True,
        "status_case": "lower",
        "log_lag_seconds": 1.5,
        "reads_per_minute": 30,
    }
    status, _ = await call(sandbox, http, "POST", "settings", json=settings)
    assert status == 200
    assert (sandbox.several_as, sandbox.error_status) == ("object", 400)
    assert sandbox.answer_seconds == 0.5
    assert sandbox.sender_ids == {"+1", "Alerts"}
    assert not sandbox.accept_callbacks
    assert sandbox.callbacks.style == CallbackStyle(
        method="GET", encoding="query", times=2
    )
    assert (sandbox.auto_deliver_seconds, sandbox.log_lag_seconds) == (1, 1.5)
    assert sandbox.undeliverable == {"+14805550100"}
    assert sandbox.zone == ZoneInfo("Asia/Kolkata")
    assert (sandbox.oldest_first, sandbox.status_case) == (True, "lower")
    assert sandbox.reads_per_minute == 30
    settings = {
        "several_as": "list",
        "auto_deliver_seconds": None,
        "reads_per_minute": None,
        "callback": {},
    }
    await call(sandbox, http, "POST", "settings", json=settings)
    assert (sandbox.auto_deliver_seconds, sandbox.reads_per_minute) == (None, None)
    assert sandbox.callbacks.style == CallbackStyle()
    assert (sandbox.several_as, sandbox.error_status) == ("list", 400)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"several_as": "set"}, "several_as is list or object"),
        ({"several_as": []}, "several_as is list or object"),
        ({"error_status": 500}, "error_status is 200 or 400"),
        ({"error_status": 200.0}, "error_status is 200 or 400"),
        ({"error_status": 200, "answer_seconds": -1}, "answer_seconds is a number"),
        ({"answer_seconds": True}, "answer_seconds is a number"),
        ({"sender_ids": [1]}, "sender_ids is a list of strings"),
        ({"sender_ids": "+1"}, "sender_ids is a list of strings"),
        ({"accept_callbacks": 0}, "accept_callbacks is true or false"),
        ({"callback": "POST"}, "callback is an object"),
        ({"callback": {"method": "DELETE"}}, "method is POST, PUT or GET"),
        ({"callback": {"times": "2"}}, "times cannot be '2'"),
        ({"callback": {"url": "x"}}, "'url' is not one of method,"),
        ({"auto_deliver_seconds": "1"}, "auto_deliver_seconds is a number"),
        ({"undeliverable": None}, "undeliverable is a list"),
        ({"time_zone": "Mars/Base"}, "time_zone is a name like"),
        ({"time_zone": 330}, "time_zone is a name like"),
        ({"oldest_first": "yes"}, "oldest_first is true or false"),
        ({"status_case": "UPPER"}, "status_case is as_is,"),
        ({"log_lag_seconds": None}, "log_lag_seconds is a number"),
        ({"reads_per_minute": 0}, "reads_per_minute is a whole number"),
        ({"reads_per_minute": 1.5}, "reads_per_minute is a whole number"),
        ({"log": "x"}, "'log' is not one of several_as,"),
    ],
)
async def test_bad_settings(
    sandbox: Sandbox, http: ClientSession, settings: dict[str, Any], text: str
) -> None:
    """Nothing changes if anything is wrong."""
    sandbox.error_status = 400
    before = dict(vars(sandbox))
    status, reply = await call(sandbox, http, "POST", "settings", json=settings)
    assert status == 400
    assert text in reply["error"]
    assert vars(sandbox) == before
    assert sandbox.callbacks.style == CallbackStyle()


async def test_tokens(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """Tokens can be issued and ended."""
    status, token = await call(sandbox, http, "POST", "token")
    assert status == 200
    headers = {"Authorization": f"Zoho-oauthtoken {token['access_token']}"}
    assert (await send(headers)).status == 200
    assert (await call(sandbox, http, "POST", "expire_access_tokens"))[0] == 200
    assert (await send(headers)).status == 401
    assert sandbox.token_requests == []
