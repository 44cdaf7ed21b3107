"""When recipients are not to be disturbed, also where clocks are changed."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.zoho_voice.sending.quiet_hours import QuietHours

PACIFIC = ZoneInfo("America/Los_Angeles")
NIGHT = QuietHours(time(22), time(7))
NOON = QuietHours(time(12, 30), time(14))

ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "America/Los_Angeles",
            "America/Havana",  # changes at midnight
            "Asia/Kathmandu",  # UTC+5:45
            "Australia/Lord_Howe",  # changes by half an hour
            "Europe/Dublin",  # winter time is the exception
            "Pacific/Apia",  # left out a day
        )
    ]
)
TIMES = st.times().map(lambda value: value.replace(microsecond=0))
QUIET_HOURS = (
    st.tuples(TIMES, TIMES)
    .filter(lambda times: times[0] != times[1])
    .map(lambda times: QuietHours(*times))
)
MOMENTS = st.floats(min_value=1_250_000_000, max_value=1_900_000_000)


def at(text: str, zone: ZoneInfo = PACIFIC) -> float:
    """Return a wall-clock time, or one with its offset, as UTC epoch seconds."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


@pytest.mark.parametrize(
    ("quiet_hours", "moment", "end"),
    [
        (NIGHT, "2026-11-22 21:59:59", None),
        (NIGHT, "2026-11-22 22:00:00", "2026-11-23 07:00"),
        (NIGHT, "2026-11-22 23:59:59", "2026-11-23 07:00"),
        (NIGHT, "2026-11-23 00:00:00", "2026-11-23 07:00"),
        (NIGHT, "2026-11-23 06:59:59", "2026-11-23 07:00"),
        (NIGHT, "2026-11-23 07:00:00", None),
        (NIGHT, "2026-12-31 23:59:59", "2027-01-01 07:00"),
        (NOON, "2026-11-22 12:29:59", None),
        (NOON, "2026-11-22 12:30:00", "2026-11-22 14:00"),
        (NOON, "2026-11-22 14:00:00", None),
        (NOON, "2026-11-22 23:00:00", None),
        # The night has 8 hours.
        (NIGHT, "2027-03-13 22:30:00", "2027-03-14T07:00-07:00"),
        (NIGHT, "2027-03-14T01:59:59-08:00", "2027-03-14T07:00-07:00"),
        (NIGHT, "2027-03-14T03:00:00-07:00", "2027-03-14T07:00-07:00"),
        # The night has 10 hours.
        (NIGHT, "2027-11-06 22:30:00", "2027-11-07T07:00-08:00"),
        (NIGHT, "2027-11-07T01:30:00-07:00", "2027-11-07T07:00-08:00"),
        (NIGHT, "2027-11-07T01:30:00-08:00", "2027-11-07T07:00-08:00"),
        # There is no 2:30, so it is as long after 2:00 as always.
        (QuietHours(time(22), time(2, 30)), "2027-03-14 01:00", "2027-03-14 03:30"),
        (QuietHours(time(2, 30), time(5)), "2027-03-14 03:29", None),
        (QuietHours(time(2, 30), time(5)), "2027-03-14 03:30", "2027-03-14 05:00"),
        # There is 1:30 twice, and the first one counts.
        (
            QuietHours(time(22), time(1, 30)),
            "2027-11-07T01:29:59-07:00",
            "2027-11-07T01:30-07:00",
        ),
        (QuietHours(time(22), time(1, 30)), "2027-11-07T01:15:00-08:00", None),
        (
            QuietHours(time(1, 30), time(5)),
            "2027-11-07T01:15:00-08:00",
            "2027-11-07T05:00-08:00",
        ),
        # Nearly all day, with an end that is put off into the next quiet hours.
        (
            QuietHours(time(3), time(2, 30)),
            "2027-03-14T01:00-08:00",
            "2027-03-15T02:30-07:00",
        ),
    ],
)
def test_end_of_quiet_hours(
    quiet_hours: QuietHours, moment: str, end: str | None
) -> None:
    assert quiet_hours.end(at(moment), PACIFIC) == (None if end is None else at(end))


@given(QUIET_HOURS, MOMENTS, ZONES, st.floats(0, 1))
def test_it_is_quiet_until_the_end_and_not_at_the_end(
    quiet_hours: QuietHours, moment: float, zone: ZoneInfo, part: float
) -> None:
    end = quiet_hours.end(moment, zone)
    if end is None:
        return
    assert moment < end < moment + 2 * 86_400
    between = min(moment + part * (end - moment), end - 1)
    if between >= moment:
        assert quiet_hours.end(between, zone) == end
    assert quiet_hours.end(end, zone) is None


@given(QUIET_HOURS, MOMENTS)
def test_where_clocks_are_not_changed_the_wall_clock_decides(
    quiet_hours: QuietHours, moment: float
) -> None:
    now = datetime.fromtimestamp(moment, UTC).time()
    begin, until = quiet_hours.begin, quiet_hours.until
    is_quiet = begin <= now < until if begin < until else now >= begin or now < until
    end = quiet_hours.end(moment, UTC)
    assert (end is not None) == is_quiet
    if end is not None:
        assert datetime.fromtimestamp(end, UTC).time() == until
        assert end - moment <= 86_400


@pytest.mark.parametrize(
    ("moment", "hours", "end"),
    [
        ("2026-11-22 12:00", 1, "2026-11-22 13:00"),
        ("2026-11-22 21:00", 1, "2026-11-22 22:00"),
        ("2026-11-22 21:30", 1, "2026-11-23 07:30"),
        ("2026-11-22 23:30", 1, "2026-11-23 08:00"),
        ("2026-11-23 07:00", 1, "2026-11-23 08:00"),
        ("2026-11-22 23:30", 15, "2026-11-23 22:00"),
        ("2026-11-22 21:00", 24, "2026-11-24 07:00"),
        ("2026-11-22 22:00", 24, "2026-11-24 07:00"),
        ("2027-03-13 21:30", 1, "2027-03-14 07:30"),
        ("2027-11-06 21:30", 1, "2027-11-07 07:30"),
    ],
)
def test_quiet_time_does_not_count_up_to_a_day_after_the_first_quiet_hours(
    moment: str, hours: float, end: str
) -> None:
    assert NIGHT.stretch(at(moment), hours * 3600, PACIFIC) == at(end)


@given(QUIET_HOURS, MOMENTS, ZONES, st.integers(1, 24 * 60))
def test_stretch_holds_as_much_time_that_is_not_quiet_or_ends_after_a_day(
    quiet_hours: QuietHours, moment: float, zone: ZoneInfo, minutes: int
) -> None:
    end = quiet_hours.stretch(moment, minutes * 60, zone)
    first_end = None
    not_quiet = 0.0
    now = moment
    while now < end:
        quiet_end = quiet_hours.end(now, zone)
        if quiet_end is None:
            not_quiet += min(60.0, end - now)
            now += 60.0
        else:
            first_end = first_end or quiet_end
            now = quiet_end
    assert quiet_hours.end(end, zone) != end
    if first_end is not None and end >= first_end + 86_400 - 1:
        assert end == pytest.approx(first_end + 86_400)
        assert not_quiet <= minutes * 60 + 60
    else:
        assert not_quiet == pytest.approx(minutes * 60, abs=120)
