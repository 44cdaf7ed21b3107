"""What the sandbox keeps: who signs in, what was received, what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCOPE_SMS_CREATE = "ZohoVoice.sms.CREATE"
SCOPE_SMS_READ = "ZohoVoice.sms.READ"
SCOPE_PROFILE = "AaaServer.profile.READ"

SCOPES = {
    SCOPE_SMS_CREATE: "Send SMS from your Zoho Voice numbers",
    SCOPE_SMS_READ: "Read your Zoho Voice SMS and their state",
    SCOPE_PROFILE: "Read your name and e-mail address",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The Zoho user who signs in at the consent page."""

    zuid: str = "10001"
    email: str = "sandbox@example.com"
    first_name: str = "Sandy"
    last_name: str = "Box"
    display_name: str = "Sandy Box"

    @property
    def zuid_in_json(self) -> int | str:
        """Return the ZUID, which is a number at Zoho, unlike most of its ids."""
        return int(self.zuid) if self.zuid.isdecimal() else self.zuid


@dataclass(slots=True)
class Limits:
    """How long things live at Zoho and how many of them there may be."""

    access_token_seconds: float = 3600
    code_seconds: float = 120
    throttle_seconds: float = 600
    throttle_tokens: int = 10
    refresh_tokens: int = 20
    read_lock_seconds: float = 600


@dataclass(frozen=True, slots=True)
class Sms:
    """One SMS to one number, as it was accepted."""

    log_id: str
    number: str
    sender_id: str
    message: str
    data_coding: int | None
    scheduled_time: str | None
    time_zone: str | None
    status_callback: str | None
    submitted_at: float


class Direction(StrEnum):
    """Which way an SMS went, in Zoho's words."""

    INCOMING = "INCOMING"
    OUTGOING = "OUTGOING"


@dataclass(slots=True, kw_only=True)
class LoggedSms:
    """One row of the message log: an SMS to one number, or from one.

    The number is the other side's, the sender ID the account's.
    """

    log_id: str
    direction: Direction
    number: str
    sender_id: str
    message: str
    submitted_at: float
    segments: int
    account: Account
    status: str | None = None
    description: str | None = None
    status_callback: str | None = None


@dataclass(frozen=True, slots=True)
class ScheduledSms:
    """One SMS to one number that waits for its time; a request makes one job."""

    job_id: str
    due_at: float
    sms: Sms
    account: Account


@dataclass(slots=True)
class SendRequest:
    """One request that reached the send endpoint.

    The status is None until it is answered, and stays None if it is dropped.
    """

    headers: Mapping[str, str]
    body: Any
    status: int | None = None
    accepted: bool = False
    refusal: str | None = None


@dataclass(slots=True)
class ReadRequest:
    """One request for the message log ("logs") or the schedule ("schedule").

    The status is None until it is answered, and stays None if it is dropped.
    """

    call: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int | None = None
    rows: int = 0
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request that reached the token endpoint: the outcome is "ok" or the error."""

    grant_type: str | None
    outcome: str
