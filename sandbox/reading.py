"""What is read from the Voice host: the message log and the schedule."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
import time
from typing import Any

from aiohttp import web

from . import replies
from .access import JSON, DeniedError, check_accept, check_token
from .faults import Endpoint, Fault, FaultKind
from .models import SCOPE_SMS_READ, Account, ReadRequest
from .read_request import FAILED, Selection, read_log_query, read_schedule_query
from .rows import log_row, schedule_row
from .sms_request import RefusedError
from .state import SandboxState

LOGS_PATH = "/rest/json/v1/sms/logs"
SCHEDULE_PATH = "/rest/json/v1/sms/schedule"

_GARBAGE = '[{"smsLogQuery": 7, "schedule": "soon"}, null]'

type _Rows = tuple[list[dict[str, Any]], dict[str, Any]]
"""The rows of a page, and what else is answered."""


def add_reading_routes(app: web.Application, state: SandboxState) -> None:
    """Add the calls that read."""
    for call, path, name, find in (
        ("logs", LOGS_PATH, "smsLogQuery", _find_logged),
        ("schedule", SCHEDULE_PATH, "schedule", _find_scheduled),
    ):
        app.router.add_get(path, _Reading(state, call, name, find).handle)


def _find_logged(
    state: SandboxState, account: Account, query: Mapping[str, str]
) -> _Rows:
    wanted = read_log_query(query, state.zone)
    latest = time.time() - state.log_lag_seconds
    found = [
        sms
        for sms in (
            state.message_log if state.oldest_first else reversed(state.message_log)
        )
        if sms.account.zuid == account.zuid
        and sms.submitted_at <= latest
        and wanted.matches(sms)
    ]
    rows = [log_row(sms, state.zone) for sms in _page(found, wanted.selection)]
    for row in rows:
        if "status" in row:
            row["status"] = state.in_case(row["status"])
    return rows, {"meta": {"total": len(found)}, "status": state.in_case("success")}


def _find_scheduled(
    state: SandboxState, account: Account, query: Mapping[str, str]
) -> _Rows:
    wanted = read_schedule_query(query, state.zone)
    found = sorted(
        (
            scheduled
            for scheduled in state.scheduled
            if scheduled.account.zuid == account.zuid and wanted.matches(scheduled)
        ),
        key=lambda scheduled: scheduled.due_at,
    )
    rows = [schedule_row(scheduled) for scheduled in _page(found, wanted.selection)]
    for row in rows:
        row["status"] = state.in_case(row["status"])
    return rows, {"status": state.in_case("SUCCESS")}


def _page[T](found: list[T], selection: Selection) -> Iterable[T]:
    return found[selection.start : selection.start + selection.size]


class _Reading:
    def __init__(
        self,
        state: SandboxState,
        call: str,
        name: str,
        find: Callable[[SandboxState, Account, Mapping[str, str]], _Rows],
    ) -> None:
        self._state = state
        self._call = call
        self._name = name
        self._find = find

    async def handle(self, request: web.Request) -> web.Response:
        state = self._state
        record = ReadRequest(self._call, dict(request.query), request.headers)
        state.reads.append(record)
        fault = state.faults.take(Endpoint.READ)
        response: web.Response | None
        if fault is not None and fault.kind is not FaultKind.READ_LATE:
            response = self._answer_with(fault, request, record)
        else:
            response = self._answer(request, record)
            if fault is not None:
                await asyncio.sleep(fault.seconds or 0)
        if response is None:
            return replies.drop(request)
        record.status = response.status
        return response

    def _answer(self, request: web.Request, record: ReadRequest) -> web.Response:
        state = self._state
        try:
            grant = check_token(state, request, SCOPE_SMS_READ)
            if not state.may_read(self._call, grant.account):
                self._refuse(record, "too many calls")
                return replies.too_many_requests()
            check_accept(request)
            rows, others = self._find(state, grant.account, record.query)
        except DeniedError as err:
            self._refuse(record, str(err))
            return err.response
        except RefusedError as err:
            self._refuse(record, str(err))
            return web.json_response(
                replies.error_body(err.code, err.message), status=state.error_status
            )
        record.rows = len(rows)
        state.log(f"{self._call} read: {len(rows)} rows")
        if not rows:
            return web.Response(status=204)
        return web.json_response({self._name: rows, "code": "200", **others})

    def _answer_with(
        self, fault: Fault, request: web.Request, record: ReadRequest
    ) -> web.Response | None:
        if fault.kind is FaultKind.READ_TRUNCATED:
            text = self._answer(request, record).text or ""
            return web.Response(text=text[: len(text) // 2], content_type=JSON)
        self._refuse(record, f"fault {fault.kind}")
        return _answer_instead(fault)

    def _refuse(self, record: ReadRequest, reason: str) -> None:
        record.refusal = reason
        self._state.log(f"{self._call} refused: {reason}")


def _answer_instead(fault: Fault) -> web.Response | None:
    match fault.kind:
        case FaultKind.READ_DROP:
            response = None
        case FaultKind.READ_TOO_MANY_REQUESTS:
            response = replies.too_many_requests(
                fault.retry_after, fault.code, fault.message
            )
        case FaultKind.READ_SERVER_ERROR:
            response = replies.server_error(fault.status or 500)
        case FaultKind.READ_UNAUTHORIZED:
            response = replies.invalid_token()
        case FaultKind.READ_MISSING_SCOPE:
            response = replies.scope_mismatch()
        case FaultKind.READ_HTML:
            response = replies.html("<html><body>Zoho Voice</body></html>")
        case FaultKind.READ_GARBAGE:
            body = _GARBAGE if fault.message is None else fault.message
            response = web.Response(text=body, content_type=JSON)
        case _:
            response = web.json_response(
                replies.error_body(fault.code or FAILED, fault.message or "failed"),
                status=fault.status or 200,
            )
    return response
