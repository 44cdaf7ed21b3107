"""What the tracker keeps, for how long, and what must not stop it."""

from collections.abc import Iterable

import pytest

from custom_components.zoho_voice.tracking.tracker import (
    MAX_SETTLED,
    MAX_TRACKED,
    Report,
    TrackedSms,
    Tracker,
)
from custom_components.zoho_voice.zoho.message_log import DeliveryState

from ..conftest import ALICE, SENDER_ID

NOW = 1_764_831_248.0


class Disk:
    """A disk that has room."""

    async def async_save(self) -> None:
        """Write nothing: nobody starts again."""


class Listener:
    """Somebody who listens, and may fail."""

    def __init__(self) -> None:
        self.heard: list[tuple[str | None, DeliveryState]] = []
        self.fails = False

    def take(self, sms: TrackedSms) -> None:
        if self.fails:
            self.fails = False
            raise RuntimeError("somebody else's mistake")
        self.heard.append((sms.log_id, sms.state))


@pytest.fixture
def listener() -> Listener:
    """Return who hears of delivery reports."""
    return Listener()


@pytest.fixture
def tracker(listener: Listener) -> Tracker:
    """Return a tracker that knows of nothing."""
    tracker = Tracker(
        lambda: NOW, listener.take, lambda _: None, lambda number: ("Alice", "alice")
    )
    tracker.store = Disk()
    return tracker


async def send(tracker: Tracker, log_ids: Iterable[str]) -> None:
    """Let Zoho accept SMS to Alice."""
    tracker.add(
        [
            TrackedSms(
                log_id=log_id,
                number=ALICE,
                name="Alice",
                subentry_id="alice",
                sender_id=SENDER_ID,
                submitted_at=NOW,
                segments=1,
            )
            for log_id in log_ids
        ]
    )
    await tracker.async_settle()


async def deliver(tracker: Tracker, log_ids: Iterable[str]) -> None:
    """Let SMS be delivered."""
    await tracker.async_take(
        Report(log_id=log_id, number=ALICE, state=DeliveryState.DELIVERED)
        for log_id in log_ids
    )


async def test_the_oldest_is_tracked_no_more_when_there_are_too_many(
    tracker: Tracker,
) -> None:
    await send(tracker, map(str, range(MAX_TRACKED + 2)))
    assert [sms.log_id for sms in tracker.unsettled] == [
        str(number) for number in range(2, MAX_TRACKED + 2)
    ]
    assert not tracker.knows("1")
    assert tracker.find(("1", ALICE)) is None
    assert tracker.knows("2")
    assert tracker.counters.messages == MAX_TRACKED + 2


async def test_the_oldest_end_is_forgotten_when_there_are_too_many(
    tracker: Tracker,
) -> None:
    log_ids = [str(number) for number in range(MAX_SETTLED + 1)]
    await send(tracker, log_ids)
    await deliver(tracker, log_ids)
    assert tracker.find(("0", ALICE)) is None
    for log_id in log_ids[1:]:
        settled = tracker.find((log_id, ALICE))
        assert settled
        assert settled.state is DeliveryState.DELIVERED


async def test_a_listener_that_fails_keeps_nothing_from_others(
    tracker: Tracker, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    await send(tracker, ["1", "2"])
    listener.heard.clear()
    listener.fails = True
    await deliver(tracker, ["1", "2"])
    assert listener.heard == [("2", DeliveryState.DELIVERED)]
    assert "somebody else's mistake" in caplog.text
    # It was announced as well as could be, and is not announced again.
    assert tracker.unsettled == []
    await send(tracker, ["3"])
    assert listener.heard[1:] == [("3", DeliveryState.QUEUED)]


@pytest.mark.parametrize("seconds", [0, 3600])
async def test_what_is_final_is_not_waited_for(
    tracker: Tracker, seconds: float
) -> None:
    await send(tracker, ["1"])
    await deliver(tracker, ["1"])
    key, unknown = ("1", ALICE), ("2", ALICE)
    found = await tracker.async_wait([key, unknown], seconds)
    assert {key: sms.state for key, sms in found.items()} == {
        key: DeliveryState.DELIVERED
    }
    assert not tracker.is_awaited


async def test_what_is_open_is_waited_for_only_as_long_as_there_is_time(
    tracker: Tracker,
) -> None:
    await send(tracker, ["1"])
    found = await tracker.async_wait([("1", ALICE)], 0)
    assert found["1", ALICE].state is DeliveryState.QUEUED
    assert not tracker.is_awaited
