"""What goes out to Zoho Voice and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from .fields import read_count, read_moment, read_number, read_text

#: The most destination numbers that one request may carry (Zoho's page).
MAX_NUMBERS = 10
#: The most characters that a message may have (Zoho's page).
MAX_MESSAGE_LENGTH = 1000


class DataCoding(IntEnum):
    """Name the character sets of the `dataCoding` parameter."""

    ENGLISH = 0
    BINARY = 1
    NON_ENGLISH = 2


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
            "dataCoding": int(self.data_coding),
        }
        if self.status_callback is not None:
            body["statusCallback"] = self.status_callback
        if self.scheduled_time is not None:
            body["scheduledTime"] = f"{self.scheduled_time:%Y-%m-%d %H:%M:%S}"
        if self.time_zone is not None:
            body["timeZone"] = self.time_zone
        return body


@dataclass(slots=True)
class Receipt:
    """Hold what Zoho said of one number, and read it when it is asked for.

    `number` is in E.164 as it was sent, `row` is a `send` object of Zoho's answer.
    Anything in it that is missing or can't be read is None: the message is on its
    way, and no oddity in the receipt may say otherwise.
    """

    number: str
    # It holds the text, which must not get into a log.
    row: Mapping[str, Any] = field(repr=False)

    @property
    def log_id(self) -> str | None:
        """Return Zoho's id of the SMS."""
        return read_text(self.row.get("logid"))

    @property
    def status(self) -> str | None:
        """Return the state of the SMS, such as `IN_QUEUE`; the set is open."""
        return read_text(self.row.get("status"))

    @property
    def segments(self) -> int | None:
        """Return how many segments the SMS has."""
        segments = read_count(self.row.get("multipartCount"))
        # A text has no more segments than characters.
        return segments if segments and segments <= MAX_MESSAGE_LENGTH else None

    @property
    def sender_id(self) -> str | None:
        """Return who sent it, without the blanks that Zoho puts into numbers."""
        return read_number(self.row.get("senderId"))

    @property
    def submitted_at(self) -> datetime | None:
        """Return when Zoho accepted it, in UTC."""
        return read_moment(self.row.get("submittedTime"))

    @property
    def country(self) -> str | None:
        """Return the destination's country."""
        return read_text(self.row.get("country"))


@dataclass(frozen=True, slots=True)
class User:
    """Hold who signed in at Zoho; `zuid` is Zoho's unchanging id of the person."""

    zuid: str
    email: str
