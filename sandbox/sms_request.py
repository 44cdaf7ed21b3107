"""Reads the body of a send request, as strictly as its documentation allows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
import re
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from .phone_numbers import sender_key

BAD_REQUEST = "ZVSMS-4027"
COUNTRY_NOT_SUPPORTED = "ZVSMS-4038"
WRONG_URL = ("ZVT011", "given URL is wrong")

CODING_ENGLISH, CODING_BINARY, CODING_NON_ENGLISH = range(3)

MAX_NUMBERS = 10
MAX_CHARACTERS = 1000
UNSUPPORTED_PREFIX = "850"

_REQUIRED = ("senderId", "customerNumber", "message")
_FIELDS = frozenset(
    {*_REQUIRED, "statusCallback", "dataCoding", "scheduledTime", "timeZone"}
)
_CODINGS = frozenset({CODING_ENGLISH, CODING_BINARY, CODING_NON_ENGLISH})
_NUMBER = re.compile(r"\+?[0-9]{7,15}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


class RefusedError(Exception):
    """Zoho would not take the request: the error it answers, and why."""

    def __init__(
        self, reason: str, code: str = BAD_REQUEST, message: str = "Bad Request"
    ) -> None:
        """Keep Zoho's terse answer apart from the reason a developer needs."""
        super().__init__(reason)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """A send request that may be accepted; the numbers are in E.164.

    `due_at` is the scheduled time in seconds since the epoch.
    """

    sender_id: str
    numbers: tuple[str, ...]
    message: str
    status_callback: str | None
    data_coding: int | None
    scheduled_time: str | None
    time_zone: str | None
    due_at: float | None


def read_sms_request(
    body: Any, sender_ids: Iterable[str], timestamp: float, account_zone: tzinfo
) -> SmsRequest:
    """Return what is to be sent, or raise RefusedError.

    A scheduled time without a zone is in the account's own.
    """
    if not isinstance(body, dict):
        raise RefusedError("the body is not a JSON object")
    if extra := body.keys() - _FIELDS:
        raise RefusedError(
            f"extra parameters: {', '.join(sorted(extra))}",
            message="Extra parameter found",
        )
    for name in _REQUIRED:
        if name not in body:
            raise RefusedError(f"{name} is missing")
    message = _read_message(body)
    numbers = _read_numbers(body)
    time_zone = _read_time_zone(body)
    sender_id = _read_sender(body, sender_ids)
    status_callback = _read_callback(body)
    data_coding = _read_coding(body, message)
    zone = account_zone if time_zone is None else ZoneInfo(time_zone)
    due_at = _read_schedule(body, zone, timestamp)
    return SmsRequest(
        sender_id=sender_id,
        numbers=numbers,
        message=message,
        status_callback=status_callback,
        data_coding=data_coding,
        scheduled_time=body.get("scheduledTime"),
        time_zone=time_zone,
        due_at=due_at,
    )


def _read_text(body: dict[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str):
        raise RefusedError(f"{name} is not a string")
    return value


def _read_message(body: dict[str, Any]) -> str:
    message = _read_text(body, "message")
    if not 1 <= len(message) <= MAX_CHARACTERS:
        raise RefusedError(f"message has {len(message)} characters")
    try:
        message.encode()
    except UnicodeEncodeError as err:
        raise RefusedError("message holds half of a surrogate pair") from err
    return message


def _read_numbers(body: dict[str, Any]) -> tuple[str, ...]:
    values = _read_text(body, "customerNumber").split(",")
    if len(values) > MAX_NUMBERS:
        raise RefusedError(f"customerNumber holds {len(values)} numbers")
    numbers = []
    for value in values:
        if not _NUMBER.fullmatch(value):
            raise RefusedError(f"customerNumber holds {value!r}, which is no number")
        number = f"+{value.removeprefix('+')}"
        if number in numbers:
            raise RefusedError(f"customerNumber holds {value} twice")
        if number.startswith(UNSUPPORTED_PREFIX, 1):
            raise RefusedError(
                f"{value} is in a country that is not supported",
                COUNTRY_NOT_SUPPORTED,
                "destination country not supported",
            )
        numbers.append(number)
    return tuple(numbers)


def _read_sender(body: dict[str, Any], sender_ids: Iterable[str]) -> str:
    sender_id = _read_text(body, "senderId")
    key = sender_key(sender_id)
    if not any(key == sender_key(approved) for approved in sender_ids):
        raise RefusedError(f"senderId {sender_id!r} is not approved")
    return sender_id


def _read_callback(body: dict[str, Any]) -> str | None:
    if "statusCallback" not in body:
        return None
    value = body["statusCallback"]
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or not isinstance(value, str) or any(map(str.isspace, value)):
        raise RefusedError(f"statusCallback {value!r} is no URL", *WRONG_URL)
    return value


def _read_coding(body: dict[str, Any], message: str) -> int | None:
    if "dataCoding" not in body:
        return None
    coding = body["dataCoding"]
    # A bool is an int in Python, but not in JSON.
    if type(coding) is not int or coding not in _CODINGS:
        raise RefusedError(f"dataCoding is {coding!r}, not 0, 1 or 2")
    if coding == CODING_ENGLISH and not message.isascii():
        raise RefusedError("dataCoding is 0, but the message is not English")
    return coding


@cache
def _zones() -> set[str]:
    return available_timezones()


def _read_time_zone(body: dict[str, Any]) -> str | None:
    if "timeZone" not in body:
        return None
    time_zone = _read_text(body, "timeZone")
    if time_zone not in _zones():
        raise RefusedError(f"timeZone {time_zone!r} is not known")
    return time_zone


def _read_schedule(
    body: dict[str, Any], zone: tzinfo, timestamp: float
) -> float | None:
    if "scheduledTime" not in body:
        return None
    text = _read_text(body, "scheduledTime")
    if not _TIME.fullmatch(text):
        raise RefusedError(f"scheduledTime {text!r} is not yyyy-mm-dd HH:MM:ss")
    try:
        scheduled = datetime.fromisoformat(text)
    except ValueError as err:
        raise RefusedError(f"scheduledTime {text!r} does not exist") from err
    due_at = scheduled.replace(tzinfo=zone).timestamp()
    if due_at <= timestamp:
        raise RefusedError(f"scheduledTime {text} is past")
    return due_at
