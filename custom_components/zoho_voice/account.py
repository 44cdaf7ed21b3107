"""One Zoho Voice account: the only way a message leaves."""

import asyncio
from asyncio import Task
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Context, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.async_ import create_eager_task

from .connection.reachability import Reachability
from .const import (
    CONF_FLOOD_LIMIT,
    CONF_FLOOD_MINUTES,
    CONF_KEEP_TRYING,
    CONF_REPEAT_SECONDS,
    CONF_SEGMENTS_PER_DAY,
    CONF_SEGMENTS_PER_HOUR,
)
from .errors import NotLoadedError
from .recipient import Recipient
from .sending.brakes import FloodBrake, Repeats
from .sending.journal import Journal, NotWrittenError
from .sending.outbox import MAX_PAUSE, Message, Outbox, Outcome, State, end_of
from .sending.outcomes import Outcomes
from .sending.permit import Permit
from .sending.quiet_hours import QuietHours
from .sending.segments import estimate_segments
from .sending.spending import Limits, SpendingGuard, SpendingGuardError
from .tracking.account_tracking import AccountTracking
from .zoho.client import REQUEST_TIMEOUT, WRONG_CALLBACK, ZohoVoiceClient
from .zoho.errors import CannotConnectError, RejectedError, ZohoError
from .zoho.message_log import DeliveryState
from .zoho.models import Receipt, Sms

if TYPE_CHECKING:
    from .sending.dispatch import JointSending, Sending
    from .tracking.coordinator import MessageLogCoordinator

type ZohoVoiceConfigEntry = ConfigEntry[Account]

#: How many messages may go to one number in how many minutes, unless options differ.
DEFAULT_FLOOD_LIMIT = 20
DEFAULT_FLOOD_MINUTES = 10
#: How many requests of one account may be under way at once.
MAX_REQUESTS = 4


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
        #: The id of its entry.
        self.entry_id = ""
        #: The id of its device.
        self.device_id = ""
        #: What becomes of what was sent, and what is answered.
        self.tracking = AccountTracking(time.time, self.keep)
        #: What looks into the message log while the account is loaded.
        self.coordinator: MessageLogCoordinator | None = None
        #: What to call when a recipient was written to, by its subentry id.
        self.on_sent: dict[str, Callable[[], None]] = {}
        #: What entities of the same call send together, until it starts.
        self.joint_sendings: dict[tuple[Sms, Hashable], JointSending] = {}
        #: What is under way, if the same text must not go twice.
        self.sendings: set[Sending] = set()
        #: Whom to tell when what waits has changed, and what of it has ended.
        self.listeners: list[Callable[[Sequence[Message]], None]] = []
        #: For how long to keep what can't be sent, unless a call says otherwise
        #: (seconds); 0 to fail at once.
        self.keep_trying = 0.0
        #: Whom to tell that a call to some numbers, each with its name if any, was
        #: refused because it was too much.
        self.refused: Callable[
            [ZohoError, Mapping[str, str | None], Context | None], None
        ] = lambda *_: None
        self.journal: Journal | None = None
        self.tracking.on_opt_out = self._async_opted_out
        self.guard = SpendingGuard(Limits(), time.time)
        self.repeats = Repeats(0, time.time)
        self.brake = FloodBrake(
            DEFAULT_FLOOD_LIMIT, 60.0 * DEFAULT_FLOOD_MINUTES, time.monotonic
        )
        #: What was found instead of files that can be read, by what they are for.
        self.damaged_files: dict[str, Path] = {}
        self.outbox = Outbox(
            time.time,
            self._async_request_kept,
            self._async_start_retry,
            self._changed,
            quiet_until=self.quiet_until,
            guard=self.guard,
            repeats=self.repeats,
        )
        self.outbox.refuses = self.tracking.opt_outs.__contains__
        self.tracking.unclear.outbox = self.outbox
        #: How to be called after some seconds, if what waits is to be tried again.
        self.call_later: (
            Callable[
                [float, Callable[[datetime], Coroutine[Any, Any, None]]], CALLBACK_TYPE
            ]
            | None
        ) = None
        #: What became of the requests.
        self.outcomes = Outcomes(time.time)
        #: What notices that Zoho can be reached again, if what waits is tried again.
        self.reachability: Reachability | None = None
        self._out_of_reach = ""
        self._cancel_timer: CALLBACK_TYPE | None = None
        self._trying = False
        self.restored = False
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
        self.tracking.set_recipients(recipients)
        #: Whose numbers they are; the first recipient's, if they are of several.
        self.owners = {
            number: recipient
            for recipient in reversed([*recipients.values()])
            for number in recipient.numbers
        }
        #: The sender IDs of the account and of its recipients.
        self.sender_ids = {sender_id} | {
            recipient.sender_id
            for recipient in recipients.values()
            if recipient.sender_id
        }
        self.outcomes.refused_senders &= self.sender_ids
        self.outbox.prolong(self.expiry_of)

    @callback
    def set_options(self, options: Mapping[str, Any]) -> None:
        """Take the options of the entry."""
        self.keep_trying = options.get(CONF_KEEP_TRYING, 0.0)
        self.guard.limits = Limits(
            options.get(CONF_SEGMENTS_PER_HOUR), options.get(CONF_SEGMENTS_PER_DAY)
        )
        self.repeats.seconds = options.get(CONF_REPEAT_SECONDS, 0)
        self.brake.limit = options.get(CONF_FLOOD_LIMIT, DEFAULT_FLOOD_LIMIT)
        self.brake.seconds = 60.0 * options.get(
            CONF_FLOOD_MINUTES, DEFAULT_FLOOD_MINUTES
        )

    async def async_unload(self) -> None:
        """Start no more requests, and wait for those that are under way."""
        self.client = None
        self.coordinator = None
        await self.async_wait()
        for journal in self.journals.values():
            await journal.async_flush()

    async def async_wait(self) -> None:
        """Wait for what is under way, at most as long as a request may take."""
        now = asyncio.get_running_loop().time
        deadline = now() + REQUEST_TIMEOUT
        # What ends may have begun something else, such as writing that down.
        while self._under_way and now() < deadline:
            await asyncio.wait(self._under_way, timeout=deadline - now())
        await self.tracking.async_flush()

    async def async_start[T](
        self, request: Callable[[], Coroutine[Any, Any, T] | None]
    ) -> Task[T] | None:
        """Start a request as soon as there is a slot for it.

        Until then it belongs to the caller, who may still give it up: `request` is
        called then, and returns None if there is nothing left to do. From then on it
        belongs to the account, and ends even if the caller is cancelled.

        Raises what `TokenSource.async_get` does, or NotLoadedError.
        """
        if self.client is None:
            raise NotLoadedError
        try:
            await self.client.async_authorize()
        except ZohoError as err:
            self._record(err)
            raise
        await self._slots.acquire()
        coroutine = request()
        if coroutine is None:
            self._slots.release()
            return None
        return self.keep(self._async_in_slot(coroutine))

    @callback
    def keep[T](self, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run what has to end, whatever becomes of the caller."""
        task = create_eager_task(coroutine)
        if not task.done():
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return task

    @property
    def _ledger(self) -> Journal | None:
        """Return what has to hold a request before it is made, if anything has to."""
        return self.journal if self.guard.is_limited or self.repeats.seconds else None

    def permit(self, sms: Sms, numbers: Iterable[str]) -> Permit:
        """Return what counts the messages of a request."""
        return Permit(self.guard, self.repeats, sms, numbers)

    def quiet_hours_of(
        self, number: str, subentry_id: str | None = None
    ) -> QuietHours | None:
        """Return the quiet hours of a recipient, or of the one whose number it is."""
        recipient = self.recipients.get(subentry_id or "") or self.owners.get(number)
        return recipient.quiet_hours if recipient else None

    async def async_send(
        self, sms: Sms, sender_id: str, numbers: list[str], permit: Permit
    ) -> Outcome:
        """Make a request for what is not kept; an error is returned."""
        try:
            permit.book()
            if self._ledger:
                await self._ledger.async_save()
        except (SpendingGuardError, NotWrittenError) as err:
            outcome: Outcome = err
        else:
            outcome = await self.async_request(sms, sender_id, numbers)
        permit.settle(outcome)
        if self._ledger:
            self._ledger.save_soon()
        return outcome

    async def _async_request_kept(
        self, sms: Sms, sender_id: str, numbers: list[str]
    ) -> Outcome:
        """Make a request for what the outbox has; an error is returned."""
        await self.tracking.async_write_same(sms, numbers)
        return await self.async_request(sms, sender_id, numbers)

    async def async_request(
        self, sms: Sms, sender_id: str, numbers: list[str]
    ) -> Outcome:
        """Make a request; an error is returned."""
        outcome = await self._async_request(sms, sender_id, numbers)
        self._record(outcome, sender_id)
        if not isinstance(outcome, ZohoError):
            segments = estimate_segments(sms.message, sms.data_coding)
            self.tracking.take_receipts(sms, sender_id, outcome, segments)
        return outcome

    async def _async_request(
        self, sms: Sms, sender_id: str, numbers: list[str]
    ) -> Outcome:
        """Make a request; an error is returned."""
        if self.client is None:
            return NotLoadedError()
        try:
            return await self._async_follow(self.client, sms, sender_id, numbers)
        except ZohoError as err:
            return err

    async def _async_follow(
        self, client: ZohoVoiceClient, sms: Sms, sender_id: str, numbers: list[str]
    ) -> list[Receipt]:
        """Send, without our callback if Zoho does not take it. Raises ZohoError."""
        followed = self.tracking.follow(sms)
        try:
            return await client.async_send_sms(followed, sender_id, numbers)
        except RejectedError as err:
            if err.code != WRONG_CALLBACK or followed is sms:
                raise
        self.tracking.refuse_url(followed.status_callback)
        return await client.async_send_sms(sms, sender_id, numbers)

    async def async_wait_for_delivery(
        self, receipts: Iterable[Receipt], seconds: float
    ) -> dict[str, DeliveryState]:
        """Wait until SMS are in a final state, but only for so long.

        Return the state of each number by then.
        """
        keys = [(receipt.log_id, receipt.number) for receipt in receipts]
        wait = create_eager_task(self.tracking.tracker.async_wait(keys, seconds))
        if self.coordinator:
            self.coordinator.async_reconsider()
        found = await wait
        return {
            key[1]: found[key].state if key in found else DeliveryState.UNKNOWN
            for key in keys
        }

    @callback
    def _record(self, outcome: Outcome, sender_id: str | None = None) -> None:
        """Take note of how a request ended, or why none could be made."""
        refused = self.outcomes.refused_senders
        self.outcomes.record(
            outcome, sender_id if sender_id in self.sender_ids else None
        )
        self._out_of_reach = (
            outcome.url if isinstance(outcome, CannotConnectError) else ""
        )
        if self.outcomes.refused_senders != refused:
            self._changed(())

    @callback
    def forget_refusal(self, sender_id: str) -> None:
        """Take it that Zoho accepts a sender ID."""
        self.outcomes.forget_refusal(sender_id)
        self._changed(())

    @callback
    def stop(self) -> None:
        """Try no more: Home Assistant ends, or the account is removed."""
        self.call_later = None
        self._plan()

    async def async_restore(self) -> None:
        """Read what waits, once, and tell what may be sent since a crash."""
        for name, journal in self.journals.items():
            if damaged := await journal.async_load():
                self.damaged_files[name] = damaged
        self.restored = True
        if self.outbox.interrupted:
            self.outbox.store.save_soon()
        self._changed(self.outbox.interrupted)

    async def async_forget(self) -> None:
        """Try no more, and remove what had to be remembered."""
        self.stop()
        for journal in self.journals.values():
            await journal.async_remove()

    @property
    def journals(self) -> dict[str, Journal]:
        """Return what is on disk, by what it is for.

        Nothing is for an account that only sends a test.
        """
        journals = {"outbox": self.journal, "tracking": self.tracking.journal}
        return {name: journal for name, journal in journals.items() if journal}

    @callback
    def _async_opted_out(self) -> None:
        """Send nothing of what waits to somebody who answered STOP."""
        self.outbox.refuse()
        self._changed(())

    def quiet_until(self, message: Message) -> float | None:
        """Return when the quiet hours end for which a message has to wait now."""
        if message.urgent or message.sms.scheduled_time is not None:
            return None
        quiet_hours = self.quiet_hours_of(message.number, message.subentry_id)
        if quiet_hours is None:
            return None
        return quiet_hours.end(time.time(), dt_util.get_default_time_zone())

    def expiry_of(self, message: Message) -> float:
        """Return when a message is of no use any more, with the quiet hours as now."""
        quiet_hours = None
        if not message.urgent:
            quiet_hours = self.quiet_hours_of(message.number, message.subentry_id)
        return end_of(
            message.sms,
            message.created_at,
            message.keep_trying,
            quiet_hours,
            dt_util.get_default_time_zone(),
        )

    async def _async_in_slot[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Free the slot when the request has ended."""
        try:
            return await coroutine
        finally:
            self._slots.release()

    async def _async_start_retry(
        self, coroutine: Coroutine[Any, Any, Outcome | None]
    ) -> Task[Outcome | None]:
        """Start the request of messages that waited, when there is a slot for it.

        Raises NotLoadedError before anything is written: a crash must not make it seem
        that they may have been sent.
        """
        if self.client is None:
            coroutine.close()
            raise NotLoadedError
        try:
            await self._slots.acquire()
        except asyncio.CancelledError:
            coroutine.close()
            raise
        return self.keep(self._async_in_slot(coroutine))

    @callback
    def _changed(self, ended: Sequence[Message]) -> None:
        """Tell the entities of what was sent, and all who listen of the rest."""
        for message in ended:
            if message.state is State.SENT and message.subentry_id in self.on_sent:
                self.on_sent[message.subentry_id]()
        for listener in [*self.listeners]:
            listener(ended)
        self._plan()

    @callback
    def _plan(self) -> None:
        """See to it that what waits is tried again."""
        if self._cancel_timer:
            self._cancel_timer()
            self._cancel_timer = None
        seconds = self.outbox.seconds_to_next_try()
        if self.reachability:
            # What is being sent just now still waits if that fails.
            waits = self.call_later is not None and self.outbox.waiting
            self.reachability.watch(self._out_of_reach if waits else "")
        if self.call_later and seconds is not None and not self._trying:
            # It may be that the clock or the time zone is set meanwhile.
            seconds = min(seconds, MAX_PAUSE)
            self._cancel_timer = self.call_later(seconds, self._async_try)

    @callback
    def asked_for_zoho(self, is_back: bool) -> None:  # noqa: FBT001
        """Try at once what waits if Zoho can be reached again."""
        if is_back:
            self.outbox.wake()
        else:
            self._plan()

    async def _async_try(self, _: datetime) -> None:
        """Send what waits and may be sent now."""
        self._cancel_timer = None
        self._trying = True
        try:
            await self.outbox.async_try()
        finally:
            self._trying = False
            self._plan()
