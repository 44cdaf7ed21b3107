"""What became of the requests, without anything private."""

import pytest

from custom_components.zoho_voice.errors import NotLoadedError
from custom_components.zoho_voice.sending.outcomes import (
    MAX_FAILURES,
    Failure,
    Outcomes,
)
from custom_components.zoho_voice.zoho.errors import (
    CannotConnectError,
    MissingScopeError,
    RejectedError,
    ServerFailedError,
    SignInError,
    ThrottledError,
    TimedOutError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.models import Receipt

SENDER_ID = "+18885550100"
ACCEPTED = [Receipt("+14805550100", {})]
REFUSED = RejectedError("ZVSMS-4027", "Bad Request")


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def outcomes(now: list[float]) -> Outcomes:
    return Outcomes(lambda: now[0])


def test_requests_are_counted_by_how_they_ended(
    outcomes: Outcomes, now: list[float]
) -> None:
    outcomes.record(ACCEPTED)
    now[0] = 2000.0
    outcomes.record(ACCEPTED)
    now[0] = 3000.0
    for err in (
        CannotConnectError("ClientConnectorDNSError"),
        CannotConnectError("ClientConnectorError"),
        NotLoadedError(),
        ThrottledError("TOO_MANY_REQUESTS"),
        ThrottledError("TOO_MANY_REQUESTS", retry_after=60),
        SignInError("INVALID_OAUTHTOKEN"),
        MissingScopeError("OAUTH_SCOPE_MISMATCH"),
        REFUSED,
        RejectedError("ZVT011"),
        TimedOutError(),
        ServerFailedError("HTTP 503"),
    ):
        outcomes.record(err)
    assert outcomes.requests == {
        "accepted": 2,
        "cannot_connect": 2,
        "account_unloaded": 1,
        "throttled": 1,
        "throttled_for": 1,
        "sign_in_required": 1,
        "missing_scope": 1,
        "bad_request": 1,
        "wrong_status_callback": 1,
        "timed_out": 1,
        "server_failed": 1,
    }
    assert outcomes.last_success == 2000.0
    assert len(outcomes.failures) == MAX_FAILURES
    assert outcomes.failures[0] == Failure(
        3000.0, "cannot_connect", "ClientConnectorError"
    )
    assert [failure.code for failure in outcomes.failures] == [
        "ClientConnectorError",
        None,
        "TOO_MANY_REQUESTS",
        "TOO_MANY_REQUESTS",
        "INVALID_OAUTHTOKEN",
        "OAUTH_SCOPE_MISMATCH",
        "ZVSMS-4027",
        "ZVT011",
        None,
        "HTTP 503",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "+14805550100",
        "4805550100",
        "ZVSMS-4805550100",
        "Number 4805550100",
        "Water in the cellar!",
        "A" * 41,
        "{'a': 1}",
        "ZVSMS-4027\nWater",
    ],
)
@pytest.mark.parametrize("kind", [RejectedError, ServerFailedError])
def test_code_that_may_say_anything_is_not_kept(
    outcomes: Outcomes, kind: type[ZohoError], code: str
) -> None:
    outcomes.record(kind(code, "Water in the cellar for +14805550100"))
    (failure,) = outcomes.failures
    assert failure.code is None


def test_sender_is_refused_until_it_is_accepted(outcomes: Outcomes) -> None:
    outcomes.record(REFUSED, SENDER_ID)
    outcomes.record(REFUSED)
    outcomes.record(ACCEPTED)
    outcomes.record(ACCEPTED, "Company")
    outcomes.record(RejectedError("ZVSMS-4038"), "Company")
    outcomes.record(TimedOutError(), "Company")
    assert outcomes.refused_senders == {SENDER_ID}
    outcomes.record(REFUSED, "Company")
    outcomes.record(TimedOutError(), SENDER_ID)
    assert outcomes.refused_senders == {SENDER_ID, "Company"}
    outcomes.record(ACCEPTED, SENDER_ID)
    assert outcomes.refused_senders == {"Company"}
    outcomes.forget_refusal("Company")
    outcomes.forget_refusal("Company")
    assert outcomes.refused_senders == set()
