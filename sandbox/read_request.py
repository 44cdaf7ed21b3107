"""Reads what the message log and the schedule are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
import re

from .models import Direction, LoggedSms, ScheduledSms
from .phone_numbers import describe, sender_key
from .sms_request import RefusedError

FAILED = "500"

MAX_SIZE = 200
_DEFAULT_SIZE = 100

_LOG_PARAMETERS = frozenset(
    {
        "from",
        "size",
        "fromDate",
        "toDate",
        "messageType",
        "customerNumber",
        "longCode",
        "country",
        "fetchMMS",
        "optArchived",
    }
)
_SCHEDULE_PARAMETERS = frozenset(
    {"from", "size", "fromDate", "toDate", "searchtext", "optArchived", "optUnread"}
)
_DIRECTIONS = {
    "": None,
    "All": None,
    "Incoming": Direction.INCOMING,
    "Outgoing": Direction.OUTGOING,
}
_COUNT = re.compile(r"[0-9]{1,9}")
_DIGITS = re.compile(r"[0-9]+")
# The table of the documentation has the first, its sample the second.
_DATE = re.compile(
    r"(\d{4})(\d\d)(\d\d) (\d\d):(\d\d)(?::(\d\d))?"
    r"|(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What both calls have in common: a page, a span of time, or nothing at all.

    The span includes both ends. Nothing is what a request for archived SMS, for MMS
    or for unread ones gets: there are none.
    """

    start: int
    size: int
    since: float | None
    until: float | None
    nothing: bool

    def holds(self, at: float) -> bool:
        """Return whether a time is in the span."""
        return (
            not self.nothing
            and (self.since is None or at >= self.since)
            and (self.until is None or at <= self.until)
        )


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which rows of the message log are wanted."""

    selection: Selection
    direction: Direction | None
    number: str | None
    sender_id: str | None
    country: str | None

    def matches(self, sms: LoggedSms) -> bool:
        """Return whether a row is wanted."""
        return (
            self.selection.holds(sms.submitted_at)
            and self.direction in {None, sms.direction}
            and self.number in {None, sms.number.removeprefix("+")}
            and self.sender_id in {None, sender_key(sms.sender_id)}
            and self.country in {None, describe(sms.number)[1]}
        )


@dataclass(frozen=True, slots=True)
class ScheduleQuery:
    """Which rows of the schedule are wanted."""

    selection: Selection
    word: str | None

    def matches(self, scheduled: ScheduledSms) -> bool:
        """Return whether a row is wanted."""
        return self.selection.holds(scheduled.due_at) and (
            self.word is None
            or re.search(
                rf"(?<!\w){re.escape(self.word)}(?!\w)",
                scheduled.sms.message,
                re.IGNORECASE,
            )
            is not None
        )


def read_log_query(query: Mapping[str, str], zone: tzinfo) -> LogQuery:
    """Return what is asked for, or raise RefusedError; dates are in the zone."""
    _check_names(query, _LOG_PARAMETERS)
    direction = query.get("messageType", "")
    if direction not in _DIRECTIONS:
        raise _refused(f"messageType {direction!r} is not All, Incoming or Outgoing")
    number = query.get("customerNumber") or None
    if number is not None and not _DIGITS.fullmatch(number):
        raise _refused(f"customerNumber {number!r} is not digits only")
    sender_id = query.get("longCode") or None
    return LogQuery(
        selection=_read_selection(query, zone, ("fetchMMS", "optArchived")),
        direction=_DIRECTIONS[direction],
        number=number,
        sender_id=None if sender_id is None else sender_key(sender_id),
        country=query.get("country") or None,
    )


def read_schedule_query(query: Mapping[str, str], zone: tzinfo) -> ScheduleQuery:
    """Return what is asked for, or raise RefusedError; dates are in the zone."""
    _check_names(query, _SCHEDULE_PARAMETERS)
    return ScheduleQuery(
        selection=_read_selection(query, zone, ("optArchived", "optUnread")),
        word=query.get("searchtext") or None,
    )


def _check_names(query: Mapping[str, str], known: frozenset[str]) -> None:
    if extra := query.keys() - known:
        raise _refused(f"extra parameters: {', '.join(sorted(extra))}")


def _read_selection(
    query: Mapping[str, str], zone: tzinfo, flags: tuple[str, ...]
) -> Selection:
    wanted = [_read_flag(query, name) for name in flags]
    return Selection(
        start=_read_count(query, "from", 0),
        size=min(_read_count(query, "size", _DEFAULT_SIZE), MAX_SIZE),
        since=_read_date(query, "fromDate", zone),
        until=_read_date(query, "toDate", zone),
        nothing=True in wanted,
    )


def _read_count(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not _COUNT.fullmatch(value):
        raise _refused(f"{name} {value!r} is no count")
    return int(value)


def _read_flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "false")
    if value not in {"true", "false"}:
        raise _refused(f"{name} {value!r} is neither true nor false")
    return value == "true"


def _read_date(query: Mapping[str, str], name: str, zone: tzinfo) -> float | None:
    if not (text := query.get(name, "")):
        return None
    if (match := _DATE.fullmatch(text)) is None:
        raise _refused(f"{name} {text!r} is not yyyymmdd HH:MM or yyyy-mm-dd HH:MM:ss")
    try:
        parts = [int(part) for part in match.groups() if part is not None]
        return datetime(*parts, tzinfo=zone).timestamp()  # type: ignore[misc,arg-type]
    except ValueError as err:
        raise _refused(f"{name} {text!r} does not exist") from err


def _refused(reason: str) -> RefusedError:
    return RefusedError(reason, FAILED, "failed")
