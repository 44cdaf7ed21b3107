"""What becomes of an SMS once it is accepted, and how SMS come in."""

import asyncio
from collections.abc import Coroutine, Sequence
import re
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .callbacks import Callback
from .models import Account, Direction, LoggedSms, ScheduledSms, Sms
from .phone_numbers import is_number, sender_key
from .rows import IN_QUEUE
from .segments import count_segments

if TYPE_CHECKING:
    from .state import SandboxState

SENT, DELIVERED, UNDELIVERED = "SENT", "DELIVERED", "UNDELIVERED"

_PUNCTUATION = re.compile(r"[\s()./-]")
_WHOLE_NUMBER = re.compile(r"\+?[0-9]{7,15}")


class Delivery:
    """Moves SMS along: from the schedule into the log, and from status to status."""

    def __init__(self, state: SandboxState) -> None:
        """Keep whose SMS they are."""
        self._state = state
        self._tasks: set[asyncio.Task[object]] = set()

    def accept(
        self, accepted: Sequence[Sms], account: Account, due_at: float | None
    ) -> None:
        """Take the SMS of a request, each to one number."""
        if due_at is None:
            for sms in accepted:
                self._submit(sms, account, sms.submitted_at)
        else:
            job_id = uuid4().hex
            self._state.scheduled += [
                ScheduledSms(job_id, due_at, sms, account) for sms in accepted
            ]

    def send_due(self) -> list[LoggedSms]:
        """Send what is due by now, and return it."""
        now, scheduled = time.time(), self._state.scheduled
        due = [each for each in scheduled if each.due_at <= now]
        scheduled[:] = [each for each in scheduled if each.due_at > now]
        due.sort(key=lambda each: each.due_at)
        return [self._submit(each.sms, each.account, now) for each in due]

    async def report(
        self,
        sms: Sms | LoggedSms | str,
        status: str,
        description: str | None,
        number: str | None,
        *,
        callback: bool,
    ) -> list[Callback]:
        """Give an SMS a status; return when its receiver has been told."""
        rows = self._find(sms, number)
        for row in rows:
            row.status, row.description = status, description
        made = []
        for row in rows if callback else ():
            made += await self._state.callbacks.tell(
                row, self._state.in_case(status), description
            )
        return made

    async def call_back(
        self,
        sms: Sms | LoggedSms | str,
        status: str,
        description: str | None,
        number: str | None,
    ) -> list[Callback]:
        """Call the receiver of an SMS, whatever the log says."""
        made = []
        for row in self._find(sms, number):
            made += await self._state.callbacks.call(row, status, description)
        return made

    def receive(self, number: str, text: str, to: str | None) -> LoggedSms:
        """Take an SMS from somebody's phone, or raise ValueError."""
        state = self._state
        if not (number := number.strip()):
            raise ValueError("nobody sends it: the number is missing")
        if _WHOLE_NUMBER.fullmatch(digits := _PUNCTUATION.sub("", number)):
            number = f"+{digits.removeprefix('+')}"
        try:
            f"{number}{text}".encode()
        except UnicodeEncodeError as err:
            raise ValueError("the text holds half of a surrogate pair") from err
        to = self._sender_to_answer(number) if to is None else to
        if sender_key(to) not in map(sender_key, state.sender_ids):
            raise ValueError(f"{to!r} is no sender ID of the account")
        sms = LoggedSms(
            log_id=str(uuid4()),
            direction=Direction.INCOMING,
            number=number,
            sender_id=to,
            message=text,
            submitted_at=time.time(),
            segments=count_segments(text),
            account=state.account,
        )
        state.message_log.add(sms)
        state.log(f"sms from {number} to {to}: {text!r}")
        return sms

    def cancel(self) -> None:
        """Let nothing more happen by itself."""
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """Let nothing more happen by itself, and wait until nothing does."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _find(self, sms: Sms | LoggedSms | str, number: str | None) -> list[LoggedSms]:
        if isinstance(sms, str):
            return self._state.message_log.find(sms, number)
        return self._state.message_log.find(sms.log_id, sms.number)

    def _sender_to_answer(self, number: str) -> str:
        for row in reversed(self._state.message_log):
            if row.number == number and is_number(row.sender_id):
                return row.sender_id
        for sender_id in sorted(self._state.sender_ids):
            if is_number(sender_id):
                return sender_id
        raise ValueError("no sender ID of the account is a number: nobody can answer")

    def _submit(self, sms: Sms, account: Account, submitted_at: float) -> LoggedSms:
        row = LoggedSms(
            log_id=sms.log_id,
            direction=Direction.OUTGOING,
            number=sms.number,
            sender_id=sms.sender_id,
            message=sms.message,
            submitted_at=submitted_at,
            segments=count_segments(sms.message, sms.data_coding),
            account=account,
            status=IN_QUEUE,
            status_callback=sms.status_callback,
        )
        self._state.message_log.add(row)
        if (seconds := self._state.auto_deliver_seconds) is not None:
            self._start(self._move_along(row, seconds))
        return row

    async def _move_along(self, row: LoggedSms, seconds: float) -> None:
        await asyncio.sleep(seconds)
        # A receiver that is slow to answer delays no SMS.
        self._start(self.report(row, SENT, None, None, callback=True))
        await asyncio.sleep(seconds)
        last, why = DELIVERED, None
        if row.number in self._state.undeliverable:
            last, why = UNDELIVERED, "The phone cannot be reached"
        self._start(self.report(row, last, why, None, callback=True))

    def _start(self, coroutine: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
