"""Reading the message log and the schedule, over the wire."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
import json
import logging
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.zoho_voice.zoho import client as client_module
from custom_components.zoho_voice.zoho.client import PAGE_SIZE, ZohoVoiceClient
from custom_components.zoho_voice.zoho.errors import (
    CannotConnectError,
    ConnectionLostError,
    MissingScopeError,
    RejectedError,
    ServerFailedError,
    SignInError,
    ThrottledError,
    TimedOutError,
    UnreadableReplyError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.message_log import Direction, Page
from custom_components.zoho_voice.zoho.models import DataCoding, Sms
from custom_components.zoho_voice.zoho.reply import MAX_BODY
from sandbox import Sandbox
from tests.conftest import ALICE, SENDER_ID

from .conftest import OddZoho, Tokens

LOG = "GET /rest/json/v1/sms/logs"
SCHEDULE = "GET /rest/json/v1/sms/schedule"

type Call = Callable[[ZohoVoiceClient], Awaitable[Any]]

CALLS: list[tuple[Call, str, str]] = [
    # what to call, what it requests, where the rows are
    (ZohoVoiceClient.async_get_log, LOG, "smsLogQuery"),
    (ZohoVoiceClient.async_get_schedule, SCHEDULE, "schedule"),
]
each_call = pytest.mark.parametrize(
    ("call", "request_line", "rows"), CALLS, ids=["log", "schedule"]
)


def as_answer(body: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    """Return the answer that carries JSON."""
    return {
        "text": json.dumps(body),
        "status": status,
        "content_type": "application/json",
        "headers": headers,
    }


def log_row(log_id: str, **changes: Any) -> dict[str, Any]:
    """Return a row of the log."""
    return {
        "logid": log_id,
        "messageType": "INCOMING",
        "customerNumber": "+1 480-555-0100",
        "message": "Take this",
    } | changes


# What goes out


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, {"from": "0", "size": "200", "messageType": "All"}),
        (
            {"start": 400, "size": 50},
            {"from": "400", "size": "50", "messageType": "All"},
        ),
        (
            {"direction": Direction.INCOMING},
            {"from": "0", "size": "200", "messageType": "Incoming"},
        ),
        (
            {"direction": Direction.OUTGOING, "number": ALICE},
            {
                "from": "0",
                "size": "200",
                "messageType": "Outgoing",
                "customerNumber": "14805550100",
            },
        ),
        (
            {
                "since": datetime(2026, 11, 22, 12, 0, 59, 999999, UTC),
                "until": datetime(2026, 11, 22, 12, 0, 0, 1, UTC),
            },
            {
                "from": "0",
                "size": "200",
                "messageType": "All",
                "fromDate": "20261122 12:00",
                "toDate": "20261122 12:01",
            },
        ),
        (
            {
                "since": datetime(
                    2027, 1, 1, 5, 29, tzinfo=timezone(timedelta(hours=5.5))
                ),
                "until": datetime(
                    2026, 12, 31, 16, tzinfo=timezone(-timedelta(hours=8))
                ),
            },
            {
                "from": "0",
                "size": "200",
                "messageType": "All",
                "fromDate": "20261231 23:59",
                "toDate": "20270101 00:00",
            },
        ),
    ],
)
async def test_log_is_asked_for_as_documented(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    options: dict[str, Any],
    query: dict[str, str],
) -> None:
    odd_zoho.answer = {"status": 204}
    assert await odd_client.async_get_log(**options) == Page([])
    assert odd_zoho.requests == [LOG]
    assert odd_zoho.queries == [query]


async def test_dates_can_be_written_in_another_way(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho
) -> None:
    odd_zoho.answer = {"status": 204}
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with patch.object(client_module, "_LOG_DATE", "%Y-%m-%d %H:%M:%S"):
        await odd_client.async_get_log(since=noon, until=noon)
    [query] = odd_zoho.queries
    assert query["fromDate"] == "2026-11-22 12:00:00"
    assert query["toDate"] == "2026-11-22 12:00:59"


async def test_schedule_is_asked_for_as_documented(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho
) -> None:
    odd_zoho.answer = {"status": 204}
    assert await odd_client.async_get_schedule() == Page([])
    assert await odd_client.async_get_schedule(start=200, size=10) == Page([])
    assert odd_zoho.requests == [SCHEDULE] * 2
    assert odd_zoho.queries == [
        {"from": "0", "size": "200"},
        {"from": "200", "size": "10"},
    ]


# What comes back


async def test_page_of_the_log(odd_client: ZohoVoiceClient, odd_zoho: OddZoho) -> None:
    odd_zoho.answer = as_answer(
        {
            "smsLogQuery": [log_row("a"), {"what": "is this"}, log_row("b")],
            "meta": {"total": 203},
            "code": "200",
            "status": "SUCCESS",
        }
    )
    page = await odd_client.async_get_log()
    assert [row.log_id for row in page.rows] == ["a", "b"]
    assert (page.total, page.skipped) == (203, 1)


async def test_scheduled_messages(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho
) -> None:
    odd_zoho.answer = as_answer(
        {
            "schedule": [
                {
                    "scheduledTime": "2023-03-04 21:35:00",
                    "timeZone": "Pacific/Niue",
                    "jobId": "961000000506031",
                }
            ],
            "code": "200",
            "status": "SUCCESS",
        }
    )
    [scheduled] = (await odd_client.async_get_schedule()).rows
    assert scheduled.job_id == "961000000506031"
    assert str(scheduled.scheduled_time) == "2023-03-04 21:35:00"
    assert scheduled.time_zone == "Pacific/Niue"


@each_call
@pytest.mark.parametrize(
    ("said", "count"),
    [
        ({"code": "200", "status": "SUCCESS"}, 1),
        ({"code": 200}, 1),
        ({"status": "success"}, 1),
        ({"status": "Success", "code": "ZVSMS-2000"}, 1),
        ({}, 1),
        ({"code": "200", "rows": []}, 0),
        ({"code": "200", "rows": None}, 0),
        ({"status": "success", "rows": None}, 0),
    ],
)
async def test_every_way_to_say_success(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    call: Call,
    request_line: str,
    rows: str,
    said: dict[str, Any],
    count: int,
) -> None:
    body = {rows: [log_row("a")], **said}
    if "rows" in said:
        body[rows] = body.pop("rows")
    odd_zoho.answer = as_answer(body)
    found = await call(odd_client)
    assert len(found.rows) == count
    assert odd_zoho.requests == [request_line]


async def test_half_an_emoji_hides_nothing(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho
) -> None:
    rows = [log_row("a", message="half \ud83c"), log_row("b", message="Grüße 🎄")]
    odd_zoho.answer = as_answer({"smsLogQuery": rows, "code": "200"})
    page = await odd_client.async_get_log()
    assert [row.message for row in page.rows] == ["half \ufffd", "Grüße 🎄"]


async def test_full_page_of_long_messages_is_read(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho
) -> None:
    # A reply of three times the length, and no character as it is.
    message = "ü" * 3000
    rows = [log_row(str(n), message=message) for n in range(PAGE_SIZE)]
    odd_zoho.answer = as_answer({"smsLogQuery": rows, "code": "200"})
    assert 1024 * 1024 < len(odd_zoho.answer["text"]) < MAX_BODY
    page = await odd_client.async_get_log()
    assert [row.message for row in page.rows] == [message] * PAGE_SIZE


async def test_more_than_is_read_is_no_empty_page(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho
) -> None:
    rows = [log_row("a", message="x" * MAX_BODY)]
    odd_zoho.answer = as_answer({"smsLogQuery": rows, "code": "200"})
    with pytest.raises(UnreadableReplyError):
        await odd_client.async_get_log()


# What goes wrong


@each_call
@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (as_answer({"status": "ERROR", "code": "500"}), RejectedError, "500"),
        (as_answer({"code": "500", "message": "failed"}), RejectedError, "500"),
        (as_answer({"code": 500}), RejectedError, "500"),
        (as_answer({"status": "failed", "code": "200"}), RejectedError, "200"),
        (as_answer({"status": "failure"}), RejectedError, "HTTP 200"),
        (as_answer({"code": "X-1"}, 400), RejectedError, "X-1"),
        (as_answer({"code": "200"}, 404), RejectedError, "200"),
        ({"status": 403}, RejectedError, "HTTP 403"),
        ({"status": 200}, UnreadableReplyError, "HTTP 200"),
        ({"text": "<html>"}, UnreadableReplyError, "HTTP 200"),
        ({"text": '{"smsLogQuery": [{'}, UnreadableReplyError, "HTTP 200"),
        (as_answer([]), UnreadableReplyError, "HTTP 200"),
        (as_answer({}), UnreadableReplyError, "HTTP 200"),
        (as_answer({"code": "201"}), UnreadableReplyError, "201"),
        (as_answer({"rows": []}), UnreadableReplyError, "HTTP 200"),
        (as_answer({"code": "X-1", "rows": []}), UnreadableReplyError, "X-1"),
        (as_answer({"code": "200", "rows": {}}), UnreadableReplyError, "200"),
        (as_answer({"code": "200", "rows": "x"}), UnreadableReplyError, "200"),
        (as_answer({"code": "200"}, 302), UnreadableReplyError, "200"),
        (as_answer({"code": "200"}, 500), ServerFailedError, "200"),
        ({"status": 503}, ServerFailedError, "HTTP 503"),
    ],
)
async def test_odd_answer_raises_its_error_after_one_request(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    odd_tokens: Tokens,
    call: Call,
    request_line: str,
    rows: str,
    answer: dict[str, Any],
    error: type[ZohoError],
    code: str,
) -> None:
    text = answer.get("text", "").replace('"rows"', f'"{rows}"')
    odd_zoho.answer = answer | {"text": text}
    with pytest.raises(ZohoError) as raised:
        await call(odd_client)
    assert type(raised.value) is error
    assert raised.value.code == code
    assert odd_zoho.requests == [request_line]
    assert odd_tokens.sign_ins_refused == []


@each_call
@pytest.mark.parametrize("retry_after", [None, "0", "1", "600"])
async def test_throttling_is_left_to_the_caller(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    waits: list[float],
    call: Call,
    request_line: str,
    rows: str,
    retry_after: str | None,
) -> None:
    odd_zoho.answer = {
        "status": 429,
        "headers": {"Retry-After": retry_after} if retry_after else {},
    }
    with pytest.raises(ThrottledError) as raised:
        await call(odd_client)
    assert raised.value.retry_after == (retry_after and float(retry_after))
    assert odd_zoho.requests == [request_line]
    assert waits == []


@each_call
async def test_refused_connection_is_left_to_the_caller(
    client: ZohoVoiceClient,
    sandbox: Sandbox,
    tries: list[str],
    waits: list[float],
    call: Call,
    request_line: str,
    rows: str,
) -> None:
    await sandbox.refuse()
    with pytest.raises(CannotConnectError):
        await call(client)
    assert tries == ["GET"]
    assert waits == []


@each_call
async def test_time_out_is_left_to_the_caller(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    call: Call,
    request_line: str,
    rows: str,
) -> None:
    async def be_late(_: OddZoho, _request: Any) -> None:
        await asyncio.sleep(5)

    with (
        patch.object(OddZoho, "pause", be_late),
        patch.object(client_module, "REQUEST_TIMEOUT", 0.2),
        pytest.raises(TimedOutError),
    ):
        await call(odd_client)
    assert odd_zoho.requests == [request_line]


@each_call
async def test_broken_connection_is_left_to_the_caller(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    call: Call,
    request_line: str,
    rows: str,
) -> None:
    async def hang_up(_: OddZoho, request: Any) -> None:
        request.transport.abort()

    with patch.object(OddZoho, "pause", hang_up), pytest.raises(ConnectionLostError):
        await call(odd_client)
    # aiohttp itself asks again where that can do no harm.
    assert set(odd_zoho.requests) == {request_line}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500])
async def test_errors_and_logs_hold_nothing_private(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    odd_zoho.answer = as_answer(
        {
            "status": "ERROR",
            "code": "500",
            "message": f"No 'my secret' of {ALICE}",
            "smsLogQuery": [{"message": "my secret", "customerNumber": ALICE}],
        },
        status,
    )
    with pytest.raises(ZohoError) as raised:
        await odd_client.async_get_log(number=ALICE)
    # The server's own log has the query, of course.
    logged = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.zoho_voice")
    ]
    assert logged
    for shown in (str(raised.value), repr(raised.value), *logged):
        assert "secret" not in shown
        assert ALICE[-10:] not in shown
        assert "first" not in shown
        assert "second" not in shown


# Tokens


@each_call
async def test_refused_token_is_renewed_once(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    odd_tokens: Tokens,
    call: Call,
    request_line: str,
    rows: str,
) -> None:
    refused = as_answer({"code": "INVALID_OAUTHTOKEN"}, 401)
    accepted = as_answer({rows: [log_row("a")], "code": "200"})
    odd_zoho.answers = [refused, accepted]
    await call(odd_client)
    assert odd_zoho.requests == [request_line] * 2
    assert odd_tokens.renewed == ["first"]
    assert odd_tokens.sign_ins_refused == []


@each_call
@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("INVALID_OAUTHSCOPE", 401),
        ("INVALID_OAUTHSCOPE", 200),
        ("OAUTH_SCOPE_MISMATCH", 403),
    ],
)
async def test_missing_scope_does_not_end_the_sign_in(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    odd_tokens: Tokens,
    call: Call,
    request_line: str,
    rows: str,
    word: str,
    status: int,
) -> None:
    odd_zoho.answer = as_answer({"code": word, "status": "ERROR"}, status)
    with pytest.raises(MissingScopeError) as raised:
        await call(odd_client)
    assert raised.value.code == word
    assert odd_zoho.requests == [request_line]
    assert odd_tokens.renewed == []
    assert odd_tokens.sign_ins_refused == []


async def test_renewed_token_that_may_not_read_does_not_end_the_sign_in(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, odd_tokens: Tokens
) -> None:
    odd_zoho.answer = as_answer({"code": "INVALID_OAUTHTOKEN"}, 401)
    with pytest.raises(MissingScopeError) as raised:
        await odd_client.async_get_log()
    assert raised.value.code == "INVALID_OAUTHTOKEN"
    assert odd_zoho.requests == [LOG] * 2
    assert odd_tokens.renewed == ["first"]
    assert odd_tokens.sign_ins_refused == []


async def test_reading_in_vain_does_not_use_up_the_tokens(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, odd_tokens: Tokens
) -> None:
    odd_tokens.left = ["first", "second", "third", "fourth"]
    odd_zoho.answer = {"status": 401}
    for call in [odd_client.async_get_log, odd_client.async_get_schedule] * 3:
        with pytest.raises(MissingScopeError):
            await call()
    assert odd_tokens.renewed == ["first"]
    assert len(odd_zoho.requests) == 2 + 5
    # Another token, such as the next hour's, is given its chance.
    odd_tokens.left = ["third", "fourth"]
    with pytest.raises(MissingScopeError):
        await odd_client.async_get_log()
    assert odd_tokens.renewed == ["first", "third"]
    assert odd_tokens.sign_ins_refused == []


async def test_sending_still_finds_out_that_the_sign_in_ended(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, odd_tokens: Tokens
) -> None:
    odd_tokens.left = ["first", "second", "third"]
    odd_zoho.answer = {"status": 401}
    with pytest.raises(MissingScopeError):
        await odd_client.async_get_log()
    with pytest.raises(SignInError):
        await odd_client.async_send_sms(
            Sms(message="Hi", data_coding=DataCoding.ENGLISH), SENDER_ID, [ALICE]
        )
    assert odd_tokens.renewed == ["first", "second"]
    assert odd_tokens.sign_ins_refused == ["third"]


@each_call
@pytest.mark.parametrize("error", [CannotConnectError, ThrottledError, SignInError])
async def test_failed_renewal_is_the_error(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    odd_tokens: Tokens,
    call: Call,
    request_line: str,
    rows: str,
    error: type[ZohoError],
) -> None:
    odd_zoho.answer = {"status": 401}
    with (
        patch.object(odd_tokens, "async_renew", side_effect=error("x")),
        pytest.raises(ZohoError) as raised,
    ):
        await call(odd_client)
    assert type(raised.value) is error
    assert odd_zoho.requests == [request_line]
    assert odd_tokens.sign_ins_refused == []
