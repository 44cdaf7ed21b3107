"""Tells the receiver of a `statusCallback` what became of an SMS.

Zoho documents neither the method nor the payload nor the order, so all of it can be
chosen; see CallbackStyle.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
import json
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from .models import Direction, LoggedSms
from .phone_numbers import describe, describe_sender

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_TIMEOUT = ClientTimeout(total=10)
_SERVER_ERROR = 500
_NOT_FINAL = frozenset({"IN_QUEUE", "SENT"})

type Transport = Callable[[str, str, Mapping[str, str], bytes], Awaitable[int]]
"""Makes a request (method, URL, headers, body) and returns the answer's status.

Raises OSError, TimeoutError or aiohttp's ClientError where nobody answers.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStyle:
    """How receivers are called.

    `nested_in` is the name of an object around the fields. Each callback is made
    `times` times, `late_seconds` late, with so many `tries` as long as nobody answers
    or the answer is a 5xx, `retry_seconds` apart. With `out_of_order`, nobody hears
    that an SMS is queued or sent until after they have heard what followed.
    """

    method: Literal["POST", "PUT", "GET"] = "POST"
    encoding: Literal["json", "form", "query"] = "json"
    id_name: str = "logid"
    status_name: str = "status"
    nested_in: str | None = None
    with_number: bool = True
    times: int = 1
    late_seconds: float = 0
    out_of_order: bool = False
    tries: int = 3
    retry_seconds: float = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.method not in {"POST", "PUT", "GET"}:
            raise ValueError("method is POST, PUT or GET")
        if self.encoding not in {"json", "form", "query"}:
            raise ValueError("encoding is json, form or query")
        if self.method == "GET" and self.encoding != "query":
            raise ValueError("a GET has no body: its encoding is query")
        if self.nested_in is not None and self.encoding != "json":
            raise ValueError("only JSON can be nested")
        if self.times < 1 or self.tries < 1:
            raise ValueError("times and tries are numbers from 1")
        if self.late_seconds < 0 or self.retry_seconds < 0:
            raise ValueError("seconds cannot be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One try to call a receiver: the answer's status, or why there was none."""

    log_id: str
    number: str
    status: str
    method: str
    url: str
    content_type: str | None
    body: str
    at: float
    answer: int | None = None
    error: str | None = None


async def call_over_network(
    method: str, url: str, headers: Mapping[str, str], body: bytes
) -> int:
    """Make a request; redirects are not followed."""
    async with (
        ClientSession(timeout=_TIMEOUT) as session,
        session.request(
            method, url, headers=headers, data=body, allow_redirects=False
        ) as response,
    ):
        return response.status


def through_test_client(client: TestClient[Any, Any]) -> Transport:
    """Return a transport into a test's own server, whatever the URL's host is."""

    async def call(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> int:
        path = URL(url).raw_path_qs
        async with client.request(method, path, headers=headers, data=body) as response:
            return response.status

    return call


class Callbacks:
    """Calls receivers, and remembers each try."""

    def __init__(self, log: Callable[[str], None]) -> None:
        """Begin with the likeliest style, over the network."""
        self.style = CallbackStyle()
        self.transport: Transport = call_over_network
        self.made: list[Callback] = []
        self._log = log
        self._overtaken: dict[tuple[str, str], tuple[str, str | None]] = {}

    def clear(self) -> None:
        """Forget what was made, and what is still to be."""
        self.made.clear()
        self._overtaken.clear()

    async def tell(
        self, sms: LoggedSms, status: str, description: str | None
    ) -> list[Callback]:
        """Call the receiver, in the order that the style wants, and return the tries.

        Nobody is called for an SMS that came without a `statusCallback`.
        """
        if sms.status_callback is None:
            return []
        key = (sms.log_id, sms.number)
        if self.style.out_of_order and status.upper() in _NOT_FINAL:
            self._overtaken[key] = status, description
            return []
        made = await self.call(sms, status, description)
        if (overtaken := self._overtaken.pop(key, None)) is not None:
            made += await self.call(sms, *overtaken)
        return made

    async def call(
        self, sms: LoggedSms, status: str, description: str | None
    ) -> list[Callback]:
        """Call the receiver and return the tries."""
        if sms.status_callback is None:
            raise ValueError(f"the SMS {sms.log_id} came without a statusCallback")
        style, made = self.style, []
        if style.late_seconds:
            await asyncio.sleep(style.late_seconds)
        for _ in range(style.times):
            for attempt in range(style.tries):
                if attempt and style.retry_seconds:
                    await asyncio.sleep(style.retry_seconds)
                callback = await self._try(
                    style, sms, sms.status_callback, status, description
                )
                self.made.append(callback)
                made.append(callback)
                if callback.answer is not None and callback.answer < _SERVER_ERROR:
                    break
        return made

    async def _try(
        self,
        style: CallbackStyle,
        sms: LoggedSms,
        url: str,
        status: str,
        description: str | None,
    ) -> Callback:
        fields = _fields(style, sms, status, description)
        content_type, body = None, ""
        match style.encoding:
            case "json":
                content_type = _JSON
                nested = style.nested_in is not None
                body = json.dumps({style.nested_in: fields} if nested else fields)
            case "form":
                content_type, body = _FORM, urlencode(fields)
            case _:
                url = url.partition("#")[0]
                url += f"{'&' if '?' in url else '?'}{urlencode(fields)}"
        headers = {} if content_type is None else {"Content-Type": content_type}
        answer, error = None, None
        try:
            answer = await self.transport(style.method, url, headers, body.encode())
        except (OSError, ClientError) as err:
            error = f"{type(err).__name__}: {err}"
        self._log(f"callback {status} for {sms.number}: {answer or error}")
        return Callback(
            log_id=sms.log_id,
            number=sms.number,
            status=status,
            method=style.method,
            url=url,
            content_type=content_type,
            body=body,
            at=time.time(),
            answer=answer,
            error=error,
        )


def _fields(
    style: CallbackStyle, sms: LoggedSms, status: str, description: str | None
) -> dict[str, Any]:
    fields = {
        style.id_name: sms.log_id,
        style.status_name: status,
        "messageType": Direction.OUTGOING,
        "senderId": describe_sender(sms.sender_id)[0],
        "submittedTime": int(sms.submitted_at * 1000),
    }
    if style.with_number:
        fields["customerNumber"] = describe(sms.number)[0]
    if description is not None:
        fields["statusDescription"] = description
    return fields
