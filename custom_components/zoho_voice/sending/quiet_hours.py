"""Quiet hours: when a recipient is not to be disturbed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
import math

from ..zoho.errors import ZohoError

_DAY = timedelta(days=1)


class QuietHoursError(ZohoError):
    """Say that nothing was sent, as the recipient has quiet hours.

    `ends_at` is when they end (UTC epoch seconds).
    """

    def __init__(self, ends_at: float) -> None:
        """Keep when they end."""
        super().__init__()
        self.ends_at = ends_at


class CannotWaitError(QuietHoursError):
    """Say that a message to them is to wait, but is not to be kept."""


class ScheduledInQuietHoursError(QuietHoursError):
    """Say that the time for which a message is scheduled lies in quiet hours."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hold from when until when it is quiet, every day: wall-clock times.

    `until` is on the next day unless it is later than `begin`. `waits` tells whether a
    message waits until they end, or else is refused. Where clocks are changed, a time
    that there is twice is the first one, and one that there is not is as far from the
    noon before as always (RFC 5545, 3.3.5).

    All other times are UTC epoch seconds.
    """

    begin: time
    until: time
    waits: bool = True

    def end(self, moment: float, zone: tzinfo) -> float | None:
        """Return when the quiet hours end in which a moment lies, None if in none."""
        end = None
        for begin, until in self._from(moment, zone):
            if begin <= (moment if end is None else end):
                end = until
        return end

    def stretch(self, moment: float, seconds: float, zone: tzinfo) -> float:
        """Return when so much time has passed in which it is not quiet.

        That is at most a day after the end of the first quiet hours in between.
        """
        latest = math.inf
        for begin, until in self._from(moment, zone):
            if begin < moment + seconds and moment < latest:
                seconds -= max(0.0, begin - moment)
                moment = until
                latest = min(latest, until + _DAY.total_seconds())
        return min(moment + seconds, latest)

    def _from(self, moment: float, zone: tzinfo) -> Iterator[tuple[float, float]]:
        """Yield the next quiet hours that are not over, and those of three days."""
        today = datetime.fromtimestamp(moment, zone).date()
        for begin, until in _around(self, today, zone):
            if moment < until > begin:
                yield begin, until


# The outbox asks for each of a thousand messages, all at the same moment.
@lru_cache(maxsize=64)
def _around(
    quiet_hours: QuietHours, today: date, zone: tzinfo
) -> list[tuple[float, float]]:
    """Return the quiet hours that begin from yesterday until in three days."""
    begin, until = quiet_hours.begin, quiet_hours.until
    days = [today + days * _DAY for days in range(-1, 4)]
    return [
        (
            datetime.combine(day, begin, zone).timestamp(),
            datetime.combine(
                day if until > begin else day + _DAY, until, zone
            ).timestamp(),
        )
        for day in days
    ]
