"""How many segments an account may spend in an hour and in a day."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
import math
from operator import attrgetter
from typing import Any, NamedTuple

from ..zoho.errors import ZohoError

_MINUTE = 60
_HOUR = 3600
_DAY = 86400


class SpendingGuardError(ZohoError):
    """Say that nothing was sent, as so many segments must not be spent yet.

    `opens_at` is when they may (UTC epoch seconds), `math.inf` for never.
    """

    def __init__(self, segments: int, opens_at: float) -> None:
        """Keep how many they are, and when they may be spent."""
        super().__init__()
        self.segments = segments
        self.opens_at = opens_at


class Limits(NamedTuple):
    """Hold how many segments may be spent in any hour and in any day; None: all."""

    per_hour: int | None = None
    per_day: int | None = None


@dataclass(slots=True)
class _Slot:
    """Hold what was booked in one minute as if it all were of its last moment."""

    time: float
    segments: int


_time = attrgetter("time")
_segments = attrgetter("segments")


def _minute(slot: _Slot) -> float:
    """Return in which minute a slot is."""
    return slot.time // _MINUTE


@dataclass(slots=True)
class Booking:
    """Hold what one spending took, at the moment when it was booked."""

    _slot: _Slot
    _segments: int

    def correct(self, actual: int) -> None:
        """Take what it really took in place of what was booked; less than 0 is 0."""
        actual = max(0, actual)
        self._slot.segments += actual - self._segments
        self._segments = actual

    def refund(self) -> None:
        """Give back all of it: nothing was sent."""
        self.correct(0)


class SpendingGuard:
    """Count segments, and say when more of them may be spent.

    No 3600 s hold more than `per_hour`, no 86400 s more than `per_day`, if nothing is
    spent that `opens_at` does not let through, and nothing corrected upwards. What is
    booked in the same minute leaves together, with the last of it: at most a minute
    late, never early.

    `clock` returns UTC epoch seconds. When it is set back, what lies in the future
    counts as spent until its hour or day from then on is over; but what lies more than
    a day ahead comes from a clock that was wrong, and is taken as spent now. When it
    is set forward, time has passed.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        #: What holds from now on, for what was spent before as well.
        self.limits = limits
        self._clock = clock
        # By their time. They are a minute each, or were so in the future.
        self._slots: list[_Slot] = []

    @property
    def is_limited(self) -> bool:
        """Return if there is a limit at all."""
        return bool(self._set())

    @property
    def spent_last_hour(self) -> int:
        """Return how many segments were spent in the last 3600 s."""
        return self._spent(_HOUR, self._now())

    @property
    def spent_last_day(self) -> int:
        """Return how many segments were spent in the last 86400 s."""
        return self._spent(_DAY, self._now())

    def left(self) -> int | None:
        """Return how many segments may be spent now; None: any number."""
        now = self._now()
        return min(
            (max(0, limit - self._spent(window, now)) for limit, window in self._set()),
            default=None,
        )

    def opens_at(
        self,
        segments: int,
        reserved: Iterable[tuple[float, int]] = (),
        at: float | None = None,
    ) -> float | None:
        """Return from when on a call may spend its segments, in UTC epoch seconds.

        None: now, or at the time `at`. `math.inf`: never, it alone is more than a
        limit. `reserved` is what others are about to spend: each when, at the
        earliest, and how many segments.
        """
        now = self._now()
        at = now if at is None else max(at, now)
        about_to = [_Slot(max(time, now), others) for time, others in reserved]
        return max(
            (
                moment
                for limit, window in self._set()
                if (moment := self._opens_at(window, limit, segments, about_to, at))
            ),
            default=None,
        )

    def spend(self, segments: int) -> Booking:
        """Book segments as spent now, whatever the limits are."""
        now = self._now()
        del self._slots[: self._first(_DAY, now)]
        index = bisect_right(self._slots, now // _MINUTE, key=_minute)
        slot = self._slots[index - 1] if index else None
        if slot and _minute(slot) == now // _MINUTE:
            slot.time = max(slot.time, now)
        else:
            slot = _Slot(now, 0)
            self._slots.insert(index, slot)
        slot.segments += segments
        return Booking(slot, segments)

    def dump(self) -> list[list[float]]:
        """Return all that `load` needs: pairs of epoch seconds and segments."""
        return [[slot.time, slot.segments] for slot in self._slots if slot.segments]

    def load(self, value: Any) -> None:
        """Take what `dump` returned in place of all that was booked.

        Raises ValueError if it is anything else; then nothing has changed.
        """
        if not isinstance(value, list):
            raise ValueError("Bookings are not a list")  # noqa: TRY004
        slots = [_read_slot(item) for item in value]
        if slots != sorted(slots, key=_time):
            raise ValueError("Bookings are not in order")
        self._slots = slots

    def _set(self) -> list[tuple[int, int]]:
        """Return the limits that are set, each with its window in seconds."""
        windows = zip(self.limits, (_HOUR, _DAY), strict=True)
        return [(limit, window) for limit, window in windows if limit is not None]

    def _now(self) -> float:
        """Return the time, and make it that of what lies too far in the future."""
        now = self._clock()
        if self._slots and self._slots[-1].time > now + _DAY:
            for slot in self._slots:
                if slot.time > now + _DAY:
                    slot.time = now
            self._slots.sort(key=_time)
        return now

    def _first(self, window: int, now: float) -> int:
        """Return the index of the first slot that is still in a window."""
        return bisect_right(self._slots, now, key=lambda slot: slot.time + window)

    def _spent(self, window: int, now: float) -> int:
        """Return how many segments there are in a window."""
        return sum(map(_segments, self._slots[self._first(window, now) :]))

    def _opens_at(
        self, window: int, limit: int, segments: int, reserved: list[_Slot], at: float
    ) -> float | None:
        """Return from when on a window has room; None if it has at a time."""
        slots = self._slots[self._first(window, at) :]
        slots += [slot for slot in reserved if abs(slot.time - at) < window]
        excess = sum(map(_segments, slots)) + segments - limit
        if excess <= 0:
            return None
        slots.sort(key=_time)
        freed = accumulate(map(_segments, slots))
        return next(
            (
                slot.time + window
                for slot, segments_freed in zip(slots, freed, strict=True)
                if segments_freed >= excess
            ),
            math.inf,
        )


def _read_slot(value: Any) -> _Slot:
    """Return what one pair of a dump says. Raises ValueError."""
    match value:
        case [float(time), int(segments)] if (
            0 <= time < math.inf and segments > 0 and segments is not True
        ):
            return _Slot(time, segments)
    raise ValueError("A booking is not a time and a number of segments")
