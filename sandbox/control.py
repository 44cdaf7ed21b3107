"""The control API under /sandbox/, for other processes."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields
import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from .faults import FaultKind
from .site import NOTICE_SECONDS
from .state import SandboxState


def add_control_routes(app: web.Application, state: SandboxState) -> None:
    """Add the control API."""
    control = _Control(state)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/sandbox/state", control.state),
        ("POST", "/sandbox/reset", control.reset),
        ("POST", "/sandbox/faults", control.add_fault),
        ("DELETE", "/sandbox/faults", control.clear_faults),
        ("POST", "/sandbox/settings", control.change_settings),
        ("POST", "/sandbox/expire_access_tokens", control.expire_access_tokens),
        ("POST", "/sandbox/token", control.issue_token),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)


class _Control:
    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def state(self, _request: web.Request) -> web.Response:
        state = self._state
        return web.json_response(
            {
                "sent": [_as_dict(sms) for sms in state.sent],
                "requests": [_as_dict(sent) for sent in state.requests],
                "token_requests": [_as_dict(token) for token in state.token_requests],
                "revoked": state.revoked,
            }
        )

    async def reset(self, _request: web.Request) -> web.Response:
        self._state.reset()
        return _done()

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
        values = await _read_object(request, _SETTINGS)
        if values.get("several_as", "list") not in {"list", "object"}:
            raise _bad_request("several_as is list or object")
        if values.get("error_status", 200) not in {200, 400}:
            raise _bad_request("error_status is 200 or 400")
        if values.get("answer_seconds", 0) < 0:
            raise _bad_request("answer_seconds cannot be negative")
        sender_ids = values.get("sender_ids", [])
        if not all(isinstance(sender_id, str) for sender_id in sender_ids):
            raise _bad_request("sender_ids is a list of strings")
        if "sender_ids" in values:
            values["sender_ids"] = set(sender_ids)
        for name, value in values.items():
            setattr(self._state, name, value)
        return _done()

    async def expire_access_tokens(self, _request: web.Request) -> web.Response:
        self._state.expire_access_tokens()
        return _done()

    async def issue_token(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state.issue_token())


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
_SETTINGS: dict[str, tuple[type, ...]] = {
    "several_as": (str,),
    "error_status": (int,),
    "answer_seconds": (int, float),
    "sender_ids": (list,),
}


async def _read_object(
    request: web.Request, known: Mapping[str, tuple[type, ...]]
) -> dict[str, Any]:
    """Return the JSON object of a request, or raise HTTPBadRequest."""
    try:
        values = json.loads(await request.read())
    except ValueError as err:
        raise _bad_request(f"the body is not JSON: {err}") from err
    if not isinstance(values, dict):
        raise _bad_request("the body is not a JSON object")
    for name, value in values.items():
        if name not in known:
            raise _bad_request(f"{name!r} is not one of {', '.join(known)}")
        if type(value) not in known[name]:
            raise _bad_request(f"{name} cannot be {value!r}")
    return values


def _as_dict(record: Any) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    if "headers" in values:
        values["headers"] = dict(values["headers"])
    return values


def _bad_request(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(
        text=json.dumps({"error": message}), content_type="application/json"
    )


def _done() -> web.Response:
    return web.json_response({"status": "ok"})
