"""Read Zoho's message log and schedule, and its words for what became of a message.

What is known of them is in zoho-voice-api.md section 2. A row that can't be read does
not hide the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
import logging
import re
from typing import Any

from .fields import (
    by_plain_name,
    mend,
    read_count,
    read_moment,
    read_number,
    read_text,
)

_LOGGER = logging.getLogger(__name__)

#: Where the rows are in a reply.
LOG_ROWS = "smsLogQuery"
SCHEDULE_ROWS = "schedule"


class Direction(StrEnum):
    """Name which way a message went."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class DeliveryState(StrEnum):
    """Name what became of a message, in an order that it can only go forward in."""

    QUEUED = "queued"
    UNKNOWN = "unknown"
    SENT = "sent"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    DELIVERED = "delivered"


#: The states that nothing follows.
FINAL_STATES = frozenset(
    {DeliveryState.UNDELIVERED, DeliveryState.FAILED, DeliveryState.DELIVERED}
)

#: Zoho's words, without what is between them.
_STATES = {
    word: state
    for state, words in {
        DeliveryState.QUEUED: ("INQUEUE", "QUEUED", "SUBMITTED", "ACCEPTED"),
        DeliveryState.SENT: ("SENT", "DISPATCHED", "SUCCESS"),
        DeliveryState.DELIVERED: ("DELIVERED", "READ"),
        DeliveryState.UNDELIVERED: (
            "UNDELIVERED",
            "UNDELIVERABLE",
            "NOTDELIVERED",
            "EXPIRED",
        ),
        DeliveryState.FAILED: ("FAILED", "REJECTED", "BLOCKED", "ERROR"),
    }.items()
    for word in words
}
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def delivery_state(status: str | None, description: str | None = None) -> DeliveryState:
    """Return the state that Zoho's words mean, unknown if they are new.

    The description counts only where the status says nothing, and only if it is one
    of the words: a sentence is for people to read.
    """
    for said in (status, description):
        word = _BETWEEN_WORDS.sub("", said or "").upper()
        if state := _STATES.get(word):
            return state
    return DeliveryState.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """Hold one message of the log.

    `number` is that of the other side, with `+` and digits only where it can be read
    in full, otherwise as Zoho wrote it, and empty where it did not. `submitted_at` is
    in UTC. `status` and `description` are Zoho's own words.
    """

    log_id: str
    direction: Direction
    number: str
    # It must not get into a log of ours.
    message: str = field(repr=False)
    sender_id: str | None = None
    submitted_at: datetime | None = None
    status: str | None = None
    description: str | None = None
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class Page[Row]:
    """Hold a page of the log, or of the schedule.

    `total` is how many rows all pages have together, None where Zoho did not say.
    `skipped` is how many rows of this page can't be read: whoever turns the pages has
    to count them, too.
    """

    rows: list[Row]
    total: int | None = None
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledSms:
    """Hold one message of the schedule; what Zoho did not say is None.

    `scheduled_time` is a wall-clock time in the IANA zone `time_zone`, as in `Sms`.
    """

    job_id: str | None = None
    log_id: str | None = None
    number: str | None = None
    # It must not get into a log of ours.
    message: str = field(repr=False)
    sender_id: str | None = None
    scheduled_time: datetime | None = None
    time_zone: str | None = None
    status: str | None = None
    segments: int | None = None


def read_log(body: Mapping[str, Any]) -> Page[LogRow]:
    """Return a page of the log from the body of a reply."""
    return _read_page(body, LOG_ROWS, _read_row)


def read_schedule(body: Mapping[str, Any]) -> Page[ScheduledSms]:
    """Return a page of the schedule from the body of a reply."""
    return _read_page(body, SCHEDULE_ROWS, _read_scheduled)


def _read_page[Row](
    body: Mapping[str, Any], key: str, read: Callable[[dict[str, Any]], Row | None]
) -> Page[Row]:
    """Return what can be read of the rows, none where there is no list."""
    rows = body.get(key)
    if not isinstance(rows, list):
        rows = []
    found = [
        one
        for row in rows
        if isinstance(row, dict) and (one := read(by_plain_name(row))) is not None
    ]
    if len(found) < len(rows):
        _LOGGER.debug(
            "%s of %s rows of %s lack what they need",
            len(rows) - len(found),
            len(rows),
            key,
        )
    meta = body.get("meta")
    return Page(
        found,
        total=read_count(meta.get("total")) if isinstance(meta, dict) else None,
        skipped=len(rows) - len(found),
    )


def _read_row(row: Mapping[str, Any]) -> LogRow | None:
    """Return a message of the log; it needs an id and a direction."""
    # The conversation view has both, and its rows are much the same.
    log_id = read_text(row.get("logid")) or read_text(row.get("messageid"))
    direction = (read_text(row.get("messagetype")) or "").lower()
    if log_id is None or direction not in Direction:
        return None
    return LogRow(
        log_id=log_id,
        direction=Direction(direction),
        number=read_number(row.get("customernumber")) or "",
        message=_read_message(row),
        sender_id=read_number(row.get("senderid")),
        submitted_at=read_moment(row.get("submittedtime")),
        status=read_text(row.get("status")),
        description=read_text(row.get("statusdescription")),
        segments=read_count(row.get("multipartcount")),
    )


def _read_scheduled(row: Mapping[str, Any]) -> ScheduledSms | None:
    """Return a message of the schedule; it needs an id of one kind or the other."""
    job_id = read_text(row.get("jobid"))
    log_id = read_text(row.get("logid"))
    if job_id is None and log_id is None:
        return None
    return ScheduledSms(
        job_id=job_id,
        log_id=log_id,
        number=read_number(row.get("customernumber")),
        message=_read_message(row),
        sender_id=read_number(row.get("senderid")),
        scheduled_time=_read_wall_clock(row.get("scheduledtime")),
        time_zone=read_text(row.get("timezone")),
        status=read_text(row.get("status")),
        segments=read_count(row.get("multipartcount")),
    )


def _read_message(row: Mapping[str, Any]) -> str:
    """Return the text, empty where there is none, as with a picture."""
    message = row.get("message")
    return mend(message) if isinstance(message, str) else ""


def _read_wall_clock(value: Any) -> datetime | None:
    """Return a time without a zone."""
    try:
        moment = datetime.fromisoformat(read_text(value) or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is None else None
