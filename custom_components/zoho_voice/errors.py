"""Zoho's errors in the words of Home Assistant: translated, and saying what to do."""

from collections.abc import Iterable, Mapping
from math import ceil, inf
from types import MappingProxyType

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .calls.phone_number import mask, mask_numbers
from .const import DOMAIN
from .sending.brakes import FloodBrakeError, RepeatUnclearError
from .sending.journal import NotWrittenError
from .sending.outbox import OutboxFullError
from .sending.quiet_hours import (
    CannotWaitError,
    QuietHoursError,
    ScheduledInQuietHoursError,
)
from .sending.spending import SpendingGuardError
from .zoho.client import WRONG_CALLBACK
from .zoho.errors import (
    AccountsServerError,
    CannotConnectError,
    ConnectionLostError,
    MissingScopeError,
    RejectedError,
    ServerFailedError,
    SignInError,
    ThrottledError,
    TimedOutError,
    UnknownClientError,
    UnreadableReplyError,
    WrongClientSecretError,
    WrongRedirectUriError,
    ZohoError,
)


class NotLoadedError(CannotConnectError):
    """Say that the account was unloaded before the request started."""


class OptedOutError(ZohoError):
    """Say that somebody answered STOP, so that nothing may be sent to them."""


_ERROR_KEYS: dict[type[ZohoError], str] = {
    AccountsServerError: "accounts_server_failed",
    CannotConnectError: "cannot_connect",
    CannotWaitError: "quiet_hours_cannot_wait",
    ConnectionLostError: "connection_lost",
    FloodBrakeError: "flood_brake",
    MissingScopeError: "missing_scope",
    NotLoadedError: "account_unloaded",
    NotWrittenError: "not_written",
    OptedOutError: "opted_out",
    OutboxFullError: "outbox_full",
    QuietHoursError: "quiet_hours",
    RejectedError: "rejected",
    RepeatUnclearError: "repeat_unclear",
    ScheduledInQuietHoursError: "quiet_hours_scheduled",
    ServerFailedError: "server_failed",
    SignInError: "sign_in_required",
    SpendingGuardError: "spending_guard",
    ThrottledError: "throttled",
    TimedOutError: "timed_out",
    UnknownClientError: "unknown_client",
    UnreadableReplyError: "unreadable_reply",
    WrongClientSecretError: "wrong_client_secret",
    WrongRedirectUriError: "wrong_redirect_uri",
}
_REJECTION_KEYS = {
    "ZVSMS-4027": "bad_request",
    "ZVSMS-4038": "country_not_supported",
    WRONG_CALLBACK: "wrong_status_callback",
}


def error_key(err: ZohoError) -> str:
    """Return the translation key of an error, for exceptions, forms and aborts."""
    if isinstance(err, RejectedError):
        return _REJECTION_KEYS.get(err.code, _ERROR_KEYS[RejectedError])
    if type(err) is ThrottledError and err.retry_after is not None:
        return "throttled_for"
    if isinstance(err, SpendingGuardError) and err.opens_at == inf:
        return "spending_limit"
    return _ERROR_KEYS[type(err)]


def error_placeholders(err: ZohoError) -> dict[str, str]:
    """Return what the translations of an error may name, such as Zoho's own words."""
    placeholders = {
        "reason": mask_numbers(
            f"{err.message} ({err.code})" if err.message else err.code
        )
    }
    match err:
        case ThrottledError(retry_after=float() | int() as seconds):
            placeholders["seconds"] = str(ceil(seconds))
        case FloodBrakeError():
            placeholders["count"] = str(err.count)
            placeholders["minutes"] = f"{err.seconds / 60:.0f}"
        case QuietHoursError():
            placeholders["time"] = local_time(err.ends_at)
        case SpendingGuardError():
            placeholders["segments"] = str(err.segments)
            if err.opens_at < inf:
                # The minute after: who tries again then is let through.
                placeholders["time"] = local_time(ceil(err.opens_at / 60) * 60)
    return placeholders


def validation_error(
    translation_key: str, **placeholders: str
) -> ServiceValidationError:
    """Return the translated error that says what is wrong with a call."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders=placeholders,
    )


class SendError(HomeAssistantError):
    """Say that not every number got the SMS for certain.

    Those of `sent_to` did, before or now, or will get it as soon as possible.
    """

    def __init__(
        self,
        translation_key: str,
        translation_placeholders: dict[str, str],
        sent_to: Iterable[str] = (),
    ) -> None:
        """Choose the translated message."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders=translation_placeholders,
        )
        self.sent_to = frozenset(sent_to)


def send_error(
    sent_to: Mapping[str, str | None],
    failed: Iterable[tuple[ZohoError, Mapping[str, str | None]]],
    kept: Mapping[str, str | None] = MappingProxyType({}),
    dropped: Iterable[str] = (),
) -> SendError:
    """Say in one error what happened to whom: numbers, each with its name if any.

    `dropped` are the numbers that got the same text before.
    """
    kinds: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, str | None]] = {}
    for err, names in failed:
        kind = error_key(err), tuple(error_placeholders(err).items())
        kinds.setdefault(kind, {}).update(names)
    errors = [
        SendError(key, {"recipients": labels(names), **dict(placeholders)})
        for (key, placeholders), names in kinds.items()
    ]
    if kept:
        errors.insert(0, SendError("kept", {"recipients": labels(kept)}))
    if len(errors) == 1 and not sent_to:
        errors[0].sent_to = frozenset(dropped)
        return errors[0]
    return SendError(
        "partly_sent" if sent_to else "partly_kept" if kept else "several_failures",
        {"sent": labels(sent_to), "failures": ". ".join(map(str, errors))},
        [*sent_to, *kept, *dropped],
    )


def labels(names: Mapping[str, str | None]) -> str:
    """Name recipients without giving their numbers away."""
    return ", ".join(
        f"{name} ({mask(number)})" if name else mask(number)
        for number, name in names.items()
    )


def local_time(timestamp: float) -> str:
    """Return a time in seconds since the epoch as a person reads it."""
    moment = dt_util.as_local(dt_util.utc_from_timestamp(timestamp))
    return f"{moment:%Y-%m-%d %H:%M}"
