"""What is counted before a request is what was sent after it."""

import math

import pytest

from custom_components.zoho_voice.sending.brakes import Repeats
from custom_components.zoho_voice.sending.permit import Permit
from custom_components.zoho_voice.sending.spending import (
    Limits,
    SpendingGuard,
    SpendingGuardError,
)
from custom_components.zoho_voice.zoho.errors import (
    CannotConnectError,
    RejectedError,
    TimedOutError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms

ALICE = "+14805550100"
BOB = "+14805550111"
SMS = Sms(message="x" * 200, data_coding=DataCoding.ENGLISH)
START = 1_764_831_248.0


class Limited:
    """An account that may spend ten segments an hour, and a clock."""

    def __init__(self) -> None:
        self.now = START
        self.guard = SpendingGuard(Limits(per_hour=10), lambda: self.now)
        self.repeats = Repeats(600, lambda: self.now)
        self.permit = Permit(self.guard, self.repeats, SMS, [ALICE, BOB])

    @property
    def spent(self) -> int:
        return self.guard.spent_last_hour

    @property
    def known(self) -> tuple[bool | None, bool | None]:
        return self.repeats.find(ALICE, SMS), self.repeats.find(BOB, SMS)


@pytest.fixture
def limited() -> Limited:
    return Limited()


def test_place_is_held_until_the_request_begins_and_counts_from_then_on(
    limited: Limited,
) -> None:
    assert limited.permit.segments == 4
    limited.permit.hold()
    assert (limited.spent, limited.known) == (4, (False, False))
    limited.now += 300
    limited.permit.book()
    assert limited.spent == 4
    limited.now = START + 3600
    assert limited.spent == 4
    limited.now = START + 3900
    assert limited.spent == 0


def test_zohos_count_takes_the_place_of_the_estimate(limited: Limited) -> None:
    limited.permit.hold()
    limited.permit.book()
    limited.permit.settle(
        [Receipt(ALICE, {"multipartCount": 3}), Receipt(BOB, {"multipartCount": 5})]
    )
    assert (limited.spent, limited.known) == (8, (True, True))


@pytest.mark.parametrize("count", [None, 0, -1, "many", True])
def test_where_zoho_counts_nothing_the_estimate_stays(
    limited: Limited, count: object
) -> None:
    limited.permit.book()
    limited.permit.settle([Receipt(ALICE, {"multipartCount": count}), Receipt(BOB, {})])
    assert limited.spent == 4


@pytest.mark.parametrize("err", [RejectedError("4027"), CannotConnectError()])
def test_what_certainly_did_not_go_is_refunded(
    limited: Limited, err: ZohoError
) -> None:
    limited.permit.hold()
    limited.permit.book()
    limited.permit.settle(err)
    assert (limited.spent, limited.known) == (0, (None, None))
    limited.permit.release([ALICE])
    limited.permit.settle(err)
    assert limited.spent == 0


def test_what_may_have_gone_stays_booked_and_is_no_certain_repeat(
    limited: Limited,
) -> None:
    limited.permit.book()
    limited.permit.settle(TimedOutError())
    assert (limited.spent, limited.known) == (4, (False, False))


def test_what_goes_with_another_request_counts_there(limited: Limited) -> None:
    limited.permit.hold()
    limited.permit.release([BOB, "+442079460018"])
    assert (limited.spent, limited.known) == (2, (False, None))
    limited.permit.book()
    limited.permit.settle([Receipt(ALICE, {})])
    limited.permit.release([BOB])
    assert (limited.spent, limited.known) == (2, (True, None))


def test_nothing_is_booked_where_there_is_no_room(limited: Limited) -> None:
    limited.permit.hold()
    limited.guard.spend(8)
    with pytest.raises(SpendingGuardError) as caught:
        limited.permit.book()
    assert (caught.value.segments, caught.value.opens_at) == (4, START + 3600)
    assert (limited.spent, limited.known) == (8, (None, None))
    limited.guard.limits = Limits(per_hour=3)
    other = Permit(limited.guard, limited.repeats, SMS, [ALICE, BOB])
    with pytest.raises(SpendingGuardError) as caught:
        other.book()
    assert caught.value.opens_at == math.inf
