"""Read the rows of Zoho's message log, and Zoho's words for what became of a message.

What is known of both is in zoho-voice-api.md section 2.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """Hold one message of the log.

    `number` is that of the other side, with `+` and digits only where it can be read
    in full, otherwise as Zoho wrote it. `submitted_at` is in UTC. `status` and
    `description` are Zoho's own words.
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
