"""What stops a loop: too many messages to one number, and the same text again."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from itertools import islice
import math
import re
from typing import Any

_DIGEST = re.compile(r"[0-9a-f]{64}")


class FloodBrake:
    """Count messages by their number, and say when another one may go to it.

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

    def check(self, number: str) -> float | None:
        """Return from when on, by the clock, a message may go out; None: now."""
        times = self._times.get(number)
        if not self.limit or times is None or len(times) < self.limit:
            return None
        opens_at = times[-self.limit] + self.seconds
        return opens_at if self._clock() < opens_at else None

    def count(self, number: str) -> int:
        """Return how many messages were recorded in the last `seconds`."""
        times = self._times.get(number, [])
        return len(times) - self._first(times, self._clock())

    def record(self, number: str) -> None:
        """Take note that a message goes out."""
        if not self.limit:
            return
        now = self._clock()
        times = self._times.setdefault(number, [])
        del times[: self._first(times, now)]
        times.append(now)
        self._times.move_to_end(number)
        _forget_old(self._times, lambda times: times[-1] + self.seconds <= now)

    def _first(self, times: list[float], now: float) -> int:
        """Return the index of the first message that still counts."""
        return bisect_right(times, now, key=lambda time: time + self.seconds)


class Repeats:
    """Know which text went to which number in the last `seconds`; 0: none.

    Only digests of number and text are kept. `clock` returns UTC epoch seconds. When it
    is set back by less than `seconds`, a text is a repeat for that much longer. When it
    is set by more, either way, the text is none: a message that is dropped because the
    clock was wrong for long is as bad as one that is sent twice.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        #: What holds from now on; what is over by then may be forgotten already.
        self.seconds = seconds
        self._clock = clock
        # By the order in which they were remembered.
        self._times: OrderedDict[str, float] = OrderedDict()

    def is_repeat(self, number: str, text: str) -> bool:
        """Tell whether the number was sent this text so short a time ago."""
        if not self.seconds or not self._times:
            return False
        time = self._times.get(_digest(number, text))
        return time is not None and self._is_recent(time, self._clock())

    def remember(self, number: str, text: str) -> None:
        """Take note that the text goes to the number."""
        if not self.seconds:
            return
        now = self._clock()
        digest = _digest(number, text)
        self._times[digest] = now
        self._times.move_to_end(digest)
        _forget_old(self._times, lambda time: not self._is_recent(time, now))

    def forget(self, number: str, text: str) -> None:
        """Take back what was remembered: the text did not go."""
        self._times.pop(_digest(number, text), None)

    def dump(self) -> dict[str, float]:
        """Return all that `load` needs: epoch seconds by SHA-256 of number and text."""
        return dict(self._times)

    def load(self, value: Any) -> None:
        """Take what `dump` returned in place of all that was remembered.

        Raises ValueError if it is anything else; then nothing has changed.
        """
        if not isinstance(value, dict):
            raise ValueError("What was sent is not an object")  # noqa: TRY004
        for digest, time in value.items():
            if not (
                isinstance(digest, str)
                and _DIGEST.fullmatch(digest)
                and isinstance(time, float)
                and 0 <= time < math.inf
            ):
                raise ValueError("What was sent is not a digest and a time")
        self._times = OrderedDict(value)

    def _is_recent(self, time: float, now: float) -> bool:
        """Tell whether a text of that time would be repeated now."""
        return abs(now - time) < self.seconds


def _digest(number: str, text: str) -> str:
    """Return what stands for a number and a text."""
    return sha256(f"{number}\n{text}".encode(errors="surrogatepass")).hexdigest()


def _forget_old[T](entries: OrderedDict[str, T], is_old: Callable[[T], bool]) -> None:
    """Forget at most the two oldest entries, if they are old.

    Two for each new one: so no call takes long, and old ones still die out.
    """
    for key in [*islice(entries, 2)]:
        if not is_old(entries[key]):
            return
        del entries[key]
