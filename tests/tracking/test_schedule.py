"""When the message log is asked for."""

import pytest

from custom_components.zoho_voice.tracking.schedule import seconds_to_next_look

NOW = 1_764_831_248.0
HOUR = 3600.0


@pytest.mark.parametrize(
    ("ages", "incoming_interval", "expected"),
    [
        ([], 0, None),
        ([], 60, 60),
        ([], 300, 300),
        ([10], 0, 60),
        ([10], 300, 60),
        ([10], 30, 30),
        ([HOUR - 1], 0, 60),
        ([HOUR], 0, 600),
        ([2 * HOUR], 300, 300),
        ([2 * HOUR, 10], 0, 60),
        ([24 * HOUR - 1], 0, 600),
        ([24 * HOUR], 0, None),
        ([72 * HOUR], 900, 900),
        # Scheduled, or by a clock that is ahead of ours.
        ([-5], 0, 60),
        ([-3 * HOUR], 0, 3 * HOUR),
        ([-3 * HOUR, 2 * HOUR], 0, 600),
    ],
)
def test_it_is_asked_for_as_often_as_news_is_likely(
    ages: list[float], incoming_interval: float, expected: float | None
) -> None:
    submitted = [NOW - age for age in ages]
    assert seconds_to_next_look(NOW, submitted, incoming_interval) == expected


def test_what_could_not_be_finished_goes_on_soon() -> None:
    assert seconds_to_next_look(NOW, [], 0, is_unfinished=True) == 60
    assert seconds_to_next_look(NOW, [], 900, is_unfinished=True) == 60
