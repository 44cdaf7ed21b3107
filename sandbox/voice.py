"""The Voice host: the send endpoint and what can go wrong there."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from aiohttp import web

from . import phone_numbers, replies
from .access import JSON, DeniedError, check_accept, check_token
from .faults import Endpoint, Fault, FaultKind
from .models import SCOPE_SMS_CREATE, Account, SendRequest, Sms
from .reading import add_reading_routes
from .rows import receipt
from .sms_request import (
    BAD_REQUEST,
    WRONG_URL,
    RefusedError,
    SmsRequest,
    read_sms_request,
)
from .state import SandboxState

SEND_PATH = "/rest/json/v1/sms/send"

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


def add_voice_routes(app: web.Application, state: SandboxState) -> None:
    """Add what the Voice host answers."""
    app.router.add_post(SEND_PATH, _Send(state).handle)
    add_reading_routes(app, state)


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
        now = time.time()
        try:
            grant = check_token(state, request, SCOPE_SMS_CREATE)
            _check_headers(request)
            sms_request = read_sms_request(
                record.body, state.sender_ids, now, state.zone
            )
            self._check_callback(sms_request)
        except DeniedError as err:
            self._refuse(record, str(err))
            return err.response
        except RefusedError as err:
            self._refuse(record, str(err))
            return web.json_response(
                replies.error_body(err.code, err.message), status=state.error_status
            )
        record.accepted = True
        return web.json_response(self._accept(sms_request, grant.account, now))

    def _check_callback(self, sms: SmsRequest) -> None:
        if sms.status_callback is not None and not self._state.accept_callbacks:
            raise RefusedError("no statusCallback is accepted", *WRONG_URL)

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
        accepted = [
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
            for number, log_id in zip(sms.numbers, log_ids, strict=True)
        ]
        state.sent += accepted
        for each in accepted:
            state.log(f"sms to {each.number} from {sms.sender_id}: {sms.message!r}")
        state.delivery.accept(accepted, account, sms.due_at)
        described = [phone_numbers.describe(number) for number in sms.numbers]
        if together:
            notations = ",".join(notation for notation, _ in described)
            described = [(notations, described[0][1])]
        receipts = [
            receipt(sms, log_id, shown, account, now, zone=state.zone)
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
    check_accept(request)
    if request.content_type != JSON:
        raise RefusedError("header Content-Type is not application/json")


def _answer_instead(fault: Fault) -> web.Response | None:
    match fault.kind:
        case FaultKind.DROP_BEFORE:
            return None
        case FaultKind.TOO_MANY_REQUESTS:
            return replies.too_many_requests(
                fault.retry_after, fault.code, fault.message
            )
        case FaultKind.SERVER_ERROR:
            return replies.server_error(fault.status or 500)
        case FaultKind.UNAUTHORIZED:
            return replies.invalid_token()
        case FaultKind.MISSING_SCOPE:
            return replies.scope_mismatch()
        case _:
            status = 400 if fault.kind is FaultKind.ERROR_400 else 200
            return web.json_response(
                replies.error_body(
                    fault.code or BAD_REQUEST, fault.message or "Bad Request"
                ),
                status=status,
            )


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
            return web.Response(text=text[: len(text) // 2], content_type=JSON)
