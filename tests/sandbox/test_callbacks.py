"""Calling the receiver of a `statusCallback`."""

import asyncio
from collections.abc import Mapping
import socket
import time
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
import pytest

from sandbox import CallbackStyle, Sandbox, Sms, through_test_client

from .conftest import Receiver, Send

ALICE, BOB = "+14805550100", "+14805550111"


@pytest.fixture
async def sms(sandbox: Sandbox, send: Send, receiver: Receiver) -> Sms:
    """Return an SMS whose receiver listens."""
    await send(statusCallback=receiver.url)
    return sandbox.sent[0]


async def test_json_by_default(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """A POST of JSON to the very URL, and a record of it."""
    made = await sandbox.report(sms, "UNDELIVERED", "The phone is off")
    (call,) = receiver.calls
    assert (call["method"], call["content_type"]) == ("POST", "application/json")
    assert call["query"] == {"key": "1"}
    assert receiver.payloads == [
        {
            "logid": sms.log_id,
            "status": "UNDELIVERED",
            "statusDescription": "The phone is off",
            "customerNumber": "+1 480-555-0100",
            "senderId": "+1 888-555-0100",
            "messageType": "OUTGOING",
            "submittedTime": 1764831248500,
        }
    ]
    (callback,) = sandbox.callbacks.made
    assert made == [callback]
    assert (callback.log_id, callback.number) == (sms.log_id, ALICE)
    assert (callback.status, callback.answer) == ("UNDELIVERED", 200)
    assert (callback.method, callback.url) == ("POST", receiver.url)
    assert (callback.body, callback.error) == (call["body"], None)
    assert callback.at == 1764831248.5


async def test_put(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """Another method."""
    sandbox.callbacks.style = CallbackStyle(method="PUT")
    await sandbox.report(sms, "DELIVERED")
    assert receiver.calls[0]["method"] == "PUT"
    assert receiver.payloads[0]["status"] == "DELIVERED"


async def test_form(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """A form instead of JSON."""
    sandbox.callbacks.style = CallbackStyle(encoding="form")
    await sandbox.report(sms, "UNDELIVERED", "Nicht erreichbar & aus")
    (call,) = receiver.calls
    assert call["content_type"] == "application/x-www-form-urlencoded"
    form = parse_qs(call["body"])
    assert (form["logid"], form["status"]) == ([sms.log_id], ["UNDELIVERED"])
    assert form["statusDescription"] == ["Nicht erreichbar & aus"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_query(
    sandbox: Sandbox, sms: Sms, receiver: Receiver, method: Any
) -> None:
    """All in the URL, beside what it brought along."""
    sandbox.callbacks.style = CallbackStyle(method=method, encoding="query")
    await sandbox.report(sms, "DELIVERED")
    (call,) = receiver.calls
    assert (call["method"], call["body"]) == (method, "")
    assert call["query"]["key"] == "1"
    assert (call["query"]["logid"], call["query"]["status"]) == (
        sms.log_id,
        "DELIVERED",
    )
    assert call["query"]["customerNumber"] == "+1 480-555-0100"


async def test_query_of_a_url_without_one(
    sandbox: Sandbox, send: Send, receiver: Receiver
) -> None:
    """The first parameter is told from the path, whatever its fragment is."""
    sandbox.callbacks.style = CallbackStyle(method="GET", encoding="query")
    await send(statusCallback=receiver.url.replace("?key=1", "#part"))
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert receiver.calls[0]["query"]["status"] == "DELIVERED"


@pytest.mark.parametrize(
    ("id_name", "status_name"),
    [("logId", "deliveryStatus"), ("log_id", "Status"), ("messageId", "state")],
)
async def test_odd_names(
    sandbox: Sandbox, sms: Sms, receiver: Receiver, id_name: str, status_name: str
) -> None:
    """The names of the fields can be any."""
    sandbox.callbacks.style = CallbackStyle(
        id_name=id_name, status_name=status_name, nested_in="data", with_number=False
    )
    await sandbox.report(sms, "DELIVERED")
    assert receiver.payloads == [
        {
            "data": {
                id_name: sms.log_id,
                status_name: "DELIVERED",
                "senderId": "+1 888-555-0100",
                "messageType": "OUTGOING",
                "submittedTime": 1764831248500,
            }
        }
    ]


async def test_status_case(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """The case of a status varies here, too."""
    sandbox.status_case = "title"
    await sandbox.report(sms, "DELIVERED")
    assert receiver.payloads[0]["status"] == "Delivered"
    assert sandbox.message_log[0].status == "DELIVERED"


async def test_each_number_is_called_back(
    sandbox: Sandbox, send: Send, receiver: Receiver
) -> None:
    """A shared log ID makes a callback for each number."""
    sandbox.several_as = "object"
    await send(customerNumber=f"{ALICE},{BOB}", statusCallback=receiver.url)
    await sandbox.report(sandbox.sent[0].log_id, "DELIVERED")
    assert [payload["customerNumber"] for payload in receiver.payloads] == [
        "+1 480-555-0100",
        "+1 480-555-0111",
    ]
    assert len({payload["logid"] for payload in receiver.payloads}) == 1


async def test_nobody_to_call(sandbox: Sandbox, send: Send) -> None:
    """An SMS without a `statusCallback` is only in the log."""
    await send()
    assert await sandbox.report(sandbox.sent[0], "DELIVERED") == []
    with pytest.raises(ValueError, match="without a statusCallback"):
        await sandbox.call_back(sandbox.sent[0], "DELIVERED")
    assert sandbox.callbacks.made == []


async def test_scheduled_sms_call_back_later(
    sandbox: Sandbox, freezer: Any, send: Send, receiver: Receiver
) -> None:
    """What was scheduled keeps its receiver."""
    await send(statusCallback=receiver.url, scheduledTime="2025-12-05 00:00:00")
    freezer.move_to("2025-12-05 00:00:00")
    (sent,) = sandbox.send_due()
    await sandbox.report(sent, "DELIVERED")
    assert len(receiver.calls) == 1


async def test_lost_late_and_wrong(
    sandbox: Sandbox, sms: Sms, receiver: Receiver
) -> None:
    """The log and the callbacks need not agree."""
    assert await sandbox.report(sms, "DELIVERED", callback=False) == []
    assert receiver.calls == []
    await sandbox.call_back(sms, "SENT")
    await sandbox.call_back(sms.log_id, "FAILED", "No credit", number=ALICE)
    assert [payload["status"] for payload in receiver.payloads] == ["SENT", "FAILED"]
    assert sandbox.message_log[0].status == "DELIVERED"


async def test_repeated(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """The same callback several times."""
    sandbox.callbacks.style = CallbackStyle(times=3)
    assert len(await sandbox.report(sms, "DELIVERED")) == 3
    assert receiver.payloads[0] == receiver.payloads[1] == receiver.payloads[2]


async def test_late(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """The log knows before the receiver does, who hears what was so then."""
    sandbox.callbacks.style = CallbackStyle(late_seconds=0.1)
    begin = time.perf_counter()
    first = asyncio.create_task(sandbox.report(sms, "SENT"))
    await asyncio.sleep(0)
    sandbox.callbacks.style = CallbackStyle()
    await sandbox.report(sms, "DELIVERED")
    assert sandbox.message_log[0].status == "DELIVERED"
    await first
    assert time.perf_counter() - begin >= 0.1
    assert [each["status"] for each in receiver.payloads] == ["DELIVERED", "SENT"]
    assert sandbox.message_log[0].status == "DELIVERED"


async def test_out_of_order(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """Nobody hears that an SMS is sent before they hear what followed."""
    sandbox.callbacks.style = CallbackStyle(out_of_order=True)
    assert await sandbox.report(sms, "SENT") == []
    assert len(await sandbox.report(sms, "DELIVERED")) == 2
    await sandbox.report(sms, "FAILED")
    assert [each["status"] for each in receiver.payloads] == [
        "DELIVERED",
        "SENT",
        "FAILED",
    ]


@pytest.mark.parametrize(
    ("statuses", "answers"),
    [
        ([500, 503, 200], [500, 503, 200]),
        ([500] * 5, [500] * 3),
        ([404, 200], [404]),
        ([302, 200], [302]),
    ],
)
async def test_tries(
    sandbox: Sandbox,
    sms: Sms,
    receiver: Receiver,
    statuses: list[int],
    answers: list[int],
) -> None:
    """A receiver that fails is called again, one that refuses is not."""
    receiver.statuses = statuses
    made = await sandbox.report(sms, "DELIVERED")
    assert [each.answer for each in made] == answers
    assert len({each.body for each in made}) == 1
    assert sandbox.callbacks.made == made


async def test_time_between_tries(
    sandbox: Sandbox, sms: Sms, receiver: Receiver
) -> None:
    """The receiver is left in peace for a while."""
    sandbox.callbacks.style = CallbackStyle(tries=2, retry_seconds=0.1)
    receiver.statuses = [500, 200]
    begin = time.perf_counter()
    await sandbox.report(sms, "DELIVERED")
    assert time.perf_counter() - begin >= 0.1


async def test_nobody_answers(sandbox: Sandbox, send: Send) -> None:
    """A URL that cannot be reached is remembered, and the status is changed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    await send(statusCallback=f"http://127.0.0.1:{port}/hook")
    made = await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert [each.answer for each in made] == [None] * 3
    assert "Cannot connect" in (made[0].error or "")
    assert sandbox.message_log[0].status == "DELIVERED"


async def test_nothing_to_reach(sandbox: Sandbox, send: Send) -> None:
    """A port that no address can have is one that cannot be reached."""
    await send(statusCallback="http://127.0.0.1:99999999/hook")
    made = await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert [each.answer for each in made] == [None] * 3
    assert made[0].error


async def test_transport(sandbox: Sandbox, send: Send) -> None:
    """The requests can be made by anything."""
    calls = []

    async def call(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> int:
        calls.append((method, url, dict(headers)))
        if len(calls) < 3:
            raise TimeoutError("too late")
        return 204

    sandbox.callbacks.transport = call
    await send(statusCallback="https://example.com/api/webhook/abc")
    made = await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert (
        calls
        == [
            (
                "POST",
                "https://example.com/api/webhook/abc",
                {"Content-Type": "application/json"},
            )
        ]
        * 3
    )
    assert [(each.answer, each.error) for each in made] == [
        (None, "TimeoutError: too late"),
        (None, "TimeoutError: too late"),
        (204, None),
    ]


async def test_into_a_test_server(
    sandbox: Sandbox, send: Send, receiver: Receiver
) -> None:
    """The transport for tests looks at nothing of a URL but path and query."""
    app = web.Application()
    app.router.add_post("/api/{name:.*}", receiver.handle)
    sandbox.callbacks.style = CallbackStyle(encoding="query")
    async with TestClient(TestServer(app)) as client:
        sandbox.callbacks.transport = through_test_client(client)
        await send(statusCallback="https://example.com/api/web%2Fhook?a=b%26c")
        (made,) = await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert made.answer == 200
    assert receiver.calls[0]["query"]["a"] == "b&c"
    assert receiver.calls[0]["query"]["status"] == "DELIVERED"


async def test_reset(sandbox: Sandbox, sms: Sms, receiver: Receiver) -> None:
    """What was made is forgotten, and what is held back is never made."""
    style = sandbox.callbacks.style = CallbackStyle(out_of_order=True)
    await sandbox.report(sms, "SENT")
    sandbox.reset()
    assert sandbox.callbacks.made == []
    assert sandbox.callbacks.style == style
    with pytest.raises(LookupError):
        await sandbox.report(sms, "DELIVERED")
    assert receiver.calls == []


async def test_refused_url(sandbox: Sandbox, send: Send) -> None:
    """Zoho may take no receiver at all, and the SMS without one."""
    sandbox.accept_callbacks = False
    reply = await (await send(statusCallback="https://example.com/hook")).json()
    assert reply == {
        "status": "ERROR",
        "code": "ZVT011",
        "message": "given URL is wrong",
    }
    assert sandbox.requests[0].refusal == "no statusCallback is accepted"
    assert (await (await send()).json())["status"] == "SUCCESS"
    assert len(sandbox.message_log) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"method": "DELETE"}, "method"),
        ({"encoding": "xml"}, "encoding"),
        ({"method": "GET"}, "GET has no body"),
        ({"nested_in": "data", "encoding": "form"}, "only JSON"),
        ({"times": 0}, "from 1"),
        ({"tries": 0}, "from 1"),
        ({"late_seconds": -1}, "negative"),
        ({"retry_seconds": -1}, "negative"),
    ],
)
def test_senseless_style(options: dict[str, Any], reason: str) -> None:
    """A style that makes no sense is refused."""
    with pytest.raises(ValueError, match=reason):
        CallbackStyle(**options)
