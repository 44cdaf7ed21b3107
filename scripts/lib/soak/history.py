"""What happened: who was told what, what Zoho holds, what the outbox says.

Plain records, so that a verdict can be reached without anything running. Whatever else
is to be followed later, such as delivery reports or incoming messages, gets a record
here, and checks of its own in `verdict.CHECKS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import math
from typing import NamedTuple


class Way(StrEnum):
    """How a message is sent."""

    ENTITY = "entity"
    ACTION = "action"
    CLASSIC = "classic action"


class Told(StrEnum):
    """What the caller knows of the SMS to one number."""

    SENT = "sent"
    KEPT = "kept"
    ACCEPTED = "sent or kept"
    NOT_SENT = "nothing was sent"
    UNCLEAR = "may have been sent"
    NOTHING = "nothing"
    """The call was cut off by a kill, or is under way."""


#: What a caller relies on: such an SMS must not vanish.
PROMISES = frozenset({Told.SENT, Told.KEPT, Told.ACCEPTED})


class Sms(NamedTuple):
    """One text to one number; each text is of one call only."""

    text: str
    number: str


@dataclass(slots=True)
class Call:
    """One call; times are seconds since the epoch.

    Calls to the same number follow each other, each begun when the one before has
    ended. One that fails at once when Zoho is away (`waits` is false) may pass those
    that wait. `surprise` says what should never come of a call, empty if nothing did.
    """

    way: Way
    text: str
    numbers: tuple[str, ...]
    begun: float
    ended: float = math.inf
    told: Mapping[str, Told] = field(default_factory=dict)
    surprise: str = ""
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """What the outbox says of one message; times are seconds since the epoch."""

    message_id: str
    number: str
    created_at: float
    state: str


@dataclass(slots=True)
class History:
    """All that is known at some moment.

    `asked_at` is when the outbox was asked for the last time: what was promised after
    that can't be judged yet. `waiting` is what it said then, `ended` are all the
    reports it ever gave. `held` is in the order in which Zoho accepted it. `settled` is
    what holds once nobody calls any more and Zoho has long been there.
    """

    calls: Sequence[Call]
    held: Sequence[Sms]
    waiting: Sequence[Row] = ()
    ended: Sequence[Row] = ()
    asked_at: float = math.inf
    settled: bool = False
