"""When to ask for the message log."""

from collections.abc import Iterable

#: How often to ask while a report is likely, and while it is not (seconds).
FAST = 60.0
SLOW = 600.0
#: How old a message may be for the one and for the other (seconds).
FRESH = 60 * 60.0
UNSETTLED = 24 * 60 * 60.0


def seconds_to_next_look(
    now: float,
    submitted: Iterable[float],
    incoming_interval: float,
    *,
    is_unfinished: bool = False,
) -> float | None:
    """Return how long to wait before the next look, None if there is nothing to see.

    `submitted` are the times of the messages without a final state, the latest first,
    which may lie in the future if they are scheduled (both seconds since the epoch).
    `incoming_interval` is how often to ask for incoming SMS (seconds, 0: never).
    `is_unfinished`: there was more to read than one look may, or more to write than
    could be.
    """
    waits = [incoming_interval] if incoming_interval else []
    if is_unfinished:
        waits.append(FAST)
    for time in submitted:
        if now - time < UNSETTLED:
            waits.append(_wait(now - time))
            if waits[-1] == FAST:
                # There may be thousands, and none is waited for less.
                break
    return min(waits, default=None)


def _wait(age: float) -> float:
    """Return how long to wait for news of a message of an age (seconds)."""
    return max(FAST, -age) if age < FRESH else SLOW
