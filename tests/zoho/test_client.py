"""The client of Zoho Voice, over the wire."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
import itertools
import json
import logging
import socket
import tracemalloc
from typing import Any, cast
from unittest.mock import patch
import zlib

from aiohttp import (
    ClientConnectorError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
    web,
)
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer
import pytest

from custom_components.zoho_voice.zoho import client as client_module
from custom_components.zoho_voice.zoho.client import ZohoVoiceClient
from custom_components.zoho_voice.zoho.data_center import DataCenter
from custom_components.zoho_voice.zoho.errors import (
    CannotConnectError,
    ConnectionLostError,
    MissingScopeError,
    OutcomeUnknownError,
    RejectedError,
    ServerFailedError,
    SignInError,
    ThrottledError,
    TimedOutError,
    UnreadableReplyError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms, User
from custom_components.zoho_voice.zoho.reply import MAX_BODY
from sandbox import Account, FaultKind, Sandbox
from sandbox.faults import Endpoint
from tests.conftest import ALICE, BOB, CAROL, SENDER_ID

from .conftest import OddZoho, Tokens

SMS = Sms(message="Hi there!", data_coding=DataCoding.ENGLISH)
SEND = "POST /rest/json/v1/sms/send"
USER_INFO = "GET /oauth/user/info"

type Constants = Callable[..., None]


@pytest.fixture
def constants() -> Generator[Constants]:
    """Return a function that changes constants of the client."""
    with pytest.MonkeyPatch.context() as monkeypatch:

        def change(**values: Any) -> None:
            for name, value in values.items():
                monkeypatch.setattr(client_module, name, value)

        yield change


def success(**changes: Any) -> dict[str, Any]:
    """Return the seed page's sample of a success."""
    return {
        "code": "ZVSMS-2000",
        "send": {
            "multipartCount": 1,
            "country": "in",
            "submittedTime": 1764831248860,
            "customerNumber": ALICE,
            "message": "Hi there!",
            "userName": "John",
            "customerName": "Jacobs",
            "senderId": SENDER_ID,
            "messageType": "OUTGOING",
            "sentTime": "2022-12-04 12:24",
            "logid": "40319ae8-23c1-4117-b814-a719ec9542ec",
            "email": "john@zylker.com",
            "status": "IN_QUEUE",
        },
        "status": "SUCCESS",
    } | changes


def as_answer(body: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    """Return the answer that carries JSON."""
    return {
        "text": json.dumps(body),
        "status": status,
        "content_type": "application/json",
        "headers": headers,
    }


# What goes out


async def test_only_what_the_page_asks_for_is_sent(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens
) -> None:
    await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    [request] = sandbox.requests
    assert request.body == {
        "senderId": SENDER_ID,
        "customerNumber": ALICE,
        "message": "Hi there!",
        "dataCoding": 0,
    }
    assert request.headers["Authorization"] == f"Zoho-oauthtoken {tokens.left[0]}"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Content-Type"] == "application/json"


async def test_every_option_is_sent_as_documented(
    client: ZohoVoiceClient, sandbox: Sandbox
) -> None:
    sms = Sms(
        message="Grüße 🎄",
        data_coding=DataCoding.NON_ENGLISH,
        scheduled_time=datetime(2034, 5, 6, 7, 8, 9, 987654),  # noqa: DTZ001
        time_zone="Asia/Kolkata",
        status_callback="https://zoho.com/callback?zapikey=1003.5XXXXXXX59",
    )
    await client.async_send_sms(sms, "ZohoVoice", [ALICE, BOB])
    assert sandbox.requests[0].body == {
        "senderId": "ZohoVoice",
        "customerNumber": f"{ALICE},{BOB}",
        "message": "Grüße 🎄",
        "dataCoding": 2,
        "scheduledTime": "2034-05-06 07:08:09",
        "timeZone": "Asia/Kolkata",
        "statusCallback": "https://zoho.com/callback?zapikey=1003.5XXXXXXX59",
    }
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB]


@pytest.mark.parametrize("coding", DataCoding)
async def test_data_coding_is_a_plain_number(
    client: ZohoVoiceClient, sandbox: Sandbox, coding: DataCoding
) -> None:
    await client.async_send_sms(
        Sms(message="Hi", data_coding=coding), SENDER_ID, [ALICE]
    )
    assert sandbox.requests[0].body["dataCoding"] == int(coding)


# What comes back


def said(receipt: Receipt) -> dict[str, Any]:
    """Return what a receipt says, without what it does not say."""
    names = (
        "number",
        "log_id",
        "status",
        "segments",
        "sender_id",
        "submitted_at",
        "country",
    )
    values = {name: getattr(receipt, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


async def test_receipt_of_one_number(client: ZohoVoiceClient, sandbox: Sandbox) -> None:
    [receipt] = await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    [sent] = sandbox.sent
    milliseconds = int(sent.submitted_at * 1000)
    assert said(receipt) == {
        "number": ALICE,
        "log_id": sent.log_id,
        "status": "IN_QUEUE",
        "segments": 1,
        "sender_id": SENDER_ID,
        "submitted_at": datetime.fromtimestamp(milliseconds / 1000, UTC),
        "country": "us",
    }


@pytest.mark.parametrize("shape", ["list", "object"])
async def test_receipts_of_several_numbers_come_in_their_order(
    client: ZohoVoiceClient, sandbox: Sandbox, shape: Any
) -> None:
    sandbox.several_as = shape
    receipts = await client.async_send_sms(SMS, SENDER_ID, [CAROL, ALICE, BOB])
    log_ids = {sms.number: sms.log_id for sms in sandbox.sent}
    assert [(receipt.number, receipt.log_id) for receipt in receipts] == [
        (number, log_ids[number]) for number in (CAROL, ALICE, BOB)
    ]
    assert {receipt.sender_id for receipt in receipts} == {SENDER_ID}
    assert len(sandbox.requests) == 1


async def test_ten_numbers_fit_into_one_request(
    client: ZohoVoiceClient, sandbox: Sandbox
) -> None:
    numbers = [f"+1480555010{digit}" for digit in range(10)]
    receipts = await client.async_send_sms(SMS, SENDER_ID, numbers)
    assert [receipt.number for receipt in receipts] == numbers
    assert [sms.number for sms in sandbox.sent] == numbers
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        success(),
        success(status="success"),
        success(status="Success", code=None),
        {"status": "success", "send": success()["send"]},
        {"code": "ZVSMS-2000", "send": success()["send"]},
        success(send=[success()["send"]]),
    ],
)
async def test_every_way_to_say_success(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, body: dict[str, Any]
) -> None:
    odd_zoho.answer = as_answer(body)
    [receipt] = await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert said(receipt) == {
        "number": ALICE,
        "log_id": "40319ae8-23c1-4117-b814-a719ec9542ec",
        "status": "IN_QUEUE",
        "segments": 1,
        "sender_id": SENDER_ID,
        "submitted_at": datetime(2025, 12, 4, 6, 54, 8, 860000, UTC),
        "country": "in",
    }


@pytest.mark.parametrize(
    "send",
    [
        [{"customerNumber": "+1 480-555-0111", "logid": "b"}, {"customerNumber": "x"}],
        [
            None,
            1,
            "x",
            [],
            {"logid": "z"},
            {"customerNumber": 14805550111, "logid": "b"},
        ],
    ],
)
async def test_rows_are_matched_by_digits_and_missing_ones_are_no_failure(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, send: Any
) -> None:
    odd_zoho.answer = as_answer(success(send=send))
    receipts = await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE, BOB])
    assert [said(receipt) for receipt in receipts] == [
        {"number": ALICE},
        {"number": BOB, "log_id": "b"},
    ]


@pytest.mark.parametrize("send", [None, "x", 1, [], {}])
async def test_success_without_details_is_a_success(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, send: Any
) -> None:
    odd_zoho.answer = as_answer(success(send=send))
    receipts = await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE, BOB])
    assert [said(receipt) for receipt in receipts] == [
        {"number": ALICE},
        {"number": BOB},
    ]


@pytest.mark.parametrize(
    "word",
    [
        "INVALID_OAUTHTOKEN",
        "INVALID_TICKET",
        "INVALID_OAUTHSCOPE",
        "OAUTH_SCOPE_MISMATCH",
    ],
)
async def test_message_may_hold_zohos_error_words(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, odd_tokens: Tokens, word: str
) -> None:
    odd_zoho.answer = as_answer(success(send={"message": word, "logid": "a"}))
    [receipt] = await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert receipt.log_id == "a"
    assert odd_zoho.requests == [SEND]
    assert odd_tokens.renewed == odd_tokens.sign_ins_refused == []


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "nonsense", None])
async def test_broken_text_in_a_success_is_a_success(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, charset: str | None
) -> None:
    body = json.dumps(success(), ensure_ascii=False).replace("Hi there!", "Grüße")
    odd_zoho.answer = {
        "body": body.encode("latin-1"),
        "headers": {
            "Content-Type": "application/json"
            + (f"; charset={charset}" if charset else "")
        },
    }
    [receipt] = await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert receipt.status == "IN_QUEUE"


# What goes wrong at Zoho

FAULTS: dict[FaultKind, tuple[dict[str, Any], type[ZohoError], int, int]] = {
    # kind: options, error, requests Zoho saw, SMS it holds
    FaultKind.LATE: ({"seconds": 5}, TimedOutError, 1, 1),
    FaultKind.DROP_BEFORE: ({}, ConnectionLostError, 1, 0),
    FaultKind.DROP_AFTER: ({}, ConnectionLostError, 1, 1),
    FaultKind.TOO_MANY_REQUESTS: ({}, ThrottledError, 1, 0),
    FaultKind.SERVER_ERROR: ({}, ServerFailedError, 1, 0),
    FaultKind.SERVER_ERROR_AFTER: ({}, ServerFailedError, 1, 1),
    FaultKind.EMPTY_REPLY: ({}, UnreadableReplyError, 1, 1),
    FaultKind.HTML_REPLY: ({}, UnreadableReplyError, 1, 1),
    FaultKind.TRUNCATED_REPLY: ({}, UnreadableReplyError, 1, 1),
    FaultKind.ERROR_200: ({}, RejectedError, 1, 0),
    FaultKind.ERROR_400: ({}, RejectedError, 1, 0),
    FaultKind.UNAUTHORIZED: ({}, SignInError, 2, 0),
    FaultKind.MISSING_SCOPE: ({}, MissingScopeError, 1, 0),
    FaultKind.REFUSE: ({}, CannotConnectError, 0, 0),
}


def test_every_fault_of_sending_is_tested() -> None:
    assert FAULTS.keys() == {
        kind for kind in FaultKind if kind.endpoint is Endpoint.SEND
    }


@pytest.mark.parametrize("numbers", [[ALICE], [ALICE, BOB]])
@pytest.mark.parametrize("kind", FAULTS)
async def test_fault_raises_its_error_and_nothing_is_sent_twice(
    client: ZohoVoiceClient,
    sandbox: Sandbox,
    constants: Constants,
    kind: FaultKind,
    numbers: list[str],
) -> None:
    options, error, requests, sent = FAULTS[kind]
    if kind is FaultKind.LATE:
        constants(REQUEST_TIMEOUT=0.5)
    sandbox.add_fault(kind, times=None, **options)
    with pytest.raises(ZohoError) as raised:
        await client.async_send_sms(SMS, SENDER_ID, numbers)
    assert type(raised.value) is error
    assert len(sandbox.requests) == requests
    assert len(sandbox.sent) == sent * len(numbers)
    # Where Zoho may have accepted it, the error has to say so.
    assert isinstance(raised.value, OutcomeUnknownError) or not sent


@pytest.mark.parametrize("kind", FAULTS)
async def test_next_message_is_sent_after_a_fault(
    client: ZohoVoiceClient, sandbox: Sandbox, constants: Constants, kind: FaultKind
) -> None:
    if kind is FaultKind.LATE:
        constants(REQUEST_TIMEOUT=0.5)
    sandbox.add_fault(kind, times=None, **FAULTS[kind][0])
    with pytest.raises(ZohoError):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    sandbox.clear_faults()
    constants(REQUEST_TIMEOUT=30.0)
    sandbox.sent.clear()
    await client.async_send_sms(SMS, SENDER_ID, [BOB])
    assert [sms.number for sms in sandbox.sent] == [BOB]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_server_error_says_its_status(
    client: ZohoVoiceClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.add_fault(FaultKind.SERVER_ERROR_AFTER, status=status)
    with pytest.raises(ServerFailedError) as raised:
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert raised.value.code == f"HTTP {status}"
    assert len(sandbox.requests) == len(sandbox.sent) == 1


@pytest.mark.parametrize("kind", [FaultKind.ERROR_200, FaultKind.ERROR_400])
async def test_rejection_has_zohos_own_words(
    client: ZohoVoiceClient, sandbox: Sandbox, kind: FaultKind
) -> None:
    sandbox.add_fault(kind, code="ZVSMS-4999", message="Something new")
    with pytest.raises(RejectedError) as raised:
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert (raised.value.code, raised.value.message) == ("ZVSMS-4999", "Something new")


@pytest.mark.parametrize(
    ("sender_id", "number", "code"),
    [("+18885550199", ALICE, "ZVSMS-4027"), (SENDER_ID, "+850191234567", "ZVSMS-4038")],
)
async def test_zohos_codes_come_through(
    client: ZohoVoiceClient, sandbox: Sandbox, sender_id: str, number: str, code: str
) -> None:
    with pytest.raises(RejectedError) as raised:
        await client.async_send_sms(SMS, sender_id, [number])
    assert raised.value.code == code
    assert sandbox.sent == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, status: int
) -> None:
    odd_zoho.answer = {
        "status": status,
        "headers": {"Location": f"{odd_zoho.url}/elsewhere"},
    }
    with pytest.raises(UnreadableReplyError) as raised:
        await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert raised.value.code == f"HTTP {status}"
    assert odd_zoho.requests == [SEND]


HTML = {"text": "<html>Not here</html>", "content_type": "text/html"}


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (HTML | {"status": 404}, RejectedError, "HTTP 404"),
        (HTML | {"status": 403}, RejectedError, "HTTP 403"),
        (as_answer(success(), 403), RejectedError, "ZVSMS-2000"),
        (as_answer({"error": "nope"}, 400), RejectedError, "nope"),
        (as_answer({"status": "ERROR", "code": "X-1"}), RejectedError, "X-1"),
        (as_answer({"status": "failed", "code": "500"}), RejectedError, "500"),
        (as_answer({"status": "failure"}), RejectedError, "HTTP 200"),
        (as_answer(success(status="error")), RejectedError, "ZVSMS-2000"),
        (as_answer(success(), 300), UnreadableReplyError, "ZVSMS-2000"),
        (HTML, UnreadableReplyError, "HTTP 200"),
        ({"status": 204}, UnreadableReplyError, "HTTP 204"),
        ({"status": 202}, UnreadableReplyError, "HTTP 202"),
        (as_answer([]), UnreadableReplyError, "HTTP 200"),
        (as_answer({}), UnreadableReplyError, "HTTP 200"),
        (as_answer(None), UnreadableReplyError, "HTTP 200"),
        (as_answer("SUCCESS"), UnreadableReplyError, "HTTP 200"),
        (as_answer({"code": "ZVSMS-2001"}), UnreadableReplyError, "ZVSMS-2001"),
        (as_answer({"status": "PENDING"}), UnreadableReplyError, "HTTP 200"),
        ({"text": "[" * 100_000}, UnreadableReplyError, "HTTP 200"),
        ({"body": b"\xff\xfe\x00{"}, UnreadableReplyError, "HTTP 200"),
        ({"body": b"\xff\xfe\x00{", "status": 500}, ServerFailedError, "HTTP 500"),
        (as_answer(success(), 500), ServerFailedError, "ZVSMS-2000"),
    ],
)
async def test_odd_answer_raises_its_error_after_one_request(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    answer: dict[str, Any],
    error: type[ZohoError],
    code: str,
) -> None:
    odd_zoho.answer = answer
    with pytest.raises(ZohoError) as raised:
        await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert type(raised.value) is error
    assert raised.value.code == code
    assert odd_zoho.requests == [SEND]


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500])
async def test_errors_and_logs_hold_neither_text_nor_number_nor_token(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    odd_zoho.answer = as_answer(
        {
            "status": "ERROR",
            "code": "ZVSMS-4027",
            "message": f"Cannot send 'my secret' to {ALICE} from {SENDER_ID}",
            "send": {"message": "my secret", "customerNumber": ALICE},
        },
        status,
    )
    sms = Sms(message="my secret", data_coding=DataCoding.ENGLISH)
    with pytest.raises(ZohoError) as raised:
        await odd_client.async_send_sms(sms, SENDER_ID, [ALICE])
    assert str(raised.value) == "ZVSMS-4027"
    logged = caplog.text.replace(str(odd_zoho.requests), "")
    for shown in (repr(raised.value), logged):
        assert "secret" not in shown
        assert ALICE[-10:] not in shown
        assert SENDER_ID[-10:] not in shown
        assert "first" not in shown
        assert "second" not in shown


# Connections


async def test_refused_connection_is_tried_three_times(
    client: ZohoVoiceClient, sandbox: Sandbox, tries: list[str]
) -> None:
    await sandbox.refuse()
    with pytest.raises(CannotConnectError):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert len(tries) == 3
    assert sandbox.requests == sandbox.sent == []


async def test_sent_once_when_zoho_listens_again(
    client: ZohoVoiceClient, sandbox: Sandbox, tries: list[str], constants: Constants
) -> None:
    constants(RETRY_DELAYS=(0.02, 0.5), sleep=asyncio.sleep)
    sandbox.add_fault(FaultKind.REFUSE, seconds=0.2)
    [receipt] = await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert receipt.number == ALICE
    assert 1 < len(tries) <= 3
    assert len(sandbox.requests) == len(sandbox.sent) == 1


async def test_no_try_begins_that_could_not_end_in_time(
    client: ZohoVoiceClient, sandbox: Sandbox, tries: list[str], constants: Constants
) -> None:
    constants(RETRY_DELAYS=(20, 20), REQUEST_TIMEOUT=25, CONNECT_TIMEOUT=10)
    await sandbox.refuse()
    async with asyncio.timeout(2):
        with pytest.raises(CannotConnectError):
            await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert len(tries) == 1


async def test_connection_that_is_never_made_is_no_connection(
    client: ZohoVoiceClient,
    http: ClientSession,
    tokens: Tokens,
    tries: list[str],
    constants: Constants,
) -> None:
    constants(CONNECT_TIMEOUT=0.2, REQUEST_TIMEOUT=5)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        # A queue that is full lets nobody in, and says nothing.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        with pytest.raises(CannotConnectError) as raised:
            await ZohoVoiceClient(http, tokens, DataCenter(url, url)).async_send_sms(
                SMS, SENDER_ID, [ALICE]
            )
        for one in waiting:
            one.close()
    assert raised.value.code == "ConnectionTimeoutError"
    assert len(tries) == 3


async def test_time_out_says_that_it_may_have_been_sent(
    client: ZohoVoiceClient, sandbox: Sandbox, constants: Constants
) -> None:
    constants(REQUEST_TIMEOUT=0.2)
    sandbox.answer_seconds = 5
    begin = asyncio.get_running_loop().time()
    with pytest.raises(TimedOutError):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert asyncio.get_running_loop().time() - begin < 2
    assert len(sandbox.requests) == len(sandbox.sent) == 1


class NoNames(AbstractResolver):
    """A DNS that knows nobody: tests may not ask the real one."""

    async def resolve(self, host: str, *args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def close(self) -> None:
        pass


async def test_unknown_host_is_no_connection(tokens: Tokens, sandbox: Sandbox) -> None:
    url = "http://nothing.invalid"
    async with ClientSession(connector=TCPConnector(resolver=NoNames())) as session:
        client = ZohoVoiceClient(session, tokens, DataCenter(url, url))
        with pytest.raises(CannotConnectError) as raised:
            await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert raised.value.code == "ClientConnectorDNSError"


async def test_failed_tls_is_no_connection(
    http: ClientSession, tokens: Tokens, sandbox: Sandbox, tries: list[str]
) -> None:
    url = sandbox.voice_url.replace("http:", "https:")
    client = ZohoVoiceClient(http, tokens, DataCenter(url, url))
    with pytest.raises(CannotConnectError):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert len(tries) == 3
    assert sandbox.requests == sandbox.sent == []


async def test_cancelled_caller_is_cancelled(
    client: ZohoVoiceClient, sandbox: Sandbox
) -> None:
    sandbox.answer_seconds = 5
    sending = asyncio.create_task(client.async_send_sms(SMS, SENDER_ID, [ALICE]))
    while not sandbox.sent:
        await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert len(sandbox.requests) == 1


# Throttling


def http_date(seconds: float) -> str:
    """Return a time from now as a header has it."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    "retry_after",
    [
        0,
        "0",
        1,
        10,
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 -0000",
        "Wednesday, 21-Oct-15 07:28:00 GMT",
    ],
)
@pytest.mark.clock
async def test_sent_once_after_a_short_wait(
    client: ZohoVoiceClient, sandbox: Sandbox, retry_after: str | int
) -> None:
    # Without waiting: see `no_delays` in tests/conftest.py.
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, retry_after=retry_after)
    await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert [request.status for request in sandbox.requests] == [429, 200]
    assert len(sandbox.sent) == 1


@pytest.mark.parametrize("as_date", [False, True])
async def test_zoho_is_given_the_time_it_asks_for(
    client: ZohoVoiceClient, sandbox: Sandbox, waits: list[float], as_date: bool
) -> None:
    # A date has no fractions of a second: 3 seconds on are 2 to 3.
    sandbox.add_fault(
        FaultKind.TOO_MANY_REQUESTS, retry_after=http_date(3) if as_date else 1
    )
    await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    (waited,) = waits
    assert 2 <= waited <= 3 if as_date else waited == 1
    assert len(sandbox.sent) == 1


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        (11, 11),
        (600, 600),
        ("9" * 400, 86_400),
        ("Wed, 21 Oct 9999 07:28:00 GMT", 86_400),
    ],
)
async def test_long_or_unknown_wait_is_left_to_the_caller(
    client: ZohoVoiceClient,
    sandbox: Sandbox,
    retry_after: str | int | None,
    seconds: float | None,
) -> None:
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, retry_after=retry_after)
    with pytest.raises(ThrottledError) as raised:
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert raised.value.retry_after == seconds
    assert len(sandbox.requests) == 1
    assert sandbox.sent == []


@pytest.mark.clock
async def test_date_far_away_is_left_to_the_caller(
    client: ZohoVoiceClient, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, retry_after=http_date(3600))
    with pytest.raises(ThrottledError) as raised:
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert raised.value.retry_after == pytest.approx(3600, abs=10)
    assert len(sandbox.requests) == 1
    assert sandbox.sent == []


async def test_zoho_that_always_asks_to_wait_is_asked_three_times(
    client: ZohoVoiceClient, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, times=None, retry_after=2)
    with pytest.raises(ThrottledError) as raised:
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert raised.value.retry_after == 2
    assert len(sandbox.requests) == 3
    assert sandbox.sent == []


# Tokens


async def test_refused_token_is_renewed_and_the_message_sent_once(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens
) -> None:
    first, second = tokens.left
    sandbox.add_fault(FaultKind.UNAUTHORIZED)
    await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert [request.headers["Authorization"] for request in sandbox.requests] == [
        f"Zoho-oauthtoken {first}",
        f"Zoho-oauthtoken {second}",
    ]
    assert len(sandbox.sent) == 1
    assert tokens.renewed == [first]
    assert tokens.sign_ins_refused == []


async def test_renewed_token_that_is_refused_too_ends_the_sign_in(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens
) -> None:
    first, second = tokens.left
    sandbox.expire_access_tokens()
    with pytest.raises(SignInError):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert tokens.renewed == [first]
    assert tokens.sign_ins_refused == [second]
    assert len(sandbox.requests) == 2
    assert sandbox.sent == []


async def test_missing_scope_ends_the_sign_in_without_a_renewal(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens
) -> None:
    tokens.left = [
        sandbox.issue_token(["AaaServer.profile.READ"])["access_token"],
        "unused",
    ]
    with pytest.raises(MissingScopeError):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert tokens.renewed == []
    assert tokens.sign_ins_refused == tokens.left[:1]
    assert len(sandbox.requests) == 1


async def test_scope_that_only_the_renewed_token_lacks_ends_the_sign_in(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens
) -> None:
    _, second = tokens.left
    sandbox.add_fault(FaultKind.UNAUTHORIZED)
    sandbox.add_fault(FaultKind.MISSING_SCOPE)
    with pytest.raises(MissingScopeError):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert tokens.sign_ins_refused == [second]
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    ("word", "status", "error", "requests"),
    [
        ("INVALID_TICKET", 400, SignInError, 2),
        ("INVALID_TICKET", 200, SignInError, 2),
        ("INVALID_OAUTHTOKEN", 403, SignInError, 2),
        ("INVALID_OAUTHTOKEN", 401, SignInError, 2),
        ("INVALID_OAUTHSCOPE", 401, MissingScopeError, 1),
        ("INVALID_OAUTHSCOPE", 200, MissingScopeError, 1),
        ("OAUTH_SCOPE_MISMATCH", 403, MissingScopeError, 1),
        ("", 401, SignInError, 2),
    ],
)
async def test_words_about_the_token_count_whatever_the_status(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    odd_tokens: Tokens,
    word: str,
    status: int,
    error: type[ZohoError],
    requests: int,
) -> None:
    odd_zoho.answer = as_answer({"code": word, "status": "ERROR"}, status)
    with pytest.raises(ZohoError) as raised:
        await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert type(raised.value) is error
    assert odd_zoho.requests == [SEND] * requests
    assert len(odd_tokens.sign_ins_refused) == 1


async def test_words_about_the_token_count_wherever_a_refusal_has_them(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho
) -> None:
    odd_zoho.answer = as_answer({"errors": [{"id": "INVALID_OAUTHTOKEN"}]}, 400)
    with pytest.raises(SignInError):
        await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert odd_zoho.requests == [SEND] * 2


@pytest.mark.parametrize(
    "error", [CannotConnectError("x"), ThrottledError("x"), SignInError("x")]
)
async def test_nothing_is_sent_without_a_token(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens, error: ZohoError
) -> None:
    with patch.object(tokens, "async_get", side_effect=error):
        with pytest.raises(ZohoError) as raised:
            await client.async_send_sms(SMS, SENDER_ID, [ALICE])
        assert raised.value is error
        with pytest.raises(ZohoError) as raised:
            await client.async_authorize()
        assert raised.value is error
    assert sandbox.requests == []


@pytest.mark.parametrize(
    "error", [CannotConnectError("x"), ThrottledError("x"), SignInError("x")]
)
async def test_failed_renewal_is_the_error(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens, error: ZohoError
) -> None:
    sandbox.expire_access_tokens()
    with (
        patch.object(tokens, "async_renew", side_effect=error),
        pytest.raises(ZohoError) as raised,
    ):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert raised.value is error
    assert len(sandbox.requests) == 1


# Who am I


@pytest.mark.parametrize("zuid", ["10001", "0123", "abc"])
async def test_user_has_the_id_as_text(
    client: ZohoVoiceClient, sandbox: Sandbox, zuid: str
) -> None:
    account = Account(zuid=zuid, email="me@example.com")
    token = sandbox.tokens.issue(account)["access_token"]
    with patch.object(client._tokens, "async_get", return_value=token):
        user = await client.async_get_user()
    # The sandbox sends digits as a number, as Zoho does.
    assert user == User(zuid.lstrip("0"), "me@example.com")
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("body", "user"),
    [
        ({"ZUID": 10001, "Email": "me@example.com"}, User("10001", "me@example.com")),
        ({"ZUID": "10001", "Email": "me@example.com"}, User("10001", "me@example.com")),
        ({"ZUID": 12345678901234567890}, User(*["12345678901234567890"] * 2)),
        ({"ZUID": "10001", "Email": None}, User("10001", "10001")),
        ({"ZUID": "10001", "Email": ["a"]}, User("10001", "10001")),
        ({"ZUID": "10001", "Email": "\ud800"}, User("10001", "\ufffd")),
    ],
)
async def test_user_is_read_from_what_there_is(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, body: dict[str, Any], user: User
) -> None:
    odd_zoho.answer = as_answer(body)
    assert await odd_client.async_get_user() == user
    assert odd_zoho.requests == [USER_INFO]


@pytest.mark.parametrize(
    ("answer", "error", "requests"),
    [
        (as_answer({"Email": "me@example.com"}), RejectedError, 1),
        (as_answer({"ZUID": ""}), RejectedError, 1),
        (as_answer({"ZUID": None}), RejectedError, 1),
        (as_answer({"ZUID": {"a": 1}}), RejectedError, 1),
        (as_answer({"ZUID": True}), RejectedError, 1),
        (as_answer([]), RejectedError, 1),
        (HTML, RejectedError, 1),
        ({"status": 302, "headers": {"Location": "/x"}}, RejectedError, 1),
        (HTML | {"status": 404}, RejectedError, 1),
        (HTML | {"status": 401}, SignInError, 2),
        (as_answer({"error": "INVALID_OAUTHSCOPE"}), MissingScopeError, 1),
        (HTML | {"status": 429}, ThrottledError, 1),
        (HTML | {"status": 503}, ServerFailedError, 1),
    ],
)
async def test_user_that_can_not_be_read_is_an_error(
    odd_client: ZohoVoiceClient,
    odd_zoho: OddZoho,
    answer: dict[str, Any],
    error: type[ZohoError],
    requests: int,
) -> None:
    odd_zoho.answer = answer
    with pytest.raises(ZohoError) as raised:
        await odd_client.async_get_user()
    assert type(raised.value) is error
    assert odd_zoho.requests == [USER_INFO] * requests


async def test_user_is_asked_for_with_a_renewed_token(
    client: ZohoVoiceClient, sandbox: Sandbox, tokens: Tokens
) -> None:
    sandbox.add_fault(FaultKind.USER_INFO_ERROR, status=401)
    user = await client.async_get_user()
    assert user == User(sandbox.account.zuid, sandbox.account.email)
    assert len(tokens.renewed) == 1
    assert tokens.sign_ins_refused == []


async def test_user_of_a_server_that_refuses_connections(
    client: ZohoVoiceClient, sandbox: Sandbox, tries: list[str]
) -> None:
    await sandbox.refuse("accounts")
    with pytest.raises(CannotConnectError):
        await client.async_get_user()
    assert len(tries) == 3


class Streaming:
    """A server that sends a body chunk by chunk."""

    client: ZohoVoiceClient

    def __init__(self) -> None:
        self.chunks: Iterator[bytes] = iter(())
        self.headers: dict[str, str] = {}
        self.pause = 0.0
        self.requests = 0
        self.accepted: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        self.accepted.append(request.headers["Accept-Encoding"])
        response = web.StreamResponse(headers=self.headers)
        await response.prepare(request)
        with suppress(ConnectionError):
            for chunk in self.chunks:
                await response.write(chunk)
                await asyncio.sleep(self.pause)
        return response


@pytest.fixture
async def streaming(http: ClientSession) -> AsyncGenerator[Streaming]:
    """Return a server whose bodies are no ordinary ones."""
    server = Streaming()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    async with TestServer(app) as test_server:
        url = f"http://127.0.0.1:{test_server.port}"
        server.client = ZohoVoiceClient(
            http, Tokens("first", "second"), DataCenter(url, url)
        )
        yield server


async def test_big_body_is_not_read_to_its_end(streaming: Streaming) -> None:
    streaming.chunks = itertools.repeat(b" " * 65536, 1600)
    with pytest.raises(UnreadableReplyError):
        await streaming.client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert sum(1 for _ in streaming.chunks) > 1000
    assert streaming.requests == 1


async def test_body_of_four_mebibytes_is_read(streaming: Streaming) -> None:
    success = b'{"code": "ZVSMS-2000", "send": {"logid": "1"}}'
    streaming.chunks = iter([success.ljust(MAX_BODY)])
    (receipt,) = await streaming.client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert receipt.log_id == "1"
    streaming.chunks = iter([success.ljust(MAX_BODY + 1)])
    with pytest.raises(UnreadableReplyError):
        await streaming.client.async_send_sms(SMS, SENDER_ID, [ALICE])


async def test_body_that_drips_ends_with_the_time_out(streaming: Streaming) -> None:
    streaming.chunks = itertools.repeat(b" ")
    streaming.pause = 0.01
    with (
        patch.object(client_module, "REQUEST_TIMEOUT", 0.2),
        pytest.raises(TimedOutError),
    ):
        await streaming.client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert streaming.requests == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_body_that_explodes_does_not_fill_the_memory(
    streaming: Streaming, encoding: str
) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(300))
    streaming.chunks = iter([bomb + packer.flush()])
    streaming.headers = {"Content-Encoding": encoding}
    tracemalloc.start()
    try:
        with pytest.raises(OutcomeUnknownError):
            await streaming.client.async_send_sms(SMS, SENDER_ID, [ALICE])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * 1024 * 1024
    assert streaming.requests == 1


async def test_packed_answers_are_not_asked_for(streaming: Streaming) -> None:
    streaming.chunks = iter([b'{"status": "SUCCESS"}'])
    await streaming.client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert streaming.accepted == ["identity"]


class UnreachableSession:
    """A session that needs 7 s to find out that it can't connect."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timeouts: list[float] = []

    @asynccontextmanager
    async def request(
        self, *_: object, **kwargs: ClientTimeout
    ) -> AsyncGenerator[None]:
        self.timeouts.append(kwargs["timeout"].total)
        self.now += 7
        raise ClientConnectorError(cast(Any, None), OSError())
        yield

    def time(self) -> float:
        return self.now

    async def sleep(self, delay: float) -> None:
        self.now += delay


async def test_two_retries_share_the_time_of_one_request() -> None:
    session = UnreachableSession()
    client = ZohoVoiceClient(
        cast(Any, session), Tokens("first"), DataCenter("http://a", "http://b")
    )
    with (
        patch.object(client_module, "get_running_loop", lambda: session),
        patch.object(client_module, "sleep", session.sleep),
        pytest.raises(CannotConnectError),
    ):
        await client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert session.timeouts == [30, 30 - 7 - 1, 30 - 7 - 1 - 7 - 3]


async def test_date_in_the_past_is_no_wait(
    odd_client: ZohoVoiceClient, odd_zoho: OddZoho, waits: list[float]
) -> None:
    odd_zoho.answer = {
        "status": 429,
        "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"},
    }
    with pytest.raises(ThrottledError):
        await odd_client.async_send_sms(SMS, SENDER_ID, [ALICE])
    assert waits == [0, 0]
    assert len(odd_zoho.requests) == 3
