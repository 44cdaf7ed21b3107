"""What the sandbox keeps: who signs in, what was received, what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(slots=True)
class Limits:
    """How long things live at Zoho and how many of them there may be."""

    access_token_seconds: float = 3600
    code_seconds: float = 120
    throttle_seconds: float = 600
    throttle_tokens: int = 10
    refresh_tokens: int = 20


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


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request that reached the token endpoint: the outcome is "ok" or the error."""

    grant_type: str | None
    outcome: str
