"""A Zoho that may answer anything, and what it may answer."""

import asyncio
from asyncio import Server, StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
import itertools
import json
from typing import Any

from hypothesis import strategies as st

SEND = "/rest/json/v1/sms/send"
TOKEN = "/oauth/v2/token"
REVOKE = "/oauth/v2/token/revoke"
USER = "/oauth/user/info"

NUMBER = "+14805550100"


@dataclass(frozen=True)
class Answer:
    """What is written before the connection is closed."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    #: What is written in place of all that.
    raw: bytes | None = None

    def __bytes__(self) -> bytes:
        """Return the answer; its headers replace those that belong there."""
        if self.raw is not None:
            return self.raw
        headers = {
            b"content-type": b"application/json",
            b"content-length": b"%d" % len(self.body),
            b"connection": b"close",
            **dict(self.headers),
        }
        lines = [b"HTTP/1.1 %d Any" % self.status]
        lines += [b"%s: %s" % header for header in headers.items()]
        return b"\r\n".join([*lines, b"", self.body])

    @property
    def value(self) -> Any:
        """Return the JSON of the body, None where there is none."""
        try:
            return json.loads(self.body.decode(errors="replace"))
        except ValueError, RecursionError:
            return None


@dataclass
class AnyZoho:
    """A Zoho that gives the answers it was told to give, then its usual ones."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    #: The text, the numbers and the answer of each request to send.
    sent: list[tuple[str, list[str], Answer]] = field(default_factory=list)
    count: itertools.count[int] = field(default_factory=itertools.count)

    async def start(self) -> Server:
        """Listen on 127.0.0.1."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return server

    def reset(self, answers: dict[str, Sequence[Answer]]) -> None:
        """Begin anew, with other answers."""
        self.answers = {path: [*given] for path, given in answers.items()}
        self.sent.clear()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        # A client may go before it has asked, or before it is answered.
        with suppress(EOFError, OSError), closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for header in head.split(b"\r\n"):
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = await reader.readexactly(length)
            path = head.split(b" ")[1].decode().partition("?")[0]
            left = self.answers.get(path)
            answer = left.pop(0) if left else self._usual(path, body)
            if path == SEND:
                request = json.loads(body)
                numbers = request["customerNumber"].split(",")
                self.sent.append((request["message"], numbers, answer))
            writer.write(bytes(answer))
            await writer.drain()

    def _usual(self, path: str, body: bytes) -> Answer:
        """Return what Zoho says when all is well."""
        value: dict[str, Any] = {"status": "success"}
        if path == TOKEN:
            value = token_reply(next(self.count))
        elif path == USER:
            value = USER_REPLY
        elif path == SEND:
            numbers = json.loads(body)["customerNumber"].split(",")
            value = {**SEND_REPLY, "send": [_row(number) for number in numbers]}
        return Answer(body=json.dumps(value).encode())


def token_reply(count: int) -> dict[str, Any]:
    """Return a token that is like no other."""
    return {
        "access_token": f"1000.access{count}",
        "refresh_token": f"1000.refresh{count}",
        "api_domain": "https://www.zohoapis.com",
        "token_type": "Bearer",
        "expires_in": 3600,
    }


def _row(number: str) -> dict[str, Any]:
    return {
        "multipartCount": 1,
        "country": "us",
        "submittedTime": 1764831248860,
        "customerNumber": number,
        "message": "Hi there!",
        "userName": "John",
        "customerName": "Jacobs",
        "senderId": "+1*****",
        "messageType": "OUTGOING",
        "sentTime": "2022-12-04 12:24",
        "logid": "40319ae8-23c1-4117-b814-a719ec9542ec",
        "email": "john@zylker.com",
        "status": "IN_QUEUE",
    }


SEND_REPLY = {"code": "ZVSMS-2000", "send": _row(NUMBER), "status": "SUCCESS"}
USER_REPLY = {
    "First_Name": "Sandbox",
    "Email": "sandbox@example.com",
    "Last_Name": "Account",
    "Display_Name": "Sandbox",
    "ZUID": 10001,
}

# All characters, with halves of surrogate pairs.
_TEXT = st.text(st.characters(), max_size=10)
_WORDS = st.sampled_from(
    [
        "ZVSMS-2000",
        "ZVSMS-4027",
        "ZVSMS-4038",
        "ZVT011",
        "SUCCESS",
        "success",
        "ERROR",
        "failed",
        "failure",
        "200",
        "IN_QUEUE",
        "INVALID_OAUTHTOKEN",
        "INVALID_TICKET",
        "OAUTH_SCOPE_MISMATCH",
        "Access Denied",
        "invalid_code",
        "invalid_client",
        "invalid_client_secret",
        "invalid_redirect_uri",
        "access_denied",
        NUMBER,
        "+1 480-555-0100",
        "+1****",
        "*",
        "1000.\r\nX: y",
        "1000.\0",
        "{reason}",
        "%s",
        "nan",
        "inf",
        "1e999",
        "9" * 400,
        "x" * 1_000,
    ]
)
_NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from(
        [0, -1, 2**31, 2**63, 2**64 - 1, 2**64, 10**400, 1e300, 253402300800]
    )
)
_KEYS = st.sampled_from(
    [
        *SEND_REPLY,
        *_row(NUMBER),
        *token_reply(0),
        *USER_REPLY,
        "error",
        "error_description",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_KEYS | _TEXT, inner, max_size=4)
    ),
    max_leaves=8,
)


def nearly(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects that differ from a good one by a few fields."""

    def differ(changes: dict[str, Any], missing: set[str]) -> dict[str, Any]:
        return {k: v for k, v in (good | changes).items() if k not in missing}

    keys = st.sampled_from([*good, "error", "status", "code", "message"])
    return st.builds(
        differ,
        st.dictionaries(keys, VALUES, max_size=2),
        st.sets(st.sampled_from([*good]), max_size=1),
    )


def spoiled(body: bytes) -> st.SearchStrategy[bytes]:
    """Return a body that was cut, or in which something else was written."""
    places = st.integers(0, len(body))
    return st.builds(
        lambda start, end, other: body[:start] + other + body[end:],
        places,
        places,
        st.binary(max_size=4),
    )


#: What takes long to read, or goes too deep.
HEAVY_BODIES = [
    *(
        b'{"%s":%s%s}' % (key, b"[" * depth, b"]" * depth)
        for key in (b"code", b"status", b"send", b"error", b"access_token", b"ZUID")
        for depth in (1_000, 5_000, 100_000)
    ),
    b'{"code":"ZVSMS-2000","send":[%s{}]}' % (b"{}," * 300_000),
    b'{"code":"ZVSMS-2000","send":[{"customerNumber":"%s"},{}]}' % (b"*1" * 200_000),
    b'{"code":"ZVSMS-2000","send":{"customerNumber":"%s"}}' % (b"1" * 900_000),
    b'{"code":"X","message":"%s"}' % (b"x" * 1_000_000),
    b"[" * 1_000_000,
    b"x" * 2_000_000,
]


def bodies(good: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Return bodies: near to a good one, any JSON, any bytes."""
    objects = nearly(good) | VALUES
    texts = objects.map(json.dumps).map(str.encode)
    return (
        texts
        | st.binary(max_size=20)
        | spoiled(json.dumps(good).encode())
        | st.sampled_from([b"", b"null", b"\xef\xbb\xbf{}", b"<html></html>"])
    )


_STATUSES = st.sampled_from(
    [200, 200, 200, 201, 204, 302, 304, 400, 401, 403, 404, 429, 500, 503]
) | st.integers(100, 999)

_HEADERS = st.sampled_from(
    [
        (b"content-type", b"application/json; charset=klingon"),
        (b"content-length", b"-1"),
        (b"content-length", b"99"),
        (b"content-encoding", b"gzip"),
        (b"content-encoding", b"deflate"),
        (b"content-encoding", b"br"),
        (b"content-encoding", b"zstd"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"upgrade"),
        (b"upgrade", b"websocket"),
        (b"location", b"http://["),
        (b"set-cookie", b'=;"\x01'),
    ]
) | st.tuples(
    st.sampled_from([b"retry-after", b"content-type", b"content-length", b"x"]),
    st.binary(max_size=12),
)
_RETRY_AFTER = st.sampled_from(
    [
        b"0",
        b"3",
        b"60",
        b"9" * 400,
        b"-1",
        b"1e5",
        b"\xd9\xa3",
        b"Wed, 21 Oct 2026 07:28:00 GMT",
        b"Sun, 22 Nov 2026 12:00:02 +0000",
        b"Fri, 31 Dec 9999 23:59:59 -2359",
        b"Mon, 01 Jan 0001 00:00:00 +2359",
        b"Mon, 01 Jan 2027 00:00:00 +99999999999999",
        b"1 Jan 2027 99999999999:0:0",
    ]
) | st.binary(max_size=12)


def answers(good: dict[str, Any]) -> st.SearchStrategy[Answer]:
    """Return answers to a request to which a good one is known."""
    usual = bytes(Answer(body=json.dumps(good).encode()))
    return (
        st.builds(Answer, _STATUSES, bodies(good))
        | st.builds(Answer, _STATUSES, bodies(good), st.tuples(_HEADERS))
        | st.builds(
            Answer,
            st.just(429),
            bodies(good),
            st.tuples(st.tuples(st.just(b"retry-after"), _RETRY_AFTER)),
        )
        | st.builds(Answer, raw=st.binary(max_size=99) | spoiled(usual))
    )
