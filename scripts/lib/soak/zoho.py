"""The sandbox in this very process, with faults in a part of the requests."""

import asyncio
from collections import Counter
from collections.abc import Set as AbstractSet
from random import Random
import time
from typing import override

from sandbox import Fault, FaultKind, Limits, Sandbox
from sandbox.faults import Endpoint, FaultQueue

from .history import Sms

#: What happens to a request that fails, and how often against the others.
_WEIGHTS = {
    FaultKind.LATE: 4,
    FaultKind.DROP_BEFORE: 2,
    FaultKind.DROP_AFTER: 3,
    FaultKind.TOO_MANY_REQUESTS: 5,
    FaultKind.SERVER_ERROR: 2,
    FaultKind.SERVER_ERROR_AFTER: 2,
    FaultKind.EMPTY_REPLY: 1,
    FaultKind.HTML_REPLY: 1,
    FaultKind.TRUNCATED_REPLY: 1,
    FaultKind.ERROR_200: 1,
    FaultKind.ERROR_400: 1,
    FaultKind.UNAUTHORIZED: 1,
}
_READ_FAULTS = (
    FaultKind.READ_LATE,
    FaultKind.READ_DROP,
    FaultKind.READ_SERVER_ERROR,
    FaultKind.READ_TRUNCATED,
    FaultKind.READ_HTML,
)
#: The part of the requests that fail, and that of those that read.
RATE = 1 / 3
READ_RATE = 1 / 12
#: How long Zoho takes to answer, so that something is under way in a kill (seconds).
_ANSWER_SECONDS = 0.06
_SLOW_SECONDS = 1.0
#: How long an SMS takes to show up in the message log (seconds).
_LAG_SECONDS = 0.5
#: How long ago something is that has just happened (seconds).
_JUST = 0.01


class RandomFaults(FaultQueue):
    """Faults that come by chance, behind those that are asked for."""

    def __init__(self, random: Random) -> None:
        """Let a third of the requests fail."""
        super().__init__()
        self.rates = {Endpoint.SEND: RATE, Endpoint.READ: READ_RATE}
        self.count: Counter[FaultKind] = Counter()
        self._random = random

    @override
    def take(self, endpoint: Endpoint) -> Fault | None:
        """Return the fault for a request that just came in, if there is one."""
        fault = super().take(endpoint)
        rate = self.rates.get(endpoint, 0)
        if fault is None and rate and self._random.random() < rate:
            fault = self._draw() if endpoint is Endpoint.SEND else self._draw_read()
        if fault:
            self.count[fault.kind] += 1
        return fault

    def _draw(self) -> Fault:
        random = self._random
        (kind,) = random.choices([*_WEIGHTS], [*_WEIGHTS.values()])
        match kind:
            case FaultKind.LATE:
                return Fault(kind, seconds=random.uniform(0.1, 0.8))
            case FaultKind.TOO_MANY_REQUESTS:
                return Fault(kind, retry_after=random.choice([None, None, 1, 60]))
            case FaultKind.SERVER_ERROR | FaultKind.SERVER_ERROR_AFTER:
                return Fault(kind, status=random.choice([500, 502, 503]))
            case _:
                return Fault(kind)

    def _draw_read(self) -> Fault:
        kind = self._random.choice(_READ_FAULTS)
        is_late = kind is FaultKind.READ_LATE
        return Fault(kind, seconds=self._random.uniform(0.1, 0.8) if is_late else None)


class Zoho(Sandbox):
    """A Zoho that fails by chance."""

    def __init__(self, random: Random) -> None:
        """Let tokens be throttled for a shorter time than Zoho does."""
        super().__init__(limits=Limits(throttle_seconds=20))
        self.answer_seconds = _ANSWER_SECONDS
        self.faults: RandomFaults = RandomFaults(random)
        self.oldest_first = random.choice([True, False])
        self.log_lag_seconds = _LAG_SECONDS

    @property
    def held(self) -> list[Sms]:
        """Return what was accepted, in order."""
        return [Sms(sms.message, sms.number) for sms in self.sent]

    @property
    def has_just_accepted(self) -> bool:
        """Return if it has accepted something within the last milliseconds."""
        return bool(self.sent) and time.time() - self.sent[-1].submitted_at < _JUST

    def be_slow(self, seconds: float) -> None:
        """Take long for every answer, so that requests pile up."""
        self.answer_seconds = _SLOW_SECONDS
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, setattr, self, "answer_seconds", _ANSWER_SECONDS)

    def be_unreadable(self, kind: FaultKind | None, seconds: float) -> None:
        """Answer nobody who reads."""
        fault = self.add_fault(kind or FaultKind.READ_SERVER_ERROR, times=None)
        # Others may be in the queue: the last request to fail is the next one.
        asyncio.get_running_loop().call_later(seconds, setattr, fault, "times", 1)

    def archive(self, log_ids: AbstractSet[str]) -> None:
        """Put rows where nobody reads them, as a log of days would be too long."""
        kept = [row for row in self.message_log if row.log_id not in log_ids]
        self.message_log.clear()
        for row in kept:
            self.message_log.add(row)

    def calm(self) -> None:
        """Let nothing fail any more."""
        self.answer_seconds = _ANSWER_SECONDS
        self.faults.rates.clear()
        self.clear_faults()
        self.limits.throttle_tokens = 1000
