"""One text on its way to many: recipients become requests, and these outcomes."""

import asyncio
from asyncio import Future, Task
from collections.abc import (
    Coroutine,
    Hashable,
    Iterable,
    Mapping,
    Set as AbstractSet,
)
from dataclasses import dataclass, field
import logging
import math
import time
from typing import Any

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.ulid import ulid_now

from ..account import Account, Recipient
from ..const import DOMAIN
from ..errors import OptedOutError, SendError, labels, local_time, send_error
from ..zoho.errors import OutcomeUnknownError, ZohoError
from ..zoho.message_log import DeliveryState
from ..zoho.models import MAX_NUMBERS, Receipt, Sms
from .outbox import POSTPONING, Message, Outcome, end_of
from .segments import estimate_segments

_LOGGER = logging.getLogger(__name__)


#: The status of an SMS that is kept and tried again.
QUEUED = "QUEUED"
#: The status of an SMS that would be sent.
DRY_RUN = "DRY_RUN"
#: The status of an SMS that was not sent, as the number got the same text before.
DUPLICATE = "DUPLICATE"
#: The status of an SMS that would not be sent, as the number answered STOP.
OPTED_OUT = "OPTED_OUT"


class FloodError(HomeAssistantError):
    """Say that a number got too many messages in too short a time."""

    def __init__(self, account: Account, number: str, name: str | None) -> None:
        """Keep whom it is about."""
        self.account = account
        self.recipient = labels({number: name})
        self.count = account.brake.count(number)
        super().__init__(
            translation_domain=DOMAIN,
            translation_key="flood_brake",
            translation_placeholders={
                "recipient": self.recipient,
                "count": str(self.count),
                "minutes": f"{account.brake.seconds / 60:.0f}",
            },
        )


class SpendingGuardError(HomeAssistantError):
    """Say that a call would spend more segments than the account may now."""

    def __init__(self, account: Account, segments: int, opens_at: float) -> None:
        """Keep when it may, in seconds since the epoch; inf for never."""
        self.account = account
        self.opens_at = opens_at
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=(
                "spending_limit" if opens_at == math.inf else "spending_guard"
            ),
            translation_placeholders={
                "segments": str(segments),
                "time": "" if opens_at == math.inf else local_time(opens_at),
            },
        )


@dataclass(slots=True)
class SentSms:
    """Hold what became of one number's SMS, and whose number it is, if known.

    `message_id` is there if the SMS is kept and tried again; it is not sent yet then.
    """

    receipt: Receipt
    name: str | None
    message_id: str | None = None
    estimated_segments: int = 1


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

    Raises SendError, which names who got it, who did not, and who may have, FloodError
    or SpendingGuardError.
    """
    return await Sending(sms, recipients, sender_id, keep_trying).async_send()


async def async_send_jointly(
    account: Account, sms: Sms, recipient: Recipient, call: Hashable
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
        joint = account.joint_sendings[key] = JointSending(account, sms, call)
    await joint.async_join(recipient)


@dataclass(slots=True)
class _Batch:
    """Hold what one request carries: numbers, each with whose it is.

    `keep_trying` is for how long to keep what does not reach Zoho (seconds, 0 to fail
    at once).
    """

    account: Account
    sender_id: str
    keep_trying: float
    recipients: dict[str, Recipient] = field(default_factory=dict)
    request: Task[Outcome] | None = None
    outcome: Outcome | None = None
    kept: list[Message] = field(default_factory=list)

    def name_of(self, number: str) -> str | None:
        """Return whose number it is, if known."""
        return self.recipients[number].name or self.account.names.get(number)

    async def async_send(self, sms: Sms) -> None:
        """Send to the batch; what goes wrong must not keep others from being tried."""
        try:
            if self.keep_trying:
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

    def _begin(self, sms: Sms) -> Coroutine[Any, Any, Outcome] | None:
        """Return the request, unless its callers have gone."""
        if not self.recipients:
            return None
        return self.account.async_request(sms, self.sender_id, [*self.recipients])

    async def _async_send_or_keep(self, sms: Sms) -> None:
        """Send, and keep what does not reach Zoho. Raises ZohoError."""
        outbox = self.account.outbox
        await outbox.async_wait_turn(self.recipients)
        try:
            self.request = await self.account.async_start(
                lambda: self._async_hand_over(sms) if self.recipients else None
            )
        except POSTPONING:
            self.kept = self._messages(sms)
            await outbox.async_queue(self.kept)

    async def _async_hand_over(self, sms: Sms) -> Outcome:
        """Return what Zoho said to those that are not kept."""
        outbox = self.account.outbox
        outcome, self.kept = await outbox.async_send(self._messages(sms))
        return outcome

    def _messages(self, sms: Sms) -> list[Message]:
        """Return what the outbox keeps."""
        now = time.time()
        call_id = ulid_now()
        return [
            Message(
                message_id=ulid_now(),
                call_id=call_id,
                number=number,
                name=self.name_of(number),
                subentry_id=recipient.subentry_id,
                sender_id=self.sender_id,
                sms=sms,
                created_at=now,
                expires_at=end_of(sms, now, self.keep_trying),
            )
            for number, recipient in self.recipients.items()
        ]


class Sending:
    """Send one text to its recipients, and say what became of it."""

    def __init__(
        self,
        sms: Sms,
        recipients: Mapping[Account, Iterable[Recipient]],
        sender_id: str | None = None,
        keep_trying: float | None = None,
    ) -> None:
        """Split recipients into requests: by account and sender, ten numbers each."""
        self._sms = sms
        self._recipients = recipients
        self._numbers: dict[str, None] = {}
        self._batches: list[_Batch] = []
        self._repeated: dict[str, SentSms] = {}
        self._opted_out: dict[str, SentSms] = {}
        self.segments = estimate_segments(sms.message, sms.data_coding)
        last: dict[tuple[Account, str], _Batch] = {}
        for account, account_recipients in recipients.items():
            for recipient in account_recipients:
                sender = sender_id or recipient.sender_id or account.sender_id
                for number in recipient.numbers:
                    if number in self._numbers:
                        continue
                    self._numbers[number] = None
                    batch = last.get((account, sender))
                    if batch is None or len(batch.recipients) == MAX_NUMBERS:
                        batch = last[account, sender] = _Batch(
                            account,
                            sender,
                            account.keep_trying if keep_trying is None else keep_trying,
                        )
                        self._batches.append(batch)
                    batch.recipients[number] = recipient

    async def async_send(self) -> list[SentSms]:
        """Send, and return what became of each number in the recipients' order.

        Raises SendError, FloodError, or SpendingGuardError.
        """
        self._admit()
        await self.async_run()
        return self.conclude()

    def check(self) -> list[SentSms]:
        """Leave out what was sent just before, and who does not want to get SMS.

        Return what would be sent. Raises FloodError or SpendingGuardError if that is
        too much.
        """
        costs: dict[Account, int] = {}
        planned: dict[str, SentSms] = {}
        for batch in self._batches:
            self._leave_out_opted_out(batch)
            self._leave_out_repeats(batch)
            for number in batch.recipients:
                if batch.account.brake.check(number) is not None:
                    raise FloodError(batch.account, number, batch.name_of(number))
                receipt = Receipt(number, {"status": DRY_RUN})
                planned[number] = self._sent(batch, receipt)
            cost = len(batch.recipients) * self.segments
            costs[batch.account] = costs.get(batch.account, 0) + cost
        for account, cost in costs.items():
            if any(account.guard.limits) and cost:
                waiting = sum(
                    estimate_segments(message.sms.message, message.sms.data_coding)
                    for message in account.outbox.waiting
                )
                if opens_at := account.guard.opens_at(cost, waiting):
                    raise SpendingGuardError(account, cost, opens_at)
        planned |= self._repeated | self._opted_out
        return [planned[number] for number in self._numbers]

    @property
    def requests(self) -> int:
        """Return how many requests it takes."""
        return sum(1 for batch in self._batches if batch.recipients)

    def _leave_out_opted_out(self, batch: _Batch) -> None:
        """Take out the numbers that answered STOP."""
        for number in [*batch.recipients]:
            if number in batch.account.tracking.opt_outs:
                receipt = Receipt(number, {"status": OPTED_OUT})
                self._opted_out[number] = self._sent(batch, receipt)
                del batch.recipients[number]

    def _leave_out_repeats(self, batch: _Batch) -> None:
        """Take out the numbers that got the same text just before."""
        repeats = batch.account.repeats
        for number in [n for n in batch.recipients if repeats.seconds]:
            if repeats.is_repeat(number, self._sms.message):
                receipt = Receipt(number, {"status": DUPLICATE})
                self._repeated[number] = self._sent(batch, receipt)
                del batch.recipients[number]

    def _admit(self) -> None:
        """Check, and take note of what is about to be sent."""
        try:
            self.check()
        except (FloodError, SpendingGuardError) as err:
            err.account.refused(err)
            raise
        for batch in self._batches:
            for number in batch.recipients:
                batch.account.brake.record(number)
                batch.account.repeats.remember(number, self._sms.message)

    async def async_run(self) -> None:
        """Make the requests, as many at once as the accounts allow."""
        try:
            if len(self._batches) == 1:
                await self._batches[0].async_send(self._sms)
            else:
                await asyncio.gather(
                    *(batch.async_send(self._sms) for batch in self._batches)
                )
        except asyncio.CancelledError:
            for batch in self._batches:
                if batch.request is None:
                    self._may_repeat(batch, batch.recipients)
            started = [batch for batch in self._batches if batch.request is not None]
            if started:
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

    def withdraw(self, numbers: Iterable[str]) -> None:
        """Take numbers out of the requests that have not started."""
        for batch in self._batches:
            if batch.request is None:
                for number in numbers:
                    batch.recipients.pop(number, None)
                self._may_repeat(batch, numbers)

    def conclude(self) -> list[SentSms]:
        """Return what was sent, and let the entities of its recipients take note.

        Raises SendError.
        """
        sent: dict[str, SentSms] = {}
        kept: dict[str, SentSms] = {}
        failed: list[tuple[ZohoError, dict[str, str | None]]] = []
        if self._opted_out:
            names = {number: item.name for number, item in self._opted_out.items()}
            failed.append((OptedOutError(), names))
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
                if not isinstance(batch.outcome, OutcomeUnknownError):
                    self._may_repeat(batch, names)
            elif batch.outcome is not None:
                for receipt in batch.outcome:
                    sent[receipt.number] = self._sent(batch, receipt)
        self._tell(sent.keys())
        if failed:
            raise send_error(
                {number: item.name for number, item in sent.items()},
                failed,
                {number: item.name for number, item in kept.items()},
            ) from failed[0][0]
        sent |= kept | self._repeated
        return [sent[number] for number in self._numbers if number in sent]

    def _sent(
        self, batch: _Batch, receipt: Receipt, *, message_id: str | None = None
    ) -> SentSms:
        """Return what became of one number's SMS."""
        name = batch.name_of(receipt.number)
        return SentSms(receipt, name, message_id, self.segments)

    def _may_repeat(self, batch: _Batch, numbers: Iterable[str]) -> None:
        """Allow the same text again for numbers that did not get it."""
        for number in numbers:
            batch.account.repeats.forget(number, self._sms.message)

    def _tell(self, sent_to: AbstractSet[str]) -> None:
        """Let the entities take note of what reached all numbers of a recipient."""
        for account, recipients in self._recipients.items():
            if account.journal and account.repeats.seconds:
                account.journal.save_soon()
            for recipient in recipients:
                if recipient.subentry_id in account.on_sent and sent_to >= set(
                    recipient.numbers
                ):
                    account.on_sent[recipient.subentry_id]()

    async def _async_see_off(self, started: Iterable[_Batch]) -> None:
        """Wait for the requests that were under way when their caller went."""
        await asyncio.gather(*(batch.async_finish() for batch in started))
        try:
            self.conclude()
        except SendError as err:
            _LOGGER.warning("The caller is gone, so this error is only logged: %s", err)


class JointSending:
    """Send one text to the recipients that a call names one by one."""

    def __init__(self, account: Account, sms: Sms, call: Hashable) -> None:
        """Start when the loop has come round, and all recipients have joined."""
        self._account = account
        self._sms = sms
        self._key = sms, call
        self._callers: list[tuple[Recipient, Future[None]]] = []
        self._sending: Sending | None = None
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
        elif self._sending:
            others = {number for other in waiting for number in other.numbers}
            self._sending.withdraw(set(recipient.numbers) - others)

    async def _async_send(self) -> None:
        """Send to all who have joined; each of them gets the error."""
        del self._account.joint_sendings[self._key]
        self._sending = Sending(self._sms, {self._account: self._waiting})
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
