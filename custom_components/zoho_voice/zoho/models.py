"""What goes out to Zoho Voice and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Self

#: The most destination numbers that one request may carry (Zoho's page).
MAX_NUMBERS = 10
#: The most characters that a message may have (Zoho's page).
MAX_MESSAGE_LENGTH = 1000


class DataCoding(IntEnum):
    """Name the character sets of the `dataCoding` parameter."""

    ENGLISH = 0
    BINARY = 1
    NON_ENGLISH = 2


def digits(number: str) -> str:
    """Return the digits of a number: Zoho reformats, so only they can be compared."""
    return "".join(filter(str.isdigit, number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """Hold one text and its options.

    `scheduled_time` is a wall-clock time in the IANA zone `time_zone`; the two go
    together. `status_callback` is a URL that carries its own secret.
    """

    message: str
    data_coding: DataCoding
    scheduled_time: datetime | None = None
    time_zone: str | None = None
    status_callback: str | None = None

    def as_json(self, sender_id: str, numbers: Sequence[str]) -> dict[str, str | int]:
        """Return the request's body for 1 to 10 E.164 numbers.

        Optional parameters that are not used are left out: Zoho refuses what it
        does not know (zoho-voice-api.md section 1).
        """
        body: dict[str, str | int] = {
            "senderId": sender_id,
            "customerNumber": ",".join(numbers),
            "message": self.message,
            "dataCoding": self.data_coding.value,
        }
        if self.status_callback is not None:
            body["statusCallback"] = self.status_callback
        if self.scheduled_time is not None:
            body["scheduledTime"] = f"{self.scheduled_time:%Y-%m-%d %H:%M:%S}"
        if self.time_zone is not None:
            body["timeZone"] = self.time_zone
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Hold what Zoho said of one number; None where it said nothing.

    `number` is in E.164 as it was sent, `submitted_at` is in UTC.
    """

    number: str
    log_id: str | None = None
    status: str | None = None
    segments: int | None = None
    sender_id: str | None = None
    submitted_at: datetime | None = None
    country: str | None = None

    @classmethod
    def from_json(cls, number: str, row: dict[str, Any]) -> Self:
        """Read one `send` object of Zoho's answer.

        Anything that is missing or of another type than documented becomes None: the
        message is on its way, and no oddity in the receipt may say otherwise.
        """
        milliseconds = row.get("submittedTime")
        try:
            submitted_at = datetime.fromtimestamp(float(milliseconds) / 1000, UTC)  # type: ignore[arg-type]
        except TypeError, ValueError, OverflowError, OSError:
            submitted_at = None
        segments = row.get("multipartCount")
        return cls(
            number=number,
            log_id=_text(row.get("logid")),
            status=_text(row.get("status")),
            segments=segments if isinstance(segments, int) else None,
            sender_id=_sender_id(row.get("senderId")),
            submitted_at=submitted_at,
            country=_text(row.get("country")),
        )


@dataclass(frozen=True, slots=True)
class User:
    """Hold who signed in at Zoho; `zuid` is Zoho's unchanging id of the person."""

    zuid: str
    email: str


def _text(value: object) -> str | None:
    """Return a non-empty text, or None."""
    return value if isinstance(value, str) and value else None


def _sender_id(value: object) -> str | None:
    """Return a sender ID without the blanks that Zoho puts into numbers."""
    text = _text(value)
    return "+" + digits(text) if text and text.startswith("+") else text
