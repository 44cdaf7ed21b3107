"""The control API under /sandbox/, for other processes."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import fields
import json
from textwrap import fill
from typing import Any

from aiohttp import web

from .faults import FaultKind
from .models import Account
from .settings import SETTINGS, change_settings, check_types
from .site import NOTICE_SECONDS
from .state import SandboxState

_COLUMNS = 88

_NULL = type(None)
_FAULT_FIELDS: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "times": (int, _NULL),
    "seconds": (int, float, _NULL),
    "status": (int, _NULL),
    "retry_after": (str, int, _NULL),
    "code": (str, _NULL),
    "message": (str, _NULL),
}
_RECEIVE_FIELDS: dict[str, tuple[type, ...]] = {
    "from": (str,),
    "text": (str,),
    "to": (str, _NULL),
}
_CALL_BACK_FIELDS: dict[str, tuple[type, ...]] = {
    "log_id": (str,),
    "status": (str,),
    "description": (str, _NULL),
    "number": (str, _NULL),
}
_REPORT_FIELDS = _CALL_BACK_FIELDS | {"callback": (bool,)}

_ROUTES = (
    ("GET", "state", "state", "all that was sent, requested and called back"),
    ("GET", "messages", "messages", "the message log with its statuses; the schedule"),
    ("POST", "reset", "reset", "forget all of this, and the faults"),
    ("POST", "receive", "receive", f"take an SMS: {', '.join(_RECEIVE_FIELDS)}"),
    ("POST", "report", "report", f"change a status: {', '.join(_REPORT_FIELDS)}"),
    (
        "POST",
        "call_back",
        "call_back",
        f"call back, and leave the log as it is: {', '.join(_CALL_BACK_FIELDS)}",
    ),
    ("POST", "send_due", "send_due", "send what is scheduled and due"),
    ("POST", "settings", "change_settings", "change any of the settings below"),
    ("POST", "faults", "add_fault", f"add a fault: {', '.join(_FAULT_FIELDS)}"),
    ("DELETE", "faults", "clear_faults", "let nothing fail any more"),
    ("POST", "token", "issue_token", "give a token without a browser"),
    ("POST", "expire_access_tokens", "expire_access_tokens", "end all access tokens"),
)


def add_control_routes(app: web.Application, state: SandboxState) -> None:
    """Add the control API."""
    control = _Control(state)
    for method, name, handler, _ in _ROUTES:
        app.router.add_route(method, f"/sandbox/{name}", getattr(control, handler))


def describe() -> str:
    """Return what the control API offers, for people."""
    calls = [(f"{method} /sandbox/{name}", text) for method, name, _, text in _ROUTES]
    options = [(name, setting.values) for name, setting in SETTINGS.items()]
    return (
        "control API, under the accounts URL; requests and answers are JSON objects:\n"
        f"{_columns(calls)}\n\nsettings:\n{_columns(options)}\n\n"
        f"kinds of faults:\n{_lines(', '.join(FaultKind), 2)}"
    )


def _columns(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f"  {left:36} {_lines(right, 39).lstrip()}" for left, right in rows
    )


def _lines(text: str, indent: int) -> str:
    margin = " " * indent
    return fill(text, _COLUMNS, initial_indent=margin, subsequent_indent=margin)


class _Control:
    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def state(self, _request: web.Request) -> web.Response:
        state = self._state
        return web.json_response(
            {
                "sent": _as_dicts(state.sent),
                "requests": _as_dicts(state.requests),
                "reads": _as_dicts(state.reads),
                "callbacks": _as_dicts(state.callbacks.made),
                "token_requests": _as_dicts(state.token_requests),
                "revoked": state.revoked,
            }
        )

    async def messages(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "messages": _as_dicts(self._state.message_log),
                "scheduled": _as_dicts(self._state.scheduled),
            }
        )

    async def reset(self, _request: web.Request) -> web.Response:
        self._state.reset()
        return _done()

    async def receive(self, request: web.Request) -> web.Response:
        values = await _read_object(request, _RECEIVE_FIELDS, "from", "text")
        try:
            sms = self._state.receive(values["from"], values["text"], values.get("to"))
        except ValueError as err:
            raise _bad_request(str(err)) from err
        return _done(message=_as_dict(sms))

    async def report(self, request: web.Request) -> web.Response:
        values = await _read_object(request, _REPORT_FIELDS, "log_id", "status")
        try:
            made = await self._state.report(values.pop("log_id"), **values)
        except LookupError as err:
            raise _bad_request(str(err)) from err
        return _done(callbacks=_as_dicts(made))

    async def call_back(self, request: web.Request) -> web.Response:
        values = await _read_object(request, _CALL_BACK_FIELDS, "log_id", "status")
        try:
            made = await self._state.call_back(values.pop("log_id"), **values)
        except (LookupError, ValueError) as err:
            raise _bad_request(str(err)) from err
        return _done(callbacks=_as_dicts(made))

    async def send_due(self, _request: web.Request) -> web.Response:
        return _done(messages=_as_dicts(self._state.send_due()))

    async def add_fault(self, request: web.Request) -> web.Response:
        values = await _read_object(request, _FAULT_FIELDS)
        kind = values.pop("kind", None)
        if kind not in set(FaultKind):
            raise _bad_request(
                f"kind {kind!r} is not one of {', '.join(sorted(FaultKind))}"
            )
        try:
            self._state.add_fault(FaultKind(kind), **values)
        except ValueError as err:
            raise _bad_request(str(err)) from err
        # The answer is the sign that the fault is there: let a refusal take hold.
        await asyncio.sleep(NOTICE_SECONDS)
        return _done()

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._state.clear_faults()
        return _done()

    async def change_settings(self, request: web.Request) -> web.Response:
        values = await _read_object(request)
        try:
            change_settings(self._state, values)
        except ValueError as err:
            raise _bad_request(str(err)) from err
        return _done()

    async def expire_access_tokens(self, _request: web.Request) -> web.Response:
        self._state.expire_access_tokens()
        return _done()

    async def issue_token(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state.issue_token())


async def _read_object(
    request: web.Request,
    known: Mapping[str, tuple[type, ...]] | None = None,
    *required: str,
) -> dict[str, Any]:
    """Return the JSON object of a request, or raise HTTPBadRequest."""
    try:
        values = json.loads(await request.read())
    except ValueError as err:
        raise _bad_request(f"the body is not JSON: {err}") from err
    if not isinstance(values, dict):
        raise _bad_request("the body is not a JSON object")
    if known is not None:
        try:
            check_types(values, known)
        except ValueError as err:
            raise _bad_request(str(err)) from err
    for name in required:
        if name not in values:
            raise _bad_request(f"{name} is missing")
    return values


def _as_dicts(records: Iterable[Any]) -> list[dict[str, Any]]:
    return [_as_dict(record) for record in records]


def _as_dict(record: Any) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    for name, value in values.items():
        if name == "headers":
            values[name] = dict(value)
        elif name == "sms":
            values[name] = _as_dict(value)
        elif isinstance(value, Account):
            values[name] = value.zuid
    return values


def _bad_request(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(
        text=json.dumps({"error": message}), content_type="application/json"
    )


def _done(**values: Any) -> web.Response:
    return web.json_response({"status": "ok", **values})
