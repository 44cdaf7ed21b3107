"""One text on its way to many: recipients become requests, and these outcomes."""

import asyncio
from asyncio import Future, Task
from collections.abc import (
    Collection,
    Coroutine,
    Hashable,
    Iterable,
    Mapping,
    Set as AbstractSet,
)
from dataclasses import dataclass, field
import logging
import time
from typing import Any

from homeassistant.core import Context
from homeassistant.util import dt as dt_util
from homeassistant.util.async_ import create_eager_task
from homeassistant.util.ulid import ulid_now

from ..account import Account
from ..errors import OptedOutError, SendError, send_error
from ..recipient import Recipient
from ..zoho.errors import OutcomeUnknownError, ZohoError
from ..zoho.message_log import DeliveryState
from ..zoho.models import MAX_NUMBERS, Receipt, Sms
from .brakes import RepeatUnclearError, text_of
from .outbox import POSTPONING, Message, Outcome, scheduled_at
from .permit import Permit
from .quiet_hours import (
    CannotWaitError,
    QuietHours,
    QuietHoursError,
    ScheduledInQuietHoursError,
)
from .segments import estimate_segments
from .spending import SpendingGuardError
from .turn import Turn

_LOGGER = logging.getLogger(__name__)


#: The status of an SMS that is kept and sent later.
QUEUED = "QUEUED"
#: The status of an SMS that would be sent.
DRY_RUN = "DRY_RUN"
#: The status of an SMS that was not sent, as the number got the same text before.
DUPLICATE = "DUPLICATE"


@dataclass(slots=True)
class SentSms:
    """Hold what became of one number's SMS, and whose number it is, if known.

    `message_id` is there if the SMS is kept; it is not sent yet then. `sends_at` is
    there if it waits for the end of quiet hours (UTC epoch seconds).
    """

    receipt: Receipt
    name: str | None
    message_id: str | None = None
    estimated_segments: int = 1
    sends_at: float | None = None


async def async_send(
    sms: Sms,
    recipients: Mapping[Account, Iterable[Recipient]],
    sender_id: str | None = None,
    keep_trying: float | None = None,
) -> list[SentSms]:
    """Send one text to recipients of one or more accounts, each number once.

    Ten numbers of the same sender share a request. Every request is tried, even if
    another failed. The results come in the order of the recipients. A caller that is
    cancelled stops the requests that have not started, and only these.

    `keep_trying` says for how long to keep what certainly did not reach Zoho (seconds,
    0 to fail at once), None to do as the account says.

    Raises SendError, which names who got it, who did not, and who may have.
    """
    return await Sending(sms, recipients, sender_id, keep_trying).async_send()


async def async_send_jointly(
    account: Account,
    sms: Sms,
    recipient: Recipient,
    call: Hashable,
    context: Context | None = None,
) -> None:
    """Send together with the other recipients of the same call.

    Home Assistant calls the entities of one action all at the same moment and raises
    the first error only. Together they share requests, and one error that names
    everybody.

    Raises SendError.
    """
    key = sms, call
    joint = account.joint_sendings.get(key)
    if joint is None:
        joint = JointSending(account, sms, call, context)
        account.joint_sendings[key] = joint
    await joint.async_join(recipient)


@dataclass(slots=True)
class _Batch:
    """Hold what one request carries: numbers, each with whose it is.

    `keep_trying` is for how long to keep what does not reach Zoho (seconds, 0 to fail
    at once). `waits_until` is when the quiet hours end for which it has to wait (UTC
    epoch seconds).
    """

    account: Account
    sender_id: str
    keep_trying: float
    urgent: bool = False
    waits_until: float | None = None
    recipients: dict[str, Recipient] = field(default_factory=dict)
    request: Task[Outcome] | None = None
    outcome: Outcome | None = None
    kept: list[Message] = field(default_factory=list)
    _permit: Permit = field(init=False)
    _times: dict[str, float | None] = field(default_factory=dict)

    def name_of(self, number: str) -> str | None:
        """Return whose number it is, if known."""
        return _name_of(self.account, self.recipients[number], number)

    def hold(self, sms: Sms) -> None:
        """Count what is about to be sent, before anybody else can be let through."""
        self._permit = self.account.permit(sms, self.recipients)
        self._permit.hold()
        brake = self.account.brake
        self._times = {number: brake.record(number) for number in self.recipients}

    def withdraw(self, numbers: Iterable[str]) -> None:
        """Take numbers out, unless they are on their way."""
        if self.request is None and not self.kept:
            numbers = [number for number in numbers if number in self.recipients]
            self._discount(numbers)
            for number in numbers:
                del self.recipients[number]

    async def async_send(self, sms: Sms) -> None:
        """Send to the batch; what goes wrong must not keep others from being tried."""
        try:
            if self.waits_until is not None:
                await self._async_keep(sms)
            elif self.keep_trying:
                await self._async_send_or_keep(sms)
            else:
                self.request = await self.account.async_start(lambda: self._begin(sms))
        except ZohoError as err:
            self.outcome = err
        await self.async_finish()

    async def async_finish(self) -> None:
        """Wait for the request, if there is one; it ends without the caller, too."""
        if self.request is not None:
            self.outcome = await asyncio.shield(self.request)
        if isinstance(self.outcome, ZohoError) and not isinstance(
            self.outcome, OutcomeUnknownError
        ):
            kept = {message.number for message in self.kept}
            self._discount(self.recipients.keys() - kept)

    def _discount(self, numbers: Collection[str]) -> None:
        """Count messages no more that certainly do not go."""
        self._permit.release(numbers)
        for number in numbers:
            self.account.brake.forget(number, self._times.pop(number, None))

    def _begin(self, sms: Sms) -> Coroutine[Any, Any, Outcome] | None:
        """Return the request, unless its callers have gone."""
        if not self.recipients:
            return None
        return self.account.async_send(
            sms, self.sender_id, [*self.recipients], self._permit
        )

    async def _async_keep(self, sms: Sms) -> None:
        """Let the outbox send it later. Raises OutboxFullError, or NotWrittenError."""
        self._permit.release(self.recipients)
        self.kept = self._messages(sms)
        try:
            await self.account.outbox.async_queue(self.kept)
        except ZohoError:
            self.kept = []
            raise

    async def _async_send_or_keep(self, sms: Sms) -> None:
        """Send, and keep what does not reach Zoho. Raises ZohoError."""
        outbox = self.account.outbox
        turn = outbox.take_turn(self.recipients)
        try:
            await turn.async_wait()
            if self.recipients and all(map(outbox.holds_up, self.recipients)):
                await self._async_keep(sms)
                return
            self.request = await self.account.async_start(
                lambda: self._async_hand_over(sms, turn) if self.recipients else None
            )
        except POSTPONING:
            await self._async_keep(sms)
        finally:
            if self.request is None:
                turn.end()

    async def _async_hand_over(self, sms: Sms, turn: Turn) -> Outcome:
        """Return what Zoho said to those that are not kept."""
        outbox = self.account.outbox
        try:
            outcome, self.kept = await outbox.async_send(
                self._messages(sms), self._permit
            )
        finally:
            turn.end()
        return outcome

    def _messages(self, sms: Sms) -> list[Message]:
        """Return what the outbox keeps."""
        now = time.time()
        call_id = ulid_now()
        messages = [
            Message(
                message_id=ulid_now(),
                call_id=call_id,
                number=number,
                name=self.name_of(number),
                subentry_id=recipient.subentry_id,
                sender_id=self.sender_id,
                sms=sms,
                created_at=now,
                expires_at=now,
                urgent=self.urgent,
                keep_trying=self.keep_trying,
            )
            for number, recipient in self.recipients.items()
        ]
        for message in messages:
            message.expires_at = self.account.expiry_of(message)
        return messages


class Sending:
    """Send one text to its recipients, and say what became of it."""

    def __init__(
        self,
        sms: Sms,
        recipients: Mapping[Account, Iterable[Recipient]],
        sender_id: str | None = None,
        keep_trying: float | None = None,
        *,
        default_keep_trying: float = 0.0,
        urgent: bool = False,
        context: Context | None = None,
    ) -> None:
        """Take what is wanted. An urgent one does not wait for quiet hours to end.

        `default_keep_trying` is for accounts that keep nothing by themselves (seconds).
        `context` is that of the call, which tells who made it.
        """
        self._sms = sms
        self._recipients = recipients
        self._keep_trying = keep_trying
        self._default_keep_trying = default_keep_trying
        self._urgent = urgent
        self._context = context
        # Whose each number is: account, sender ID, recipient.
        self._wanted: dict[str, tuple[Account, str, Recipient]] = {}
        for account, account_recipients in recipients.items():
            for recipient in account_recipients:
                sender = sender_id or recipient.sender_id or account.sender_id
                for number in recipient.numbers:
                    self._wanted.setdefault(number, (account, sender, recipient))
        self._batches: list[_Batch] = []
        self._repeated: dict[str, SentSms] = {}
        self._refused: list[tuple[ZohoError, Account, dict[str, str | None]]] = []
        self._ended = asyncio.Event()
        self._is_seen_off = False
        self._segments = estimate_segments(sms.message, sms.data_coding)
        self._quiet_ends: dict[QuietHours, float | None] = {}

    async def async_send(self) -> list[SentSms]:
        """Send, and return what became of each number in the recipients' order.

        Raises SendError.
        """
        while other := self._same_under_way():
            await other.async_wait()
        self._admit()
        try:
            await self.async_run()
            return self.conclude()
        finally:
            if not self._is_seen_off:
                self._end()

    async def async_wait(self) -> None:
        """Wait until it has ended, also without its caller."""
        await self._ended.wait()

    def check(self) -> list[SentSms]:
        """Return what would be sent, without sending anything. Raises SendError."""
        self._plan()
        if self._refused:
            raise send_error({}, [(err, names) for err, _, names in self._refused])
        planned = {
            number: self._sent(batch, Receipt(number, {"status": DRY_RUN}))
            for batch in self._batches
            for number in batch.recipients
        }
        planned |= self._repeated
        return [planned[number] for number in self._wanted]

    @property
    def requests(self) -> int:
        """Return how many requests it takes."""
        return len(self._batches)

    def withdraw(self, numbers: Iterable[str]) -> None:
        """Take numbers out of the requests that have not started."""
        for batch in self._batches:
            batch.withdraw(numbers)
        if not self._batches:
            for number in numbers:
                self._wanted.pop(number, None)

    def _plan(self) -> None:
        """Sort out what goes now, what waits, and what is not sent.

        Numbers become requests: by account and sender, ten each.
        """
        waiting = {
            account: account.outbox.waiting_for(self._sms)
            for account in self._recipients
            if account.repeats.seconds
        }
        last: dict[tuple[Account, str, float | None], _Batch] = {}
        for number, (account, sender, recipient) in self._wanted.items():
            err: ZohoError | None = None
            if number in account.tracking.opt_outs:
                err = OptedOutError()
            waits_until = self._quiet_until(account, number, recipient)
            keep_trying = (
                account.keep_trying or self._default_keep_trying
                if self._keep_trying is None
                else self._keep_trying
            )
            if account in waiting and err is None:
                repeat = account.repeats.find(number, self._sms)
                if repeat or number in waiting[account]:
                    self._drop(account, number, recipient)
                    continue
                if repeat is False:
                    err = RepeatUnclearError()
            if waits_until is not None:
                err = err or self._cannot_wait(
                    account, number, recipient, waits_until, keep_trying
                )
            if err := err or account.brake.check(number):
                name = _name_of(account, recipient, number)
                self._refused.append((err, account, {number: name}))
                continue
            key = account, sender, waits_until
            batch = last.get(key)
            if batch is None or len(batch.recipients) == MAX_NUMBERS:
                batch = last[key] = _Batch(
                    account, sender, keep_trying, self._urgent, waits_until
                )
                self._batches.append(batch)
            batch.recipients[number] = recipient
        self._refuse_spending()

    def _quiet_until(
        self, account: Account, number: str, recipient: Recipient
    ) -> float | None:
        """Return when the quiet hours end in which a number would get the SMS."""
        quiet_hours = account.quiet_hours_of(number, recipient.subentry_id)
        if quiet_hours is None or self._urgent:
            return None
        if quiet_hours not in self._quiet_ends:
            moment = scheduled_at(self._sms)
            self._quiet_ends[quiet_hours] = quiet_hours.end(
                time.time() if moment is None else moment,
                dt_util.get_default_time_zone(),
            )
        return self._quiet_ends[quiet_hours]

    def _cannot_wait(
        self,
        account: Account,
        number: str,
        recipient: Recipient,
        waits_until: float,
        keep_trying: float,
    ) -> ZohoError | None:
        """Return why a message can't wait for the end of quiet hours, if it can't."""
        quiet_hours = account.quiet_hours_of(number, recipient.subentry_id)
        if self._sms.scheduled_time is not None:
            return ScheduledInQuietHoursError(waits_until)
        if quiet_hours is None or not quiet_hours.waits:
            return QuietHoursError(waits_until)
        return None if keep_trying else CannotWaitError(waits_until)

    def _refuse_spending(self) -> None:
        """Refuse all that would be sent if it is too much for an account."""
        reserved = {
            account: account.outbox.reserved
            for account in self._recipients
            if account.guard.is_limited
        }
        costs: dict[tuple[Account, float | None], int] = {}
        for batch in self._batches if reserved else ():
            key = batch.account, batch.waits_until
            cost = len(batch.recipients) * self._segments
            costs[key] = costs.get(key, 0) + cost
        for (account, waits_until), cost in costs.items():
            if account not in reserved:
                continue
            opens_at = account.guard.opens_at(cost, reserved[account], waits_until)
            if opens_at is not None:
                err = SpendingGuardError(cost, opens_at)
                self._refused.append((err, account, self._names()))
                self._batches.clear()
                return
            reserved[account].append((waits_until or 0.0, cost))

    def _drop(self, account: Account, number: str, recipient: Recipient) -> None:
        """Send nothing to a number that got the same text just before."""
        self._repeated[number] = SentSms(
            Receipt(number, {"status": DUPLICATE}),
            _name_of(account, recipient, number),
            estimated_segments=self._segments,
        )

    def _admit(self) -> None:
        """Check, and take note of what is about to be sent."""
        self._plan()
        for err, account, names in self._refused:
            account.refused(err, names, self._context)
        for batch in self._batches:
            batch.hold(self._sms)
            if batch.account.repeats.seconds:
                batch.account.sendings.add(self)

    def _same_under_way(self) -> Sending | None:
        """Return who sends the same text to one of the numbers right now.

        Only afterwards it is known if that makes a repeat.
        """
        for account in self._recipients:
            if not account.repeats.seconds:
                continue
            for other in account.sendings:
                if (
                    text_of(other._sms) == text_of(self._sms)  # noqa: SLF001
                    and not self._wanted.keys().isdisjoint(other._wanted)  # noqa: SLF001
                ):
                    return other
        return None

    def _end(self) -> None:
        """Let go who waits to send the same text."""
        for account in self._recipients:
            account.sendings.discard(self)
        self._ended.set()

    async def async_run(self) -> None:
        """Make the requests, as many at once as the accounts allow."""
        try:
            if len(self._batches) == 1:
                await self._batches[0].async_send(self._sms)
            else:
                # Eagerly, so that calls of the same moment keep their order.
                await asyncio.gather(
                    *(
                        create_eager_task(batch.async_send(self._sms))
                        for batch in self._batches
                    )
                )
        except asyncio.CancelledError:
            for batch in self._batches:
                batch.withdraw([*batch.recipients])
            started = [batch for batch in self._batches if batch.request is not None]
            if started:
                self._is_seen_off = True
                started[0].account.keep(self._async_see_off(started))
            raise

    async def async_wait_for_delivery(self, seconds: float) -> dict[str, DeliveryState]:
        """Wait until all that was sent is in a final state, at most for so long.

        Return the state of each number by then.
        """
        waits = [
            batch.account.async_wait_for_delivery(batch.outcome, seconds)
            for batch in self._batches
            if batch.outcome and not isinstance(batch.outcome, ZohoError)
        ]
        states = {
            message.number: DeliveryState.QUEUED
            for batch in self._batches
            for message in batch.kept
        } | {
            number: DeliveryState.UNKNOWN
            for batch in self._batches
            if isinstance(batch.outcome, OutcomeUnknownError)
            for number in batch.recipients
        }
        for found in await asyncio.gather(*waits):
            states |= found
        return states

    def conclude(self) -> list[SentSms]:
        """Return what was sent, and let the entities of its recipients take note.

        Raises SendError.
        """
        sent: dict[str, SentSms] = {}
        kept: dict[str, SentSms] = {}
        failed = [(err, names) for err, _, names in self._refused]
        for batch in self._batches:
            batch.account.outcomes.kept += len(batch.kept)
            for message in batch.kept:
                receipt = Receipt(message.number, {"status": QUEUED})
                kept[message.number] = self._sent(
                    batch, receipt, message_id=message.message_id
                )
            if isinstance(batch.outcome, ZohoError):
                names = {n: batch.name_of(n) for n in batch.recipients if n not in kept}
                failed.append((batch.outcome, names))
            elif batch.outcome is not None:
                for receipt in batch.outcome:
                    sent[receipt.number] = self._sent(batch, receipt)
        self._tell(sent.keys())
        if failed:
            raise send_error(
                {number: item.name for number, item in sent.items()},
                failed,
                {number: item.name for number, item in kept.items()},
                self._repeated,
            ) from failed[0][0]
        sent |= kept | self._repeated
        return [sent[number] for number in self._wanted if number in sent]

    def _sent(
        self, batch: _Batch, receipt: Receipt, *, message_id: str | None = None
    ) -> SentSms:
        """Return what became of one number's SMS."""
        return SentSms(
            receipt,
            batch.name_of(receipt.number),
            message_id,
            self._segments,
            batch.waits_until,
        )

    def _names(self) -> dict[str, str | None]:
        """Return whose numbers are in the requests."""
        return {
            number: batch.name_of(number)
            for batch in self._batches
            for number in batch.recipients
        }

    def _tell(self, sent_to: AbstractSet[str]) -> None:
        """Let the entities take note of what reached all numbers of a recipient."""
        for account, recipients in self._recipients.items():
            for recipient in recipients:
                if recipient.subentry_id in account.on_sent and sent_to >= set(
                    recipient.numbers
                ):
                    account.on_sent[recipient.subentry_id]()

    async def _async_see_off(self, started: Iterable[_Batch]) -> None:
        """Wait for the requests that were under way when their caller went."""
        try:
            await asyncio.gather(*(batch.async_finish() for batch in started))
            self.conclude()
        except SendError as err:
            _LOGGER.warning("The action was stopped while it sent SMS: %s", err)
        finally:
            self._end()


def _name_of(account: Account, recipient: Recipient, number: str) -> str | None:
    """Return whose number it is, if known."""
    if recipient.name is None and number in account.owners:
        return account.owners[number].name
    return recipient.name


class JointSending:
    """Send one text to the recipients that a call names one by one."""

    def __init__(
        self, account: Account, sms: Sms, call: Hashable, context: Context | None
    ) -> None:
        """Start when the loop has come round, and all recipients have joined."""
        self._account = account
        self._sms = sms
        self._key = sms, call
        self._context = context
        self._callers: list[tuple[Recipient, Future[None]]] = []
        self._sending: Sending
        self._task = asyncio.create_task(self._async_send())

    async def async_join(self, recipient: Recipient) -> None:
        """Wait until it is sent. Raises SendError."""
        end = asyncio.get_running_loop().create_future()
        self._callers.append((recipient, end))
        try:
            await end
        except asyncio.CancelledError:
            self._withdraw(recipient)
            raise
        except SendError as err:
            if not err.sent_to.issuperset(recipient.numbers):
                raise

    @property
    def _waiting(self) -> list[Recipient]:
        """Return the recipients whose callers are still there."""
        return [recipient for recipient, end in self._callers if not end.cancelled()]

    def _withdraw(self, recipient: Recipient) -> None:
        """Send nothing more for a caller that is gone."""
        waiting = self._waiting
        if not waiting:
            self._task.cancel()
        else:
            others = {number for other in waiting for number in other.numbers}
            self._sending.withdraw(set(recipient.numbers) - others)

    async def _async_send(self) -> None:
        """Send to all who have joined; each of them gets the error."""
        del self._account.joint_sendings[self._key]
        self._sending = Sending(
            self._sms, {self._account: self._waiting}, context=self._context
        )
        error: Exception | None = None
        try:
            await self._sending.async_send()
        except Exception as err:  # noqa: BLE001
            error = err
        for _, end in self._callers:
            if end.done():
                continue
            if error:
                end.set_exception(error)
            else:
                end.set_result(None)
