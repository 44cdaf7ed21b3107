"""One Zoho Voice account: the only way a message leaves."""

import asyncio
from asyncio import Future
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from .const import (
    CONF_ACCOUNTS_URL,
    CONF_DATA_CENTER,
    CONF_PHONE_NUMBERS,
    CONF_SENDER_ID,
    CONF_VOICE_URL,
    DATA_CENTER_OTHER,
)
from .errors import SendError, send_error
from .zoho.client import ZohoVoiceClient
from .zoho.data_center import DATA_CENTERS, DataCenter
from .zoho.errors import ZohoError
from .zoho.models import MAX_NUMBERS, Receipt, Sms

type ZohoVoiceConfigEntry = ConfigEntry[Account]

#: How many requests of one account may be under way at once.
MAX_REQUESTS = 4


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


@dataclass(slots=True)
class SentSms:
    """Hold what became of one number's SMS, and whose number it is, if known."""

    receipt: Receipt
    name: str | None


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
        #: What to call when a recipient was written to, by its subentry id.
        self.on_sent: dict[str, Callable[[], None]] = {}
        self._slots = asyncio.Semaphore(MAX_REQUESTS)
        self._joint: dict[
            tuple[Sms, Hashable], tuple[list[Recipient], Future[SendError | None]]
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
        if key in self._joint:
            recipients, outcome = self._joint[key]
            recipients.append(recipient)
            err = await asyncio.shield(outcome)
        else:
            err = await self._async_lead(key, recipient)
        if err and not err.sent_to.issuperset(recipient.numbers):
            raise err

    async def _async_lead(
        self, key: tuple[Sms, Hashable], recipient: Recipient
    ) -> SendError | None:
        """Send to a recipient and to all who join until the loop comes round."""
        recipients = [recipient]
        outcome = asyncio.get_running_loop().create_future()
        self._joint[key] = recipients, outcome
        error: SendError | None = None
        try:
            try:
                await asyncio.sleep(0)
            finally:
                del self._joint[key]
            await async_send(key[0], {self: recipients})
        except SendError as err:
            error = err
        except BaseException:
            outcome.cancel()
            raise
        outcome.set_result(error)
        return error


@dataclass(slots=True)
class _Batch:
    """Hold what one request carries: numbers, each with its name if it has one."""

    account: Account
    sender_id: str
    names: dict[str, str | None]

    async def async_send(self, sms: Sms) -> dict[str, SentSms] | ZohoError:
        """Send to the batch; what goes wrong must not keep others from being tried."""
        try:
            receipts = await self.account.async_send(sms, self.sender_id, [*self.names])
        except ZohoError as err:
            return err
        return {
            receipt.number: SentSms(receipt, self.names[receipt.number])
            for receipt in receipts
        }


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
    numbers, batches = _split(recipients, sender_id)
    if len(batches) == 1:
        outcomes = [await batches[0].async_send(sms)]
    else:
        outcomes = await asyncio.gather(*(batch.async_send(sms) for batch in batches))
    sent: dict[str, SentSms] = {}
    failed: list[tuple[ZohoError, dict[str, str | None]]] = []
    for batch, outcome in zip(batches, outcomes, strict=True):
        if isinstance(outcome, ZohoError):
            failed.append((outcome, batch.names))
        else:
            sent |= outcome
    if failed:
        sent_to = {number: item.name for number, item in sent.items()}
        raise send_error(sent_to, failed) from failed[0][0]
    return [sent[number] for number in numbers]


def _split(
    recipients: Mapping[Account, Iterable[Recipient]], sender_id: str | None
) -> tuple[Iterable[str], list[_Batch]]:
    """Split recipients into requests: by account and sender, ten numbers each.

    Returns the numbers in the order of the recipients, each once, and the requests.
    """
    batches: list[_Batch] = []
    last: dict[tuple[Account, str], _Batch] = {}
    numbers: dict[str, None] = {}
    for account, account_recipients in recipients.items():
        for recipient in account_recipients:
            sender = sender_id or recipient.sender_id or account.sender_id
            for number in recipient.numbers:
                if number in numbers:
                    continue
                numbers[number] = None
                batch = last.get((account, sender))
                if batch is None or len(batch.names) == MAX_NUMBERS:
                    batch = last[account, sender] = _Batch(account, sender, {})
                    batches.append(batch)
                batch.names[number] = recipient.name or account.names.get(number)
    return numbers, batches
