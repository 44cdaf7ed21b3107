"""What to ask of the message log, and when enough of it was read.

How Zoho orders the rows, and in which zone it reads dates, is not known
(zoho-voice-api.md section 2). So nothing here relies on either: the order is inferred
where that can't be wrong, and otherwise all pages are read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import math

from ..zoho.message_log import Direction, LogRow
from .schedule import FAST, FRESH, SLOW, UNSETTLED

#: How many rows to ask for at once. Zoho's default, so that fewer are the last ones.
PAGE_SIZE = 100
#: How many pages one look may take: Zoho allows 30 calls a minute, for all there is.
MAX_PAGES = 10
#: How much later than its `submittedTime` a row may appear (seconds).
OVERLAP = 60 * 60.0
#: How far the account's zone may be from UTC, either way (seconds).
MAX_OFFSET = 14 * 60 * 60.0
#: How far the first look goes back, to learn what is old (seconds). A clock that is
#: ahead by less than that hides nothing that comes later.
FIRST_LOOK = 24 * 60 * 60.0
#: How far a look goes back after a downtime (seconds).
MAX_DOWNTIME = 30 * 24 * 60 * 60.0
#: How long an unfinished look may rest before it begins anew (seconds).
MAX_REST = 15 * 60.0


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Say what to ask for: `size` rows from row `start` on, of all directions.

    `since` is to be sent as a date in UTC; it is early enough for whatever zone Zoho
    takes it to be in.
    """

    since: datetime
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Look:
    """Hold what a look found: outgoing rows as they came, incoming ones by time.

    A row may be there that was there before. `is_first` means that what came in is
    old. `known_since` is from when on incoming rows may be new from now on (seconds
    since the epoch), None as long as there is more to read.
    """

    outgoing: Sequence[LogRow] = ()
    incoming: Sequence[LogRow] = ()
    is_first: bool = False
    known_since: float | None = None


@dataclass(slots=True)
class _Sweep:
    """Go through the log once, from row 0 on, in one look or several.

    Before `known`, no incoming row is new. `floor` is how far to go back for them,
    `head` for what each look has to read, and `depth` for all that is wanted (seconds
    since the epoch, infinite where nothing is).
    """

    began_at: float
    known: float
    floor: float
    head: float
    depth: float
    start: int = 0
    is_headed: bool = False
    is_at_end: bool = False
    first: float | None = None
    last: float | None = None
    newest: float = -math.inf

    @property
    def since(self) -> float:
        """Return what to ask for."""
        return max(0.0, min(self.head, self.depth) - MAX_OFFSET)

    def note(self, time: float, now: float) -> None:
        """Take note of the next row's time, unless it makes no sense."""
        if self.since - 2 * MAX_OFFSET <= time <= now + MAX_OFFSET:
            self.newest = max(self.newest, time)
            self.last = time
            if self.first is None:
                self.first = time

    def reaches(self, bound: float) -> bool:
        """Return if all rows from a time on were read.

        A row that was submitted so much earlier than one before it proves that the
        newest ones come first, even if they are in the order in which they appeared.
        """
        if self.is_at_end or self.first is None or self.last is None:
            return self.is_at_end
        return self.first - self.last > OVERLAP and self.last < bound - OVERLAP

    def known_since(self, now: float) -> float:
        """Return from when on a row may still be unread once the head was read.

        While one page after the other is read, rows appear on those before.
        """
        read = min(self.newest, now) - (now - self.began_at)
        return max(self.known, read - OVERLAP)


class LogReader:
    """Ask for what may be new in the message log, step by step.

    A look is `begin_look`, then `take` for each `next_query`, then `end_look`; also
    after an error, as what was read counts, and the next look goes on from there.
    `clock` tells the time (seconds since the epoch).
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        page_size: int = PAGE_SIZE,
        max_pages: int = MAX_PAGES,
    ) -> None:
        """Start without having looked."""
        self._clock = clock
        self._page_size = page_size
        self._max_pages = max_pages
        self._pages_left = 0
        self._sweep: _Sweep | None = None
        #: Where to go on with what is deeper than each look has to read.
        self._resume = 0
        self._looked_at = -math.inf
        self._looked_deep_at = -math.inf
        self._outgoing: list[LogRow] = []
        self._incoming: dict[str, LogRow] = {}
        self._is_first = False
        self._known_since: float | None = None

    @property
    def is_under_way(self) -> bool:
        """Return if there is more to read than the last look could."""
        return self._sweep is not None or self._resume > 0

    def begin_look(
        self,
        incoming_since: float | None,
        submitted: Iterable[float],
        *,
        incoming: bool = True,
    ) -> None:
        """Decide how far to go back.

        `incoming_since` is where the tracker says that incoming rows may be new, None
        before the first look. `submitted` are the times of the messages without a
        final state. All are seconds since the epoch. `incoming`: ask for incoming SMS.
        """
        now = self._clock()
        if not 0 <= now - self._looked_at <= MAX_REST:
            self._sweep = None
            self._resume = 0
        self._looked_at = now
        self._pages_left = self._max_pages
        if self._sweep is None:
            self._sweep = self._new_sweep(
                now, incoming_since, [*submitted], wants_incoming=incoming
            )

    def next_query(self) -> LogQuery | None:
        """Return what to ask for next, None at the end of the look."""
        if self._sweep is None or not self._pages_left:
            return None
        since = datetime.fromtimestamp(self._sweep.since, UTC)
        return LogQuery(since, self._sweep.start, self._page_size)

    def take(
        self, rows: Sequence[LogRow], *, total: int | None = None, skipped: int = 0
    ) -> None:
        """Take the answer to `next_query`: a page of the log.

        `skipped` rows of the page could not be read; all pages together have `total`.
        """
        sweep = self._sweep
        if sweep is None:
            return
        now = self._clock()
        self._pages_left -= 1
        for row in rows:
            time = row.submitted_at.timestamp() if row.submitted_at else None
            if time is not None:
                sweep.note(time, now)
            if row.direction is Direction.OUTGOING:
                self._outgoing.append(row)
            elif sweep.floor < math.inf and (time is None or time >= sweep.floor):
                self._incoming[row.log_id] = row
        self._turn_page(sweep, len(rows) + skipped, total, now)

    def end_look(self) -> Look:
        """Return what was found since the last time."""
        look = Look(
            self._outgoing,
            sorted(self._incoming.values(), key=_order),
            self._is_first,
            self._known_since,
        )
        self._outgoing = []
        self._incoming = {}
        self._known_since = None
        # Each look begins with the head, unless that left no time for what is deeper.
        if self._sweep and self._sweep.is_headed and self._sweep.start > self._resume:
            self._resume = self._sweep.start
            self._sweep = None
        return look

    def _new_sweep(
        self,
        now: float,
        incoming_since: float | None,
        submitted: Sequence[float],
        *,
        wants_incoming: bool,
    ) -> _Sweep | None:
        """Return where to go now, None if there is nothing to look for."""
        is_deep = abs(now - self._looked_deep_at) >= SLOW - FAST / 2
        fresh = [time for time in submitted if now - time < FRESH]
        old = [time for time in submitted if FRESH <= now - time < UNSETTLED]
        self._is_first = wants_incoming and incoming_since is None
        known = math.inf
        if wants_incoming:
            known = now - FIRST_LOOK if incoming_since is None else incoming_since
        floor = max(known, now - MAX_DOWNTIME)
        head = min(floor, min(fresh, default=math.inf) - OVERLAP)
        depth = min(old, default=math.inf) - OVERLAP if is_deep else math.inf
        if depth == math.inf:
            self._resume = 0
            if head == math.inf:
                return None
        return _Sweep(now, known, floor, head, depth)

    def _turn_page(
        self, sweep: _Sweep, count: int, total: int | None, now: float
    ) -> None:
        """Go on behind a page of so many rows, or be done."""
        following = sweep.start + count
        # A page that is not full is the last one, unless Zoho says otherwise.
        is_last = count < self._page_size and following >= (total or 0)
        sweep.is_at_end = is_last or not count
        if not sweep.is_headed and sweep.reaches(sweep.head):
            sweep.is_headed = True
            if sweep.floor < math.inf:
                self._known_since = sweep.known_since(now)
        if sweep.is_headed and sweep.reaches(sweep.depth):
            if sweep.depth < math.inf:
                self._looked_deep_at = sweep.began_at
            self._resume = 0
            self._sweep = None
            return
        # Rows that are deleted meanwhile move those behind them to the front.
        overlap = max(1, self._page_size // 10)
        sweep.start = max(sweep.start + 1, following - overlap)
        if sweep.is_headed:
            sweep.start = max(sweep.start, self._resume)


def _order(row: LogRow) -> float:
    """Return where a row stands among others; without a time it is the newest."""
    return row.submitted_at.timestamp() if row.submitted_at else math.inf
