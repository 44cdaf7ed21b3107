"""What is asked of the message log, and when enough of it was read."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from custom_components.zoho_voice.tracking.log_reader import (
    FIRST_LOOK,
    MAX_DOWNTIME,
    MAX_OFFSET,
    MAX_PAGES,
    MAX_REST,
    OVERLAP,
    PAGE_SIZE,
    LogReader,
    Look,
)
from custom_components.zoho_voice.zoho.message_log import Direction, LogRow

NOW = 1_764_831_248.0
HOUR = 3600.0


def row(time: float | None, *, name: str = "", outgoing: bool = False) -> LogRow:
    """Return a row that was submitted at a time."""
    return LogRow(
        log_id=name or f"row {time}",
        direction=Direction.OUTGOING if outgoing else Direction.INCOMING,
        number="+14805550100",
        message="text",
        submitted_at=None if time is None else datetime.fromtimestamp(time, UTC),
    )


class Log:
    """A log that is read, with what happens after each page."""

    def __init__(self, rows: Iterable[LogRow] = (), page_size: int = PAGE_SIZE) -> None:
        self.rows = [*rows]
        self.now = NOW
        self.reader = LogReader(lambda: self.now, page_size=page_size)
        #: The pages that were asked for in the last look, by their first row.
        self.starts: list[int] = []
        #: How far back it was asked for (seconds).
        self.back = 0.0
        self.is_filtered = False

    def look(
        self,
        since: float | None = NOW - 2 * HOUR,
        submitted: Iterable[float] = (),
        *,
        incoming: bool = True,
        seconds: float = 0.0,
        pages: int = MAX_PAGES,
    ) -> Look:
        """Look; each page takes so many seconds, and there is an error after some."""
        self.starts = []
        self.reader.begin_look(since, submitted, incoming=incoming)
        while (query := self.reader.next_query()) and len(self.starts) < pages:
            self.back = NOW - query.since.timestamp()
            self.starts.append(query.start)
            rows = self.rows
            if self.is_filtered:
                rows = [
                    row
                    for row in rows
                    if row.submitted_at is None or row.submitted_at >= query.since
                ]
            self.reader.take(rows[query.start : query.start + query.size])
            self.now += seconds
        return self.reader.end_look()


def found(look: Look) -> list[str]:
    return [row.log_id for row in look.incoming]


@pytest.mark.parametrize("newest_first", [True, False])
def test_what_came_in_since_is_found_by_its_time(newest_first: bool) -> None:
    times = [NOW - 60, NOW - 2 * HOUR, NOW - 2 * HOUR - 1]
    log = Log(sorted(map(row, times), key=lambda r: r.log_id, reverse=newest_first))
    look = log.look()
    assert found(look) == [f"row {NOW - 2 * HOUR}", f"row {NOW - 60}"]
    assert look.known_since == NOW - 60 - OVERLAP
    assert not look.is_first
    assert log.starts == [0]
    assert log.back == 2 * HOUR + MAX_OFFSET
    assert log.look().incoming == look.incoming
    assert not log.reader.is_under_way


def test_nothing_to_look_for_asks_nothing() -> None:
    log = Log([row(NOW)])
    assert log.look(None, incoming=False) == Look([], [])
    assert log.starts == []
    log.reader.take([row(NOW)])
    assert log.reader.end_look() == Look([], [])


def test_first_look_learns_what_is_old() -> None:
    log = Log([row(NOW - 60), row(NOW - FIRST_LOOK - 1)])
    look = log.look(None)
    assert look.is_first
    assert found(look) == [f"row {NOW - 60}"]
    assert look.known_since == NOW - 60 - OVERLAP
    assert log.back == FIRST_LOOK + MAX_OFFSET


def test_empty_log_is_known_for_as_far_as_it_was_read() -> None:
    assert Log().look(None).known_since == NOW - FIRST_LOOK
    assert Log().look().known_since == NOW - 2 * HOUR


def test_downtime_of_days_misses_nothing() -> None:
    log = Log([row(NOW - 29 * 24 * HOUR), row(NOW)])
    assert len(log.look(NOW - 60 * 24 * HOUR).incoming) == 2
    assert log.back == MAX_DOWNTIME + MAX_OFFSET


@pytest.mark.parametrize("ahead", [365 * 24 * HOUR, -365 * 24 * HOUR])
def test_wrong_clock_loses_nothing(ahead: float) -> None:
    log = Log([row(NOW)])
    log.is_filtered = True
    log.now += ahead
    since = log.look().known_since
    assert since == NOW - 2 * HOUR
    log.now = NOW
    assert found(log.look(since)) == [f"row {NOW}"]


def test_row_of_the_future_does_not_hide_what_comes() -> None:
    log = Log([row(NOW + 365 * 24 * HOUR), row(NOW + HOUR), row(NOW - 60)])
    look = log.look()
    assert look.known_since == NOW - OVERLAP
    assert len(look.incoming) == 3


def test_rows_without_a_time_are_taken_and_come_last() -> None:
    log = Log([row(None, name="a"), row(NOW), row(None, name="b")])
    look = log.look()
    assert found(look) == [f"row {NOW}", "a", "b"]
    assert look.known_since == NOW - OVERLAP


def test_old_rows_end_the_look_once_the_newest_prove_to_come_first() -> None:
    newest_first = [row(NOW - 120 * n) for n in range(1000)]
    log = Log(newest_first)
    log.look()
    assert log.starts == [0]
    log = Log(reversed(newest_first))
    log.look()
    assert len(log.starts) == MAX_PAGES


def test_order_of_appearance_proves_nothing_by_one_late_row() -> None:
    """The oldest come first, but the first of them came late."""
    late = NOW - 10 * HOUR
    log = Log(
        [
            row(late),
            *(row(late - OVERLAP + n) for n in range(1, 10)),
            *(row(NOW - n) for n in range(10)),
        ],
        page_size=10,
    )
    assert len(log.look().incoming) == 10


def test_late_row_is_found_behind_an_older_one_that_came_later() -> None:
    """The newest come first, by when they appeared."""
    since = NOW - 2 * HOUR
    log = Log(
        [
            *(row(NOW - n) for n in range(9)),
            row(since - 1),  # appeared nearly an hour later
            row(since + 60),
        ],
        page_size=10,
    )
    assert f"row {since + 60}" in found(log.look(since))


def test_page_that_is_not_full_is_not_the_last_if_zoho_says_so() -> None:
    reader = LogReader(lambda: NOW)
    reader.begin_look(NOW - HOUR, ())
    reader.take([row(NOW)], total=2)
    query = reader.next_query()
    assert query is not None
    assert query.start == 1
    reader.take([row(NOW - 1)], total=2)
    assert reader.next_query() is None
    assert len(reader.end_look().incoming) == 2


def test_rows_that_can_not_be_read_count_for_the_page() -> None:
    reader = LogReader(lambda: NOW)
    reader.begin_look(NOW - HOUR, ())
    reader.take([row(NOW - n) for n in range(PAGE_SIZE - 1)], skipped=1)
    assert reader.next_query() is not None
    reader.take([], skipped=0)
    assert reader.next_query() is None
    assert reader.end_look().known_since is not None


def test_more_than_a_look_may_read_goes_on_with_the_next_one() -> None:
    log = Log(row(NOW - n / 10) for n in range(2000))
    look = log.look()
    assert log.reader.is_under_way
    assert look.known_since is None
    ids = {*found(look)}
    # Meanwhile some come, and some are deleted.
    log.rows[:0] = [row(NOW + n) for n in range(1, 21)]
    log.now += 60
    look = log.look()
    ids |= {*found(look)}
    assert look.known_since is None
    del log.rows[:10]
    log.now += 60
    look = log.look()
    ids |= {*found(look)}
    assert ids >= {f"row {NOW - n / 10}" for n in range(2000)}
    # What appeared while it was under way is found from the beginning.
    assert look.known_since is not None
    assert look.known_since <= NOW - OVERLAP
    assert not log.reader.is_under_way


def test_what_appears_behind_while_it_is_read_is_found_the_next_time() -> None:
    """The oldest come first, and some come late to a page that was read."""
    log = Log(row(NOW - 1500 + n) for n in range(1500))
    assert log.look(seconds=1).known_since is None
    late = log.now - OVERLAP + 1
    log.rows.insert(0, row(late))
    log.now += 60
    log.rows += [row(log.now - 1)]
    look = log.look(seconds=1)
    assert look.known_since is not None
    assert look.known_since <= late


@pytest.mark.parametrize("pause", [MAX_REST + 1, -1.0])
def test_unfinished_look_begins_anew_after_a_long_rest_or_a_clock_put_back(
    pause: float,
) -> None:
    log = Log(row(NOW - n / 10) for n in range(2000))
    log.look()
    log.now += pause
    log.look()
    assert log.starts[0] == 0


def test_error_in_the_middle_loses_nothing() -> None:
    log = Log(row(NOW - n / 10) for n in range(250))
    first = log.look(pages=1)
    assert len(first.incoming) == PAGE_SIZE
    assert first.known_since is None
    log.now += 60
    second = log.look()
    assert log.starts[0] == 90
    assert {*found(first), *found(second)} == {r.log_id for r in log.rows}
    assert second.known_since is not None


def test_messages_of_the_last_hour_are_looked_for_each_time() -> None:
    message = row(NOW - 50 * 60, outgoing=True)
    log = Log([row(NOW), message])
    for _ in range(3):
        look = log.look(None, [NOW - 50 * 60], incoming=False)
        assert look == Look([message], [])
        assert log.back == 50 * 60 + OVERLAP + MAX_OFFSET
        log.now += 1


def test_older_messages_are_looked_for_every_ten_minutes() -> None:
    log = Log([row(NOW - 5 * HOUR, outgoing=True)])
    submitted = [NOW - 5 * HOUR, NOW - 30 * HOUR]
    backs = []
    for _ in range(12):
        log.look(NOW - HOUR, submitted)
        backs.append(log.back - MAX_OFFSET)
        log.now += 60
    assert backs == [6 * HOUR, *[HOUR] * 9, 6 * HOUR, HOUR]


def test_what_is_deep_in_a_long_log_is_found_while_what_is_new_comes_first() -> None:
    message = row(NOW - 20 * HOUR, outgoing=True)
    log = Log([*(row(NOW - 20 * n) for n in range(3600)), message])
    looks = 0
    while message not in log.look(NOW - HOUR, [NOW - 20 * HOUR]).outgoing:
        assert log.starts[0] == 0
        assert log.reader.is_under_way
        looks += 1
        log.now += 60
        log.rows[:0] = [row(log.now + n) for n in range(30)]
    assert 3 <= looks <= 8
    assert not log.reader.is_under_way


def test_what_is_deep_has_its_turn_even_if_all_looks_are_full() -> None:
    message = row(NOW - 20 * HOUR, outgoing=True)
    new = [row(NOW - n) for n in range(MAX_PAGES * 90)]
    old = [row(NOW - 10 * HOUR - n) for n in range(500)]
    log = Log([*new, *old, message])
    for _ in range(5):
        if message in log.look(NOW - HOUR, [NOW - 20 * HOUR]).outgoing:
            return
        log.now += 60
    raise AssertionError("It never came so far")


def test_nothing_is_under_way_once_nothing_is_looked_for() -> None:
    log = Log([*(row(NOW - 20 * n) for n in range(3600))])
    log.look(None, [NOW - 20 * HOUR], incoming=False)
    assert log.reader.is_under_way
    log.look(None, [], incoming=False)
    assert not log.reader.is_under_way
