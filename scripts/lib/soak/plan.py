"""What is to happen, drawn from a seed: how long Home Assistant lives, what breaks."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice, pairwise
from random import Random

from sandbox import FaultKind


class Trouble(StrEnum):
    """What breaks while Home Assistant lives."""

    AWAY = "Zoho away"
    SLOW = "Zoho slow"
    EXPIRED = "access token expired"
    NO_TOKEN = "no new access token"  # noqa: S105
    RELOADED = "account reloaded"
    CLEARED = "outbox cleared for a number"
    UNREADABLE = "message log away"


class End(StrEnum):
    """When Home Assistant is killed."""

    ANY_MOMENT = "at any moment"
    """At any moment."""
    AWAY = "Zoho away"
    """While Zoho is away, which it still is when Home Assistant is there again."""
    BACK = "Zoho back"
    """When Zoho is back, and has just accepted something that has waited."""
    TOLD = "something told"
    """When Home Assistant has just told what became of an SMS, or what came in."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done.

    `ends` are the ways in which Home Assistant is killed, in turns. `limit` is how long
    all of it may take on a slow machine (seconds).
    """

    calls: int
    kills: int
    limit: float
    ends: tuple[End, ...] = (End.BACK, End.TOLD, End.AWAY)


FULL = Scale(
    calls=2000,
    kills=10,
    limit=1500,
    ends=(End.BACK, End.TOLD, End.AWAY, End.ANY_MOMENT),
)
QUICK = Scale(calls=300, kills=3, limit=600)
#: To break the product and notice it soon.
PROOF = Scale(calls=240, kills=4, limit=600, ends=(End.BACK, End.AWAY))
PROOF_TOLD = Scale(calls=160, kills=4, limit=600, ends=(End.TOLD,))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that breaks once so many calls of a life were made.

    Zoho is away, slow or unreadable for `seconds`; `fault` is what comes instead of a
    new token, or of the message log.
    """

    after: int
    trouble: Trouble
    seconds: float = 0.0
    fault: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """From a start of Home Assistant to its end, None for the last one.

    The end is due after `calls`: `seconds` later, or, once Zoho is back after so many
    seconds, when it has accepted so many SMS that had `waited`. What is away for that
    is its accounts server if there are `no_tokens`. Or it is due when so much was told
    as otherwise has `waited`.
    """

    calls: int
    events: tuple[Event, ...]
    end: End | None
    seconds: float
    waited: int
    no_tokens: bool


#: How long Zoho is away (seconds): a call gives up after four and is kept.
_AWAY = (3.0, 7.0)
#: How likely each trouble is in a life.
_CHANCES = {
    Trouble.AWAY: 0.6,
    Trouble.SLOW: 0.6,
    Trouble.EXPIRED: 0.7,
    Trouble.NO_TOKEN: 0.5,
    Trouble.RELOADED: 0.5,
    Trouble.CLEARED: 0.5,
    Trouble.UNREADABLE: 0.5,
}
#: What the accounts server may answer to a request for a token.
_TOKEN_FAULTS = (
    FaultKind.TOKEN_THROTTLED,
    FaultKind.TOKEN_THROTTLED,
    FaultKind.TOKEN_SERVER_ERROR,
    FaultKind.TOKEN_DROP,
    FaultKind.TOKEN_HTML,
    FaultKind.TOKEN_ERROR,
)
#: What may be answered instead of the message log. The last one lasts for a life.
_LOG_FAULTS = (
    FaultKind.READ_SERVER_ERROR,
    FaultKind.READ_GARBAGE,
    FaultKind.READ_UNAUTHORIZED,
    FaultKind.READ_TOO_MANY_REQUESTS,
)


def make_plan(seed: int, scale: Scale) -> list[Life]:
    """Return the lives; the same seed has the same ones."""
    random = Random(f"plan {seed}")  # noqa: S311
    ends: list[End | None] = [*islice(cycle(scale.ends), scale.kills)]
    random.shuffle(ends)
    parts = _parts(random, scale.calls, scale.kills + 1)
    return [
        _life(random, calls, end)
        for calls, end in zip(parts, [*ends, None], strict=True)
    ]


def _parts(random: Random, total: int, count: int) -> list[int]:
    """Return parts of a number, none of them less than a third of their mean."""
    least = total // count // 3
    rest = total - least * count
    cuts = [0, *sorted(random.randint(0, rest) for _ in range(count - 1)), rest]
    return [least + end - begin for begin, end in pairwise(cuts)]


def _life(random: Random, calls: int, end: End | None) -> Life:
    events = sorted(_events(random, calls, end), key=lambda event: event.after)
    no_tokens = random.choice([True, False])
    if end is not End.BACK:
        seconds = random.uniform(0, 2)
    elif no_tokens:
        seconds = random.uniform(2, 4)
    else:
        seconds = random.uniform(*_AWAY)
    return Life(
        calls=calls,
        events=tuple(events),
        end=end,
        seconds=seconds,
        waited=random.randint(1, 10),
        no_tokens=no_tokens,
    )


def _events(random: Random, calls: int, end: End | None) -> Iterator[Event]:
    """Yield what breaks in a life."""
    for trouble, chance in _CHANCES.items():
        if random.random() >= chance:
            continue
        after = random.randrange(calls)
        if trouble is Trouble.AWAY:
            yield Event(after, trouble, seconds=random.uniform(*_AWAY))
        elif trouble is Trouble.SLOW:
            yield Event(after, trouble, seconds=random.uniform(1, 3))
        elif trouble is Trouble.UNREADABLE:
            seconds = random.uniform(5, 20)
            fault = random.choice(_LOG_FAULTS)
            yield Event(after, trouble, seconds=seconds, fault=fault)
        elif trouble is not Trouble.NO_TOKEN:
            yield Event(after, trouble)
        elif end is not End.BACK:
            # Late in a life: the accounts server may not be asked again for a minute.
            after = random.randrange(calls * 7 // 8, calls)
            yield Event(after, trouble, fault=random.choice(_TOKEN_FAULTS))
