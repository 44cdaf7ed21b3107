"""No test reads the real clock, but time passes for whoever waits."""

import asyncio
import calendar
from datetime import UTC, date, datetime
import time

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from .conftest import NOW


def read_clocks() -> set[float]:
    """Return what all clocks show, in seconds since the epoch."""
    return {
        time.time(),
        time.time_ns() / 1e9,
        time.mktime(time.localtime()),
        calendar.timegm(time.gmtime()),
        datetime.now(UTC).timestamp(),
        dt_util.utcnow().timestamp(),
        dt_util.now().timestamp(),
    }


READ_WITH_THIS_FILE = read_clocks()


def seconds(moment: str) -> float:
    """Return a time in UTC as seconds since the epoch."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def test_clocks_stand_still_before_the_tests() -> None:
    assert {seconds(NOW)} == READ_WITH_THIS_FILE


@pytest.mark.clock
async def test_clocks_show_the_moment(hass: HomeAssistant, moment: str) -> None:
    assert read_clocks() == {seconds(moment)}
    assert await hass.async_add_executor_job(read_clocks) == {seconds(moment)}
    assert date.today().isoformat() == moment[:10]  # noqa: DTZ011


async def test_clocks_go_on_when_a_test_says_so(
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.tick(3600)
    assert read_clocks() == {seconds(NOW) + 3600}


async def test_time_passes(hass: HomeAssistant) -> None:
    timers = (hass.loop.time, time.monotonic, time.perf_counter)
    begin = [timer() for timer in timers]
    await asyncio.sleep(0.01)
    for timer, before in zip(timers, begin, strict=True):
        assert 0.01 <= timer() - before < 10
