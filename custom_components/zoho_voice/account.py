"""One Zoho Voice account: the only way a message leaves."""

import asyncio
from asyncio import Task
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from types import MappingProxyType
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.exceptions import HomeAssistantError

from .const import (
    CONF_ACCOUNTS_URL,
    CONF_DATA_CENTER,
    CONF_PHONE_NUMBERS,
    CONF_SENDER_ID,
    CONF_VOICE_URL,
    DATA_CENTER_OTHER,
    DOMAIN,
)
from .phone_number import mask, mask_numbers
from .zoho.client import ZohoVoiceClient
from .zoho.data_center import DATA_CENTERS, DataCenter
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
from .zoho.models import MAX_NUMBERS, Receipt, Sms

type ZohoVoiceConfigEntry = ConfigEntry[Account]

#: How many requests of one account may be under way at once.
MAX_REQUESTS = 4

_ERROR_KEYS: dict[type[ZohoError], str] = {
    AccountsServerError: "accounts_server_failed",
    CannotConnectError: "cannot_connect",
    ConnectionLostError: "connection_lost",
    MissingScopeError: "missing_scope",
    RejectedError: "rejected",
    ServerFailedError: "server_failed",
    SignInError: "sign_in_required",
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
    "ZVT011": "wrong_status_callback",
}


def error_key(err: ZohoError) -> str:
    """Return the translation key of an error, for exceptions, forms and aborts."""
    if isinstance(err, RejectedError):
        return _REJECTION_KEYS.get(err.code, _ERROR_KEYS[RejectedError])
    if isinstance(err, ThrottledError) and err.retry_after is not None:
        return "throttled_for"
    return _ERROR_KEYS[type(err)]


def error_placeholders(err: ZohoError) -> dict[str, str]:
    """Return what the translations of an error may name: Zoho's own words."""
    placeholders = {
        "reason": mask_numbers(
            f"{err.message} ({err.code})" if err.message else err.code
        )
    }
    if isinstance(err, ThrottledError) and err.retry_after is not None:
        placeholders["seconds"] = f"{err.retry_after:.0f}"
    return placeholders


def data_center_of(data: Mapping[str, Any]) -> DataCenter:
    """Return the data centre of an entry's data."""
    if data[CONF_DATA_CENTER] == DATA_CENTER_OTHER:
        return DataCenter(data[CONF_ACCOUNTS_URL], data[CONF_VOICE_URL])
    return DATA_CENTERS[data[CONF_DATA_CENTER]]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone to write to: numbers in E.164, perhaps a name and a sender ID of its own.

    `subentry_id` is None for a number that is written in a call.
    """

    numbers: tuple[str, ...]
    name: str | None = None
    sender_id: str | None = None
    subentry_id: str | None = None

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Self:
        """Read a recipient of an entry."""
        return cls(
            numbers=tuple(subentry.data[CONF_PHONE_NUMBERS]),
            name=subentry.title,
            sender_id=subentry.data.get(CONF_SENDER_ID),
            subentry_id=subentry.subentry_id,
        )


def recipients_of(entry: ConfigEntry) -> dict[str, Recipient]:
    """Return the recipients of an entry by their subentry id."""
    return {
        subentry_id: Recipient.from_subentry(subentry)
        for subentry_id, subentry in entry.subentries.items()
    }


@dataclass(frozen=True, slots=True)
class SentSms:
    """Hold what became of one number's SMS, and whose number it is, if known."""

    receipt: Receipt
    name: str | None


class SendError(HomeAssistantError):
    """Say that not every number got the SMS for certain; those of `sent_to` did."""

    sent_to: frozenset[str] = frozenset()


class Account:
    """Send for one Zoho Voice account, never more than `MAX_REQUESTS` at once."""

    def __init__(
        self,
        client: ZohoVoiceClient,
        sender_id: str,
        recipients: Mapping[str, Recipient] = MappingProxyType({}),
    ) -> None:
        """Keep the account's sender ID and its recipients by their subentry id."""
        self.client = client
        self.sender_id = sender_id
        self.recipients = recipients
        self.names = {
            number: recipient.name
            for recipient in reversed([*recipients.values()])
            for number in recipient.numbers
        }
        self._slots = asyncio.Semaphore(MAX_REQUESTS)
        self._joint: dict[
            tuple[Sms, Hashable], tuple[list[Recipient], Task[SendError | None]]
        ] = {}

    async def async_send(
        self, sms: Sms, sender_id: str, numbers: Sequence[str]
    ) -> list[Receipt]:
        """Send to 1 to 10 numbers with one request. Raises ZohoError."""
        async with self._slots:
            return await self.client.async_send_sms(sms, sender_id, numbers)

    async def async_send_jointly(
        self, sms: Sms, recipient: Recipient, call: Hashable
    ) -> None:
        """Send together with the other recipients of the same call.

        Home Assistant calls the entities of one action all at the same moment and
        raises the first error only. Together they share requests, and one error that
        names everybody.

        Raises SendError.
        """
        key = sms, call
        if key not in self._joint:
            self._joint[key] = [], asyncio.create_task(self._async_send_joint(key))
        recipients, task = self._joint[key]
        recipients.append(recipient)
        err = await asyncio.shield(task)
        if err and not err.sent_to.issuperset(recipient.numbers):
            raise err

    async def _async_send_joint(self, key: tuple[Sms, Hashable]) -> SendError | None:
        """Send to all who joined until the loop came to this task.

        Returns the error instead of raising it: `shield` logs one that is raised when
        a caller was cancelled.
        """
        recipients, _ = self._joint.pop(key)
        try:
            await async_send(key[0], {self: recipients})
        except SendError as err:
            return err
        return None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Hold what one request carries: numbers, each with its name if it has one."""

    account: Account
    sender_id: str
    names: dict[str, str | None]

    async def async_send(self, sms: Sms) -> list[SentSms]:
        """Send to the batch."""
        receipts = await self.account.async_send(sms, self.sender_id, [*self.names])
        return [SentSms(receipt, self.names[receipt.number]) for receipt in receipts]


async def async_send(
    sms: Sms,
    recipients: Mapping[Account, Iterable[Recipient]],
    sender_id: str | None = None,
) -> list[SentSms]:
    """Send one text to recipients of one or more accounts, each number once.

    Ten numbers of the same sender share a request. Every request is tried, even if
    another failed. The results come in the order of the recipients.

    Raises SendError, which names who got it, who did not, and who may have.
    """
    batches = _split(recipients, sender_id)
    outcomes = await asyncio.gather(
        *(batch.async_send(sms) for batch in batches), return_exceptions=True
    )
    sent: dict[str, SentSms] = {}
    failed: list[tuple[_Batch, ZohoError]] = []
    for batch, outcome in zip(batches, outcomes, strict=True):
        if isinstance(outcome, ZohoError):
            failed.append((batch, outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            sent.update((item.receipt.number, item) for item in outcome)
    if failed:
        error = _error(sent.values(), failed)
        error.sent_to = frozenset(sent)
        raise error from failed[0][1]
    numbers = (
        number
        for account_recipients in recipients.values()
        for recipient in account_recipients
        for number in recipient.numbers
    )
    return [sent[number] for number in dict.fromkeys(numbers)]


def _split(
    recipients: Mapping[Account, Iterable[Recipient]], sender_id: str | None
) -> list[_Batch]:
    """Split recipients into requests: by account and sender, ten numbers each."""
    groups: dict[tuple[Account, str], dict[str, str | None]] = {}
    seen: set[str] = set()
    for account, account_recipients in recipients.items():
        for recipient in account_recipients:
            sender = sender_id or recipient.sender_id or account.sender_id
            for number in recipient.numbers:
                if number not in seen:
                    seen.add(number)
                    groups.setdefault((account, sender), {})[number] = (
                        recipient.name or account.names.get(number)
                    )
    return [
        _Batch(account, sender, dict(part))
        for (account, sender), names in groups.items()
        for part in batched(names.items(), MAX_NUMBERS, strict=False)
    ]


def _error(
    sent: Iterable[SentSms], failed: list[tuple[_Batch, ZohoError]]
) -> SendError:
    """Say in one error what happened to whom."""
    labels: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for batch, err in failed:
        kind = error_key(err), tuple(error_placeholders(err).items())
        labels.setdefault(kind, []).extend(
            _label(number, name) for number, name in batch.names.items()
        )
    errors = [
        SendError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={
                "recipients": ", ".join(names),
                **dict(placeholders),
            },
        )
        for (key, placeholders), names in labels.items()
    ]
    got_it = ", ".join(_label(item.receipt.number, item.name) for item in sent)
    if len(errors) == 1 and not got_it:
        return errors[0]
    failures = " ".join(str(error) for error in errors)
    return SendError(
        translation_domain=DOMAIN,
        translation_key="partly_sent" if got_it else "several_failures",
        translation_placeholders={"sent": got_it, "failures": failures},
    )


def _label(number: str, name: str | None) -> str:
    """Name a number without giving it away."""
    return f"{name} ({mask(number)})" if name else mask(number)
