"""One Zoho Voice account: the only way a message leaves."""

import asyncio
from asyncio import Task
from collections.abc import Callable, Collection, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.async_ import create_eager_task
from homeassistant.util.hass_dict import HassKey

from .const import (
    CONF_ACCOUNTS_URL,
    CONF_DATA_CENTER,
    CONF_PHONE_NUMBERS,
    CONF_SENDER_ID,
    CONF_VOICE_URL,
    DATA_CENTER_OTHER,
    DOMAIN,
)
from .errors import NotLoadedError
from .zoho.client import REQUEST_TIMEOUT, ZohoVoiceClient
from .zoho.data_center import DATA_CENTERS, DataCenter
from .zoho.errors import ZohoError
from .zoho.models import Receipt, Sms

if TYPE_CHECKING:
    from .sending import JointSending

type ZohoVoiceConfigEntry = ConfigEntry[Account]

#: How many requests of one account may be under way at once.
MAX_REQUESTS = 4

_ACCOUNTS: HassKey[dict[str, Account]] = HassKey(DOMAIN)


def data_center_of(data: Mapping[str, Any]) -> DataCenter:
    """Return the data center of an entry's data."""
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


class Account:
    """Send for one Zoho Voice account, never more than `MAX_REQUESTS` at once.

    It outlives the reloads of its entry: a request that is under way meanwhile still
    has somewhere to report to.
    """

    def __init__(
        self,
        client: ZohoVoiceClient | None = None,
        sender_id: str = "",
        recipients: Mapping[str, Recipient] = MappingProxyType({}),
    ) -> None:
        """Start with what is known; without a client the account is not loaded."""
        #: What to call when a recipient was written to, by its subentry id.
        self.on_sent: dict[str, Callable[[], None]] = {}
        #: What entities of the same call send together, until it starts.
        self.joint_sendings: dict[tuple[Sms, Hashable], JointSending] = {}
        self._slots = asyncio.Semaphore(MAX_REQUESTS)
        self._under_way: set[Task[Any]] = set()
        self.load(client, sender_id, recipients)

    @callback
    def load(
        self,
        client: ZohoVoiceClient | None,
        sender_id: str,
        recipients: Mapping[str, Recipient],
    ) -> None:
        """Take the account's client, sender ID, and recipients by subentry id."""
        self.client = client
        self.sender_id = sender_id
        self.recipients = recipients
        self.names = {
            number: recipient.name
            for recipient in reversed([*recipients.values()])
            for number in recipient.numbers
        }

    async def async_unload(self) -> None:
        """Start no more requests, and wait for those that are under way."""
        self.client = None
        await self.async_wait()

    async def async_wait(self) -> None:
        """Wait for what is under way, at most as long as a request may take."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=REQUEST_TIMEOUT)

    async def async_start(
        self, sms: Sms, sender_id: str, numbers: Collection[str]
    ) -> Task[list[Receipt] | ZohoError] | None:
        """Start a request to 1 to 10 numbers as soon as there is a slot for it.

        Until then it belongs to the caller, who may take numbers away; None if there
        are none left. From then on it belongs to the account, and ends even if the
        caller is cancelled.

        Raises what `TokenSource.async_get` does, or NotLoadedError.
        """
        if self.client is None:
            raise NotLoadedError
        await self.client.async_authorize()
        await self._slots.acquire()
        if not numbers:
            self._slots.release()
            return None
        return self.keep(self._async_send(sms, sender_id, [*numbers]))

    @callback
    def keep[T](self, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run what has to end, whatever becomes of the caller."""
        task = create_eager_task(coroutine)
        if not task.done():
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return task

    async def _async_send(
        self, sms: Sms, sender_id: str, numbers: list[str]
    ) -> list[Receipt] | ZohoError:
        """Make a request, and free its slot."""
        try:
            if self.client is None:
                return NotLoadedError()
            return await self.client.async_send_sms(sms, sender_id, numbers)
        except ZohoError as err:
            return err
        finally:
            self._slots.release()


@callback
def async_get_account(hass: HomeAssistant, entry: ConfigEntry) -> Account:
    """Return the account of an entry, loaded or not."""
    accounts = hass.data.setdefault(_ACCOUNTS, {})
    if entry.entry_id not in accounts:
        accounts[entry.entry_id] = Account()
    return accounts[entry.entry_id]


@callback
def async_forget_account(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget the account of an entry that was removed."""
    hass.data.get(_ACCOUNTS, {}).pop(entry.entry_id, None)


async def async_wait_for_accounts(hass: HomeAssistant) -> None:
    """Wait for the requests of all accounts, at most as long as one may take."""
    await asyncio.gather(
        *(account.async_wait() for account in hass.data.get(_ACCOUNTS, {}).values())
    )
