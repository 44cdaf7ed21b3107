"""What an account knows of its SMS once they are sent, and of what was answered."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
import logging
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..sending.journal import Journal, NotWrittenError
from ..sending.segments import estimate_segments
from ..zoho.message_log import LogRow, delivery_state
from ..zoho.models import Receipt, Sms
from ..zoho.receipts import fits
from .downtime import Downtime
from .log_reader import Look
from .opt_outs import OptOuts
from .tracker import IncomingSms, Report, TrackedSms, Tracker
from .unclear import Unclear

if TYPE_CHECKING:
    from ..recipient import Recipient

_LOGGER = logging.getLogger(__name__)

#: The version of the file, to be raised with every change that needs a migration.
VERSION = 1
#: How long what was sent may wait to be tracked, so that what is sent meanwhile shares
#: the write (seconds). A crash until then makes nothing go again: only what becomes of
#: these SMS is never known.
DELAY = 1.0


class AccountTracking:
    """Follow the SMS of one account, and those that come in.

    It outlives the reloads of its entry, as the account does. `keep` runs what has to
    end whatever becomes of its caller. `clock` tells the time (seconds since the
    epoch).
    """

    def __init__(
        self,
        clock: Callable[[], float],
        keep: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """Start with nothing known."""
        self.tracker = Tracker(clock, self._report, self._receive, self.find_recipient)
        self.tracker.on_announced = self._announced
        self.opt_outs = OptOuts(clock)
        self.unclear = Unclear(clock)
        self.downtime = Downtime(clock)
        self.journal: Journal | None = None
        #: Where Zoho is to say what became of an SMS, if it can reach Home Assistant.
        self.callback_url: str | None = None
        #: The one that Zoho did not take.
        self.refused_url: str | None = None
        #: Which languages people answer in.
        self.language: Callable[[], str] = lambda: "en"
        #: Whom to tell of an SMS that was sent, came into another state, or came in.
        self.on_report: Callable[[TrackedSms], None] = lambda _: None
        self.on_incoming: Callable[[IncomingSms], None] = lambda _: None
        #: Whom to tell that somebody answered STOP, or changed their mind.
        self.on_opt_out: Callable[[], None] = lambda: None
        #: Whom to tell what became of the SMS to a recipient, by its subentry id.
        self.on_delivery: dict[str, Callable[[], None]] = {}
        #: Whom to tell what a recipient wrote.
        self.on_reply: dict[str, Callable[[IncomingSms], None]] = {}
        #: Whom to tell that Zoho is to call another URL, or none, or refused it.
        self.on_url: Callable[[], None] = lambda: None
        #: Whom to tell of anything else: counts, opt-outs, the URL that was refused.
        self.listeners: list[Callable[[], None]] = []
        self._clock = clock
        self._keep = keep
        self._recipients: dict[str, tuple[str, str]] = {}
        # Texts and numbers of what was sent just before, and when it is written.
        self._unwritten: set[tuple[str, str]] = set()
        self._soon: asyncio.TimerHandle | None = None
        # Whose SMS came into another state.
        self._reported: set[str] = set()

    @callback
    def set_recipients(self, recipients: Mapping[str, Recipient]) -> None:
        """Take the recipients by subentry id; the first one has a number for good."""
        self._recipients = {
            number: (recipient.name or "", subentry_id)
            for subentry_id, recipient in reversed([*recipients.items()])
            for number in recipient.numbers
        }

    @property
    def is_called_back(self) -> bool:
        """Return if Zoho is to say what becomes of the SMS, as far as is known."""
        return self.callback_url is not None and self.callback_url != self.refused_url

    @callback
    def follow(self, sms: Sms) -> Sms:
        """Let an SMS carry where Zoho is to say what becomes of it."""
        if sms.status_callback is not None or not self.is_called_back:
            return sms
        return replace(sms, status_callback=self.callback_url)

    @callback
    def refuse_url(self, url: str | None) -> None:
        """Take note that Zoho does not take a URL, until there is another one."""
        self.refused_url = url
        self._url_changed()

    @callback
    def use_url(self, url: str | None) -> None:
        """Let SMS carry another URL from now on, or none."""
        if url != self.callback_url:
            self.callback_url = url
            self.refused_url = None
            self._url_changed()

    @callback
    def take_receipts(
        self, sms: Sms, sender_id: str, receipts: Sequence[Receipt], segments: int
    ) -> None:
        """Follow what Zoho accepted; it has so many segments unless Zoho says."""
        if self.journal is None:
            return
        now = self._clock()
        if sms.scheduled_time and sms.time_zone:
            zone = ZoneInfo(sms.time_zone)
            now = sms.scheduled_time.replace(tzinfo=zone).timestamp()
        messages = []
        for receipt in receipts:
            name, subentry_id = self._recipients.get(receipt.number, (None, None))
            messages.append(
                TrackedSms(
                    log_id=receipt.log_id,
                    number=receipt.number,
                    name=name,
                    subentry_id=subentry_id,
                    sender_id=sender_id,
                    submitted_at=now,
                    segments=receipt.segments or segments,
                    status=receipt.status,
                )
            )
        self.unclear.accept(receipt.log_id for receipt in receipts)
        self.tracker.add(messages)
        self._unwritten.update((sms.message, receipt.number) for receipt in receipts)
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(DELAY, self._write)

    async def async_write_same(self, sms: Sms, numbers: Iterable[str]) -> None:
        """Write down what was sent just before, if the same is about to be sent.

        After a crash, its row in the message log would be taken to be about this one.
        """
        if not self._unwritten.isdisjoint((sms.message, number) for number in numbers):
            await self.async_flush()

    async def async_flush(self) -> None:
        """Track what was sent; what can't be written now is written with the next."""
        if self._soon:
            self._soon.cancel()
            self._soon = None
        try:
            await self.tracker.async_settle()
        except NotWrittenError as err:
            _LOGGER.warning("Could not save that SMS were sent: %s", err)
        if self._soon is None:
            self._unwritten.clear()

    @callback
    def _write(self) -> None:
        """Track what was sent."""
        self._keep(self.async_flush())

    async def async_take_look(self, look: Look) -> None:
        """Take what was found in the message log. Raises NotWrittenError."""
        await self._async_clear_up(look.outgoing)
        reports = [
            Report(
                log_id=row.log_id,
                number=row.number,
                state=delivery_state(row.status, row.description),
                status=row.status,
                description=row.description,
            )
            for row in look.outgoing
            if self._is_news(row)
        ]
        await self.tracker.async_take(reports, look)

    @callback
    def note_told(self) -> None:
        """Write down that all that is due by now was told."""
        self._keep(self._async_save("until when Home Assistant ran"))

    @callback
    def allow(self, number: str) -> None:
        """Allow SMS to a number again."""
        self.opt_outs.allow(number)
        self._save_opt_outs()

    @callback
    def keep_refusing(self, number: str) -> None:
        """Take it that a number gets nothing from now on."""
        self.opt_outs.settle(number)
        self._save_opt_outs()

    def name_of(self, number: str) -> str | None:
        """Return whose number it is, even if not all of it shows; None if unknown."""
        known = self.find_recipient(number)
        return known[0] or None if known else None

    @callback
    def _save_opt_outs(self) -> None:
        """Write down who wants no SMS, and tell of it."""
        self._keep(self._async_save("who wants no SMS"))
        self.on_opt_out()
        self._changed()

    async def _async_save(self, what: str) -> None:
        """Write at once; what can't be written now is written with the next."""
        try:
            await self.tracker.store.async_save()
        except NotWrittenError as err:
            _LOGGER.warning("Could not write down %s: %s", what, err)

    async def _async_clear_up(self, rows: Sequence[LogRow]) -> None:
        """Track what was sent, although Zoho's answer did not say so."""
        found = self.unclear.find(rows, self.tracker.knows)
        if not found:
            return
        # First, as what is tracked is not looked for again.
        self.unclear.outbox.confirm([message for message, _ in found])
        self.unclear.accept(row.log_id for _, row in found)
        self.tracker.add(
            [
                TrackedSms(
                    log_id=row.log_id,
                    number=message.number,
                    name=message.name,
                    subentry_id=message.subentry_id,
                    sender_id=message.sender_id,
                    submitted_at=(row.submitted_at or dt_util.utcnow()).timestamp(),
                    segments=row.segments
                    or estimate_segments(message.sms.message, message.sms.data_coding),
                    status=row.status,
                )
                for message, row in found
            ]
        )

    def _is_news(self, row: LogRow) -> bool:
        """Return if a row says something of one of our SMS."""
        return bool(row.status or row.description) and self.tracker.knows(row.log_id)

    def find_recipient(self, number: str) -> tuple[str, str] | None:
        """Return name and subentry id of a number, even if not all of it shows."""
        return self._recipients.get(self._complete(number))

    def _complete(self, number: str) -> str:
        """Return the only recipient's number that may be meant, or what was written."""
        if number in self._recipients or _is_complete(number):
            return number
        found = [e164 for e164 in self._recipients if fits(number, e164)]
        return found[0] if len(found) == 1 else number

    @callback
    def _report(self, sms: TrackedSms) -> None:
        """Tell of an SMS."""
        self.on_report(sms)
        if sms.subentry_id:
            self._reported.add(sms.subentry_id)

    @callback
    def _announced(self) -> None:
        """Tell those who want to know once of all that comes together."""
        reported, self._reported = self._reported, set()
        for subentry_id in reported:
            if tell := self.on_delivery.get(subentry_id):
                tell()
        self._changed()

    @callback
    def _receive(self, sms: IncomingSms) -> None:
        """Tell of an SMS that came in, and do as it says if that is STOP."""
        number = self._complete(sms.number)
        if _is_complete(number) and self.opt_outs.take(
            number, sms.message, self.language()
        ):
            self._save_opt_outs()
        self.on_incoming(sms)
        if tell := self.on_reply.get(sms.subentry_id or ""):
            tell(sms)

    @callback
    def _url_changed(self) -> None:
        """Tell that Zoho calls another URL, or none."""
        self.on_url()
        self._changed()

    @callback
    def _changed(self) -> None:
        """Tell all who listen."""
        for listener in [*self.listeners]:
            listener()


def _is_complete(number: str) -> bool:
    """Return if a number is in E.164."""
    return number.startswith("+") and number[1:].isdecimal()
