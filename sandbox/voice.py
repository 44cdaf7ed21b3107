"""The Voice host: the send endpoint and what can go wrong there."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from aiohttp import web

from . import phone_numbers, replies
from .faults import Endpoint, Fault, FaultKind
from .models import SCOPE_SMS_CREATE, Account, SendRequest, Sms
from .sms_request import (
    BAD_REQUEST,
    CODING_BINARY,
    CODING_NON_ENGLISH,
    RefusedError,
    SmsRequest,
    read_sms_request,
)
from .state import SandboxState

SEND_PATH = "/rest/json/v1/sms/send"

_JSON = "application/json"
_NOT_ACCEPTED = frozenset(
    {
        FaultKind.DROP_BEFORE,
        FaultKind.TOO_MANY_REQUESTS,
        FaultKind.SERVER_ERROR,
        FaultKind.ERROR_200,
        FaultKind.ERROR_400,
        FaultKind.UNAUTHORIZED,
        FaultKind.MISSING_SCOPE,
    }
)

# Characters that fit into one SMS, and into each part of a longer one.
_SEVEN_BIT = (160, 153)
_BINARY = (140, 134)
_UNICODE = (70, 67)


def add_voice_routes(app: web.Application, state: SandboxState) -> None:
    """Add what the Voice host answers."""
    app.router.add_post(SEND_PATH, _Send(state).handle)


class _Send:
    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def handle(self, request: web.Request) -> web.Response:
        state = self._state
        record = SendRequest(request.headers, await _read_body(request))
        state.requests.append(record)
        fault = state.faults.take(Endpoint.SEND)
        response = (
            self._answer(request, record)
            if fault is None
            else await self._answer_with(fault, request, record)
        )
        if state.answer_seconds:
            await asyncio.sleep(state.answer_seconds)
        if response is None:
            return replies.drop(request)
        record.status = response.status
        return response

    async def _answer_with(
        self, fault: Fault, request: web.Request, record: SendRequest
    ) -> web.Response | None:
        if fault.kind in _NOT_ACCEPTED:
            self._refuse(record, f"fault {fault.kind}")
            return _answer_instead(fault)
        response = self._answer(request, record)
        if fault.kind is FaultKind.LATE:
            await asyncio.sleep(fault.seconds or 0)
        # A request that is refused anyway is answered so: the refusal is worth
        # more to whoever sent it than the fault.
        elif record.accepted:
            return _spoil(fault, response)
        return response

    def _answer(self, request: web.Request, record: SendRequest) -> web.Response:
        state = self._state
        grant = state.tokens.find_grant(request.headers.get("Authorization"))
        if grant is None:
            self._refuse(record, "no valid access token")
            return replies.invalid_token()
        if SCOPE_SMS_CREATE not in grant.scopes:
            self._refuse(record, f"scope {SCOPE_SMS_CREATE} is missing")
            return replies.scope_mismatch()
        now = time.time()
        try:
            _check_headers(request)
            sms_request = read_sms_request(record.body, state.sender_ids, now)
        except RefusedError as err:
            self._refuse(record, str(err))
            return web.json_response(
                replies.error_body(err.code, err.message), status=state.error_status
            )
        record.accepted = True
        return web.json_response(self._accept(sms_request, grant.account, now))

    def _refuse(self, record: SendRequest, reason: str) -> None:
        record.refusal = reason
        self._state.log(f"send refused: {reason}")

    def _accept(self, sms: SmsRequest, account: Account, now: float) -> dict[str, Any]:
        state = self._state
        count = len(sms.numbers)
        together = count > 1 and state.several_as == "object"
        log_ids = (
            [str(uuid4())] * count if together else [str(uuid4()) for _ in sms.numbers]
        )
        for number, log_id in zip(sms.numbers, log_ids, strict=True):
            state.sent.append(
                Sms(
                    log_id=log_id,
                    number=number,
                    sender_id=sms.sender_id,
                    message=sms.message,
                    data_coding=sms.data_coding,
                    scheduled_time=sms.scheduled_time,
                    time_zone=sms.time_zone,
                    status_callback=sms.status_callback,
                    submitted_at=now,
                )
            )
            state.log(f"sms to {number} from {sms.sender_id}: {sms.message!r}")
        described = [phone_numbers.describe(number) for number in sms.numbers]
        if together:
            notations = ",".join(notation for notation, _ in described)
            described = [(notations, described[0][1])]
        receipts = [
            _receipt(sms, log_id, shown, account, now)
            for log_id, shown in zip(log_ids, described, strict=False)
        ]
        send = receipts[0] if len(receipts) == 1 else receipts
        return {"code": "ZVSMS-2000", "send": send, "status": "SUCCESS"}


async def _read_body(request: web.Request) -> Any:
    raw = await request.read()
    try:
        return json.loads(raw)
    except ValueError, RecursionError:
        return raw.decode(errors="replace")


def _check_headers(request: web.Request) -> None:
    accepted = request.headers.get("Accept", "").split(",")
    if _JSON not in (value.partition(";")[0].strip() for value in accepted):
        raise RefusedError("header Accept is not application/json")
    if request.content_type != _JSON:
        raise RefusedError("header Content-Type is not application/json")


def _error(fault: Fault, status: int, code: str, message: str) -> web.Response:
    return web.json_response(
        replies.error_body(fault.code or code, fault.message or message), status=status
    )


def _answer_instead(fault: Fault) -> web.Response | None:
    match fault.kind:
        case FaultKind.DROP_BEFORE:
            return None
        case FaultKind.TOO_MANY_REQUESTS:
            response = _error(fault, 429, "TOO_MANY_REQUESTS", "Too many requests")
            if fault.retry_after is not None:
                response.headers["Retry-After"] = str(fault.retry_after)
            return response
        case FaultKind.SERVER_ERROR:
            return replies.server_error(fault.status or 500)
        case FaultKind.UNAUTHORIZED:
            return replies.invalid_token()
        case FaultKind.MISSING_SCOPE:
            return replies.scope_mismatch()
        case _:
            status = 400 if fault.kind is FaultKind.ERROR_400 else 200
            return _error(fault, status, BAD_REQUEST, "Bad Request")


def _spoil(fault: Fault, response: web.Response) -> web.Response | None:
    match fault.kind:
        case FaultKind.DROP_AFTER:
            return None
        case FaultKind.SERVER_ERROR_AFTER:
            return replies.server_error(fault.status or 500)
        case FaultKind.EMPTY_REPLY:
            return web.Response()
        case FaultKind.HTML_REPLY:
            return replies.html("<html><body>Zoho Voice</body></html>")
        case _:
            text = response.text or ""
            return web.Response(text=text[: len(text) // 2], content_type=_JSON)


def _receipt(
    sms: SmsRequest,
    log_id: str,
    described: tuple[str, str],
    account: Account,
    now: float,
) -> dict[str, Any]:
    notation, country = described
    sender_id = sms.sender_id
    if sender_id.removeprefix("+").isdecimal():
        sender_id, _ = phone_numbers.describe(f"+{sender_id.removeprefix('+')}")
    return {
        "multipartCount": _count_parts(sms),
        "country": country,
        "submittedTime": int(now * 1000),
        "customerNumber": notation,
        "message": sms.message,
        "userName": account.first_name,
        "customerName": notation,
        "senderId": sender_id,
        "messageType": "OUTGOING",
        "sentTime": time.strftime("%Y-%m-%d %H:%M", time.gmtime(now)),
        "logid": log_id,
        "email": account.email,
        "status": "IN_QUEUE",
    }


def _count_parts(sms: SmsRequest) -> int:
    length = len(sms.message)
    if sms.data_coding == CODING_BINARY:
        length = len(sms.message.encode())
        single, part = _BINARY
    elif sms.data_coding == CODING_NON_ENGLISH or not sms.message.isascii():
        # Unicode SMS count 16 bit units: an emoji takes two.
        length = len(sms.message.encode("utf-16-le")) // 2
        single, part = _UNICODE
    else:
        single, part = _SEVEN_BIT
    return 1 if length <= single else -(-length // part)
