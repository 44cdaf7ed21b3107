"""How long nobody watched: what fell due then is yet to be told."""

from collections.abc import Callable
from typing import Any

from .tracker import read_number

#: For how long to catch up after a start (seconds). By then the message log was looked
#: at, so what was delivered meanwhile is known, and all automations are set up.
CATCH_UP = 120.0


class Downtime:
    """Remember until when Home Assistant ran, as the part of a journal.

    `clock` tells the time (seconds since the epoch).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with nothing to catch up with."""
        #: When it began (seconds since the epoch), None once all was told.
        self.began_at: float | None = None
        self._clock = clock
        self._waiting: dict[Callable[[], None], None] = {}

    def covers(self, time: float) -> bool:
        """Return if what fell due at a time has yet to be told."""
        return self.began_at is not None and time > self.began_at

    def wait(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call something at the end; return how not to."""
        self._waiting[tell] = None
        return lambda: self._waiting.pop(tell, None)

    def end(self) -> None:
        """Let be told what fell due meanwhile."""
        self.began_at = None
        waiting, self._waiting = self._waiting, {}
        for tell in waiting:
            tell()

    def dump(self) -> float:
        """Return until when all was told."""
        return self._clock() if self.began_at is None else self.began_at

    def load(self, value: Any) -> None:
        """Take what `dump` returned. Raises ValueError or TypeError."""
        self.began_at = None if value is None else read_number(value)
