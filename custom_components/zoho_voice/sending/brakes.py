"""What stops a loop: too many messages to one number, and the same text again."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
import math
import re
from typing import Any

from ..zoho.errors import ZohoError
from ..zoho.models import Sms

#: How many texts are remembered, the latest ones: they are written with every save.
MAX_TEXTS = 5000

_DIGEST = re.compile(r"[0-9a-f]{32}")


class FloodBrakeError(ZohoError):
    """Say that nothing was sent, as the number got too many messages before.

    It got `count` messages in the last `seconds`.
    """

    def __init__(self, count: int, seconds: float) -> None:
        """Keep how many they are."""
        super().__init__()
        self.count = count
        self.seconds = seconds


class RepeatUnclearError(ZohoError):
    """Say that the same text may have been sent to the number just before."""


class FloodBrake:
    """Count messages by their number, and say when another one may go to it.

    What counts is when a message was asked for, not when it went: one that waited is
    no sign of a loop. A restart forgets it all: a loop does not outlive it.

    No `seconds` hold more than `limit` messages to one number, if none is recorded
    that `check` does not let through. 0 lets all through and counts nothing. `clock`
    returns seconds that never go back.
    """

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float]) -> None:
        #: What holds from now on, for what was recorded before as well.
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        # By the time of their last message. It tells what may be forgotten.
        self._times: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, number: str) -> FloodBrakeError | None:
        """Return why another message must not go to a number, None if it may."""
        times = self._times.get(number)
        if not self.limit or times is None or len(times) < self.limit:
            return None
        count = len(times) - self._first(times, self._clock())
        return None if count < self.limit else FloodBrakeError(count, self.seconds)

    def record(self, number: str) -> float | None:
        """Take note that a message goes out; return what `forget` needs."""
        if not self.limit:
            return None
        now = self._clock()
        times = self._times.setdefault(number, [])
        del times[: self._first(times, now)]
        times.append(now)
        self._times.move_to_end(number)
        _forget_old(self._times, lambda times: times[-1] + self.seconds <= now)
        return now

    def forget(self, number: str, time: float | None) -> None:
        """Take back what was recorded: the message did not go."""
        times = self._times.get(number, [])
        if time in times:
            times.remove(time)
        if not times:
            self._times.pop(number, None)

    def _first(self, times: list[float], now: float) -> int:
        """Return the index of the first message that still counts."""
        return bisect_right(times, now, key=lambda time: time + self.seconds)


@dataclass(slots=True)
class _Sent:
    """Hold when a text was sent (UTC epoch seconds), and if that is certain."""

    time: float
    is_certain: bool


class Repeats:
    """Know which text went to which number in the last `seconds`; 0: none.

    Texts that are scheduled for different times are different. Only digests of number
    and text are kept. `clock` returns UTC epoch seconds. When it is set back by less
    than `seconds`, a text is a repeat for that much longer. When it is set by more,
    either way, the text is none: a message that is dropped because the clock was wrong
    for long is as bad as one that is sent twice.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        #: What holds from now on; what is over by then may be forgotten already.
        self.seconds = seconds
        self._clock = clock
        # By the order in which they were remembered.
        self._sent: OrderedDict[str, _Sent] = OrderedDict()

    def find(self, number: str, sms: Sms) -> bool | None:
        """Return if the number certainly got this text just before, None if not.

        False says that it may have got it.
        """
        if not self.seconds or not self._sent:
            return None
        sent = self._sent.get(_digest(number, sms))
        if sent is None or not self._is_recent(sent, self._clock()):
            return None
        return sent.is_certain

    def remember(self, number: str, sms: Sms) -> None:
        """Take note that the text goes to the number; it may get it from now on."""
        if not self.seconds:
            return
        now = self._clock()
        digest = _digest(number, sms)
        self._sent[digest] = _Sent(now, is_certain=False)
        self._sent.move_to_end(digest)
        _forget_old(self._sent, lambda sent: not self._is_recent(sent, now))
        if len(self._sent) > MAX_TEXTS:
            self._sent.popitem(last=False)

    def confirm(self, number: str, sms: Sms) -> None:
        """Take note that the number certainly gets the text."""
        sent = self._sent.get(_digest(number, sms)) if self._sent else None
        if sent is not None:
            sent.is_certain = True

    def forget(self, number: str, sms: Sms) -> None:
        """Take back what was remembered: the text did not go."""
        if self._sent:
            self._sent.pop(_digest(number, sms), None)

    def dump(self) -> dict[str, list[float | bool]]:
        """Return all that `load` needs: epoch seconds and certainty by a digest."""
        return {
            digest: [sent.time, sent.is_certain] for digest, sent in self._sent.items()
        }

    def load(self, value: Any) -> None:
        """Take what `dump` returned in place of all that was remembered.

        Raises ValueError if it is anything else; then nothing has changed.
        """
        if not isinstance(value, dict):
            raise ValueError("What was sent is not an object")  # noqa: TRY004
        if not all(map(_DIGEST.fullmatch, value)):
            raise ValueError("What was sent is not named by digests")
        self._sent = OrderedDict(
            (digest, _read_sent(item)) for digest, item in value.items()
        )

    def _is_recent(self, sent: _Sent, now: float) -> bool:
        """Tell whether a text of that time would be repeated now."""
        return abs(now - sent.time) < self.seconds


def _read_sent(value: Any) -> _Sent:
    """Return what one item of a dump says. Raises ValueError."""
    match value:
        case [float(time), bool(is_certain)] if 0 <= time < math.inf:
            return _Sent(time, is_certain)
    raise ValueError("What was sent is not a time and a certainty")


def text_of(sms: Sms) -> str:
    """Return what makes an SMS another one: its text, and when it is scheduled."""
    scheduled = sms.scheduled_time and sms.scheduled_time.replace(tzinfo=None)
    return f"{scheduled} {sms.time_zone}\n{sms.message}"


def _digest(number: str, sms: Sms) -> str:
    """Return what stands for a number and a text."""
    content = f"{number}\n{text_of(sms)}".encode(errors="surrogatepass")
    return sha256(content).hexdigest()[:32]


def _forget_old[T](entries: OrderedDict[str, T], is_old: Callable[[T], bool]) -> None:
    """Forget at most the two oldest entries, if they are old.

    Two for each new one: so no call takes long, and old ones still die out.
    """
    for key in [*islice(entries, 2)]:
        if not is_old(entries[key]):
            return
        del entries[key]
