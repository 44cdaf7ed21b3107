"""Read a status callback, whatever its shape.

Method, payload, and order of the callbacks are not documented (zoho-voice-api.md
section 2), and anyone who knows the URL can make one. So what is read is a hint.
"""

from codecs import BOM_UTF8
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from .fields import by_plain_name, read_number, read_text
from .models import MAX_NUMBERS
from .reply import parse_json

#: The largest body that is looked at (bytes).
MAX_BODY = 16 * 1024
#: How many delivery reports are taken from one callback.
MAX_REPORTS = 100

#: How deep objects and lists may lie in each other, and how many are looked at.
_MAX_DEPTH = 8
_MAX_CONTAINERS = 500
#: How much of a value is kept (characters).
_MAX_TEXT = 250

# The usual names, plain, the most telling one first.
_LOG_ID = ("logid", "messageid")
_STATUS = ("deliverystatus", "status", "state")
_DESCRIPTION = ("statusdescription", "description", "reason")
_NUMBER = ("customernumber", "to", "number")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """Hold what a callback says of one message, in Zoho's own words.

    `number` is that of the other side, read as in the message log.
    """

    log_id: str
    status: str | None = None
    description: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """Hold what a callback says: one report or more, each only once."""

    reports: tuple[DeliveryReport, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """Hold what an object says together with those around it.

    `open` means that a message was named, but not yet what became of it.
    """

    log_ids: tuple[str, ...] = ()
    status: str | None = None
    description: str | None = None
    number: str | None = None
    open: bool = False


def read_callback(
    query: Mapping[str, str], content_type: str, body: bytes
) -> Callback | None:
    """Return the delivery reports of a callback, or None. It never raises.

    They may be in the query, in JSON, or in a form, under any of the usual names, in
    objects and lists in each other, or in JSON as a text. What holds for all of them,
    such as the id in the query, may stand around them. A body of more than `MAX_BODY`
    is not looked at.
    """
    payload: dict[str, Any] = {**query}
    if (decoded := _decode(content_type, body)) is not None:
        payload["body"] = decoded
    reports: dict[DeliveryReport, None] = {}
    # What names a message, but itself says nothing of what became of it.
    vague: dict[DeliveryReport, None] = {}
    waiting: deque[tuple[Any, _Said, int]] = deque([(payload, _Said(), 0)])
    looked_at = 0
    while waiting and looked_at < _MAX_CONTAINERS and len(reports) < MAX_REPORTS:
        looked_at += 1
        container, said, depth = waiting.popleft()
        if isinstance(container, dict):
            said, found = _read(by_plain_name(container), said)
            (vague if said.open else reports).update(dict.fromkeys(found))
            container = container.values()
        if depth < _MAX_DEPTH:
            waiting.extend(
                (inner, said, depth + 1)
                for value in container
                if (inner := _container(value)) is not None
            )
    told = {report.log_id for report in reports}
    reports.update((report, None) for report in vague if report.log_id not in told)
    return Callback(tuple(islice(reports, MAX_REPORTS))) if reports else None


def _decode(content_type: str, body: bytes) -> Any:
    """Return what a body holds: JSON, or a form as a list of objects."""
    if len(body) > MAX_BODY:
        return None
    value = parse_json(body.removeprefix(BOM_UTF8))
    if value is not None or "json" in content_type.lower():
        return value
    form: list[dict[str, str]] = [{}]
    for name, text in parse_qsl(body.decode(errors="replace")):
        # A name that comes again begins the next report.
        if name in form[-1]:
            form.append({})
        form[-1][name] = text
    return form


def _container(value: Any) -> dict[str, Any] | list[Any] | None:
    """Return an object or a list, also one that is written as a text."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = parse_json(value[:MAX_BODY])
    return value if isinstance(value, dict | list) else None


def _read(
    fields: Mapping[str, Any], around: _Said
) -> tuple[_Said, list[DeliveryReport]]:
    """Return what an object says within what is around it, and its reports."""
    said = around
    if number := _first(fields, _NUMBER):
        said = replace(said, number=read_number(number))
    if log_ids := _log_ids(fields):
        said = replace(said, log_ids=log_ids, open=True)
    status = _first(fields, _STATUS)
    description = _first(fields, _DESCRIPTION)
    if status or description:
        said = replace(said, description=description)
    if status:
        said = replace(said, status=status, open=False)
    if not log_ids and not (status and around.open):
        return said, []
    return said, [
        DeliveryReport(
            log_id=log_id,
            status=said.status,
            description=said.description,
            number=said.number,
        )
        for log_id in said.log_ids
    ]


def _log_ids(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of an object, which may come in a list."""
    for name in _LOG_ID:
        value = fields.get(name)
        values = value if isinstance(value, list) else [value]
        if log_ids := tuple(text for one in values if (text := _text(one))):
            return log_ids[:MAX_NUMBERS]
    return ()


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Return the first of several values that is a text."""
    return next((text for name in names if (text := _text(fields.get(name)))), None)


def _text(value: Any) -> str | None:
    """Return the beginning of a text."""
    text = read_text(value)
    return text and text[:_MAX_TEXT]
