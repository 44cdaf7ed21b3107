"""What happened: who was told what, what Zoho holds, what the outbox says.

Plain records, so that a verdict can be reached without anything running. Whatever else
is to be followed later gets a record here, and checks of its own in `verdict.CHECKS`.
"""

from collections.abc import Mapping, Sequence, Set as AbstractSet
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


class Channel(StrEnum):
    """How Home Assistant can hear of something."""

    CALLBACK = "report by callback"
    """And from the message log."""
    LOG = "report by log"
    REPLY = "incoming SMS"


#: The state of what came in.
RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class News:
    """What Zoho knows for good of one SMS: what became of it, or that it came in."""

    log_id: str
    number: str
    text: str
    state: str
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What Home Assistant told of one SMS, in the words of `DeliveryState`.

    It was an automation that heard of it, or, with an `entity_id`, an event that shows
    it as of a `moment`: it may show the same again. `at` is seconds since the epoch.
    """

    log_id: str
    state: str
    at: float
    number: str = ""
    text: str = ""
    entity_id: str = ""
    moment: str = ""


@dataclass(slots=True)
class History:
    """All that is known at some moment.

    `asked_at` is when the outbox was asked for the last time: what was promised after
    that can't be judged yet. `waiting` is what it said then, `ended` are all the
    reports it ever gave. `held` is in the order in which Zoho accepted it. `settled` is
    what holds once nobody calls any more and Zoho has long been there, and what it
    knows could be heard.

    `cut` are the log ids of news that were written down just before a kill that kept
    them from being told: they are given up rather than told twice. `just_accepted` are
    those of SMS that Zoho took just before a kill that kept them from being followed.
    """

    calls: Sequence[Call]
    held: Sequence[Sms]
    waiting: Sequence[Row] = ()
    ended: Sequence[Row] = ()
    asked_at: float = math.inf
    settled: bool = False
    news: Sequence[News] = ()
    announcements: Sequence[Announcement] = ()
    cut: AbstractSet[str] = frozenset()
    just_accepted: AbstractSet[str] = frozenset()
