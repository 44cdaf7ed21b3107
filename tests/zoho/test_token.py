"""Tokens, and the replies that bring them or do not."""

import json
from typing import Any
from unittest.mock import patch

from aiohttp import ClientSession
from hypothesis import given, settings, strategies as st
import pytest

from custom_components.zoho_voice.zoho.data_center import DataCenter
from custom_components.zoho_voice.zoho.errors import (
    AccountsServerError,
    CannotConnectError,
    RejectedError,
    SignInError,
    ThrottledError,
    UnknownClientError,
    WrongClientSecretError,
    WrongRedirectUriError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.token import (
    async_request_token,
    async_revoke_token,
    read_token_reply,
)
from sandbox import FaultKind, Sandbox, TokenRequest
from sandbox.faults import Endpoint

from .conftest import OddZoho

GRANTED = {
    "access_token": "1000.access",
    "refresh_token": "1000.refresh",
    "api_domain": "https://www.zohoapis.com",
    "token_type": "Bearer",
    "expires_in": 3600,
}
THROTTLED = {
    "error": "Access Denied",
    "error_description": "You have made too many requests continuously. Please try"
    " again after some time.",
    "status": "failure",
}
THROTTLED_GERMAN = {
    "error": "Zugriff verweigert",
    "error_description": "Sie haben zu viele Anfragen gestellt.",
    "status": "failure",
}
HTML = "<html><body>Zoho Accounts</body></html>"


# Replies


def test_token_of_a_code_keeps_all_but_the_api_domain() -> None:
    assert read_token_reply(200, json.dumps(GRANTED).encode()) == {
        "access_token": "1000.access",
        "refresh_token": "1000.refresh",
        "token_type": "Bearer",
        "expires_in": 3600,
    }


def test_token_of_a_refresh_token_brings_no_refresh_token() -> None:
    reply = {**GRANTED}
    del reply["refresh_token"]
    assert read_token_reply(200, json.dumps(reply).encode()) == {
        "access_token": "1000.access",
        "token_type": "Bearer",
        "expires_in": 3600,
    }


@pytest.mark.parametrize(
    ("changes", "expires_in"),
    [
        ({"expires_in": "3600"}, 3600),
        ({"expires_in": 1800.9}, 1800),
        ({"expires_in": " 60 "}, 60),
        ({"error": None}, 3600),
        ({"error": ""}, 3600),
        ({"status": "success"}, 3600),
    ],
)
def test_token_that_is_written_in_another_way(
    changes: dict[str, Any], expires_in: int
) -> None:
    token = read_token_reply(200, json.dumps(GRANTED | changes).encode())
    assert token["access_token"] == "1000.access"
    assert token["expires_in"] == expires_in
    assert type(token["expires_in"]) is int


@pytest.mark.parametrize(
    ("scope", "kept"),
    [("ZohoVoice.sms.CREATE ZohoVoice.sms.READ", True), (None, False), (["a"], False)],
)
def test_scope_is_kept_where_zoho_tells_it(scope: Any, kept: bool) -> None:
    token = read_token_reply(200, json.dumps(GRANTED | {"scope": scope}).encode())
    assert token.get("scope") == (scope if kept else None)


def test_token_without_a_life_time_or_type_gets_the_documented_ones() -> None:
    token = read_token_reply(200, b'{"access_token": "1000.access"}')
    assert token == {
        "access_token": "1000.access",
        "token_type": "Bearer",
        "expires_in": 3600,
    }


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        ("invalid_code", SignInError),
        ("invalid_grant", SignInError),
        ("invalid_client", UnknownClientError),
        ("invalid_client_secret", WrongClientSecretError),
        ("invalid_redirect_uri", WrongRedirectUriError),
        ("unsupported_grant_type", RejectedError),
        ("something_new", RejectedError),
    ],
)
def test_error_counts_whatever_the_status(
    status: int, error: str, error_class: type[ZohoError]
) -> None:
    with pytest.raises(ZohoError) as raised:
        read_token_reply(status, json.dumps({"error": error}).encode())
    assert type(raised.value) is error_class
    assert raised.value.code == error


@pytest.mark.parametrize(
    ("status", "reply", "error_class", "code"),
    [
        (400, json.dumps(THROTTLED), ThrottledError, "Access Denied"),
        (200, json.dumps(THROTTLED), ThrottledError, "Access Denied"),
        (400, json.dumps(THROTTLED_GERMAN), ThrottledError, "Zugriff verweigert"),
        (200, json.dumps(THROTTLED_GERMAN), ThrottledError, "Zugriff verweigert"),
        (429, "", ThrottledError, None),
        (429, HTML, ThrottledError, None),
        (500, HTML, AccountsServerError, "HTTP 500"),
        (502, "", AccountsServerError, "HTTP 502"),
        (503, json.dumps({"error": "invalid_code"}), AccountsServerError, "HTTP 503"),
        (503, json.dumps(GRANTED), AccountsServerError, "HTTP 503"),
        (200, HTML, AccountsServerError, "HTTP 200"),
        (200, "", AccountsServerError, "HTTP 200"),
        (200, "[]", AccountsServerError, "HTTP 200"),
        (200, "{}", AccountsServerError, "HTTP 200"),
        (200, '{"access_token": ""}', AccountsServerError, "HTTP 200"),
        (200, '{"access_token": null}', AccountsServerError, "HTTP 200"),
        (200, '{"access_token": 7}', AccountsServerError, "HTTP 200"),
        (200, '{"access_token": "a b"}', AccountsServerError, "HTTP 200"),
        (200, '{"access_token": "a\\r\\nX: y"}', AccountsServerError, "HTTP 200"),
        (200, '{"access_token": "\\u0000"}', AccountsServerError, "HTTP 200"),
        (200, '{"access_token": "\\ud800"}', AccountsServerError, "HTTP 200"),
        (200, '{"access_token": "\u00e9"}', AccountsServerError, "HTTP 200"),
        (302, "", RejectedError, "HTTP 302"),
        (400, HTML, RejectedError, "HTTP 400"),
        (403, json.dumps(GRANTED), RejectedError, "HTTP 403"),
        (404, HTML, RejectedError, "HTTP 404"),
    ],
)
def test_reply_without_a_token(
    status: int, reply: str, error_class: type[ZohoError], code: str | None
) -> None:
    with pytest.raises(ZohoError) as raised:
        read_token_reply(status, reply.encode())
    assert type(raised.value) is error_class
    if code is not None:
        assert raised.value.code == code


@pytest.mark.parametrize(
    "expires_in",
    [
        "soon",
        "",
        None,
        [],
        {},
        "1e3",
        float("inf"),
        float("nan"),
        0,
        -1,
        False,
        365 * 86_400 + 1,
        1e300,
        "9" * 400,
    ],
)
def test_life_time_that_is_none_is_a_failure_of_the_server(expires_in: Any) -> None:
    with pytest.raises(AccountsServerError):
        read_token_reply(200, json.dumps(GRANTED | {"expires_in": expires_in}).encode())


@pytest.mark.parametrize("refresh_token", [None, "", 7, ["a"], {"a": 1}, "a\r\nb"])
def test_refresh_token_that_is_none_is_left_out(refresh_token: Any) -> None:
    reply = GRANTED | {"refresh_token": refresh_token, "token_type": ["Bearer"]}
    assert read_token_reply(200, json.dumps(reply).encode()) == {
        "access_token": "1000.access",
        "token_type": "Bearer",
        "expires_in": 3600,
    }


def test_error_shows_zohos_words_but_not_in_a_log() -> None:
    with pytest.raises(ThrottledError) as raised:
        read_token_reply(400, json.dumps(THROTTLED).encode())
    assert raised.value.message == THROTTLED["error_description"]
    assert "continuously" not in f"{raised.value} {raised.value!r}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)
FIELDS = [*GRANTED, "error", "error_description", "status"]


@settings(deadline=None)
@given(
    st.integers(200, 599),
    st.text()
    | st.dictionaries(st.sampled_from(FIELDS), JSON).map(json.dumps)
    | st.dictionaries(st.sampled_from(FIELDS), JSON).map(
        lambda changes: json.dumps(GRANTED | changes)
    ),
)
def test_every_reply_is_a_token_or_an_error(status: int, text: str) -> None:
    try:
        token = read_token_reply(status, text.encode())
    except ZohoError as err:
        assert not isinstance(err, CannotConnectError)  # noqa: PT017
    else:
        assert token["access_token"]
        assert isinstance(token["access_token"], str)
        assert isinstance(token["expires_in"], int)
        assert "api_domain" not in token


# Requests


def refresh(sandbox: Sandbox, **changes: str) -> dict[str, str]:
    """Return the data of a refresh."""
    return {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": sandbox.issue_token()["refresh_token"],
    } | changes


async def test_refresh_token_brings_a_token_that_zoho_takes(
    http: ClientSession, data_center: DataCenter, sandbox: Sandbox
) -> None:
    token = await async_request_token(http, data_center, refresh(sandbox))
    assert token.keys() == {"access_token", "token_type", "expires_in"}
    assert sandbox.tokens.find_grant(f"Zoho-oauthtoken {token['access_token']}")
    assert sandbox.token_requests == [TokenRequest("refresh_token", "ok")]


async def test_code_brings_a_refresh_token(
    http: ClientSession, data_center: DataCenter, sandbox: Sandbox
) -> None:
    [redirect_uri] = sandbox.redirect_uris
    code = sandbox.tokens.new_code(
        sandbox.account,
        ["ZohoVoice.sms.CREATE"],
        redirect_uri,
        with_refresh_token=True,
    )
    data = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
        "code": code,
    }
    token = await async_request_token(http, data_center, data)
    assert token["refresh_token"]
    # A code works once.
    with pytest.raises(SignInError):
        await async_request_token(http, data_center, data)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1000.OTHER"}, UnknownClientError),
        ({"client_secret": "other"}, WrongClientSecretError),
        ({"refresh_token": "1000.dead"}, SignInError),
        ({"grant_type": "other"}, RejectedError),
    ],
)
async def test_zoho_refuses(
    http: ClientSession,
    data_center: DataCenter,
    sandbox: Sandbox,
    changes: dict[str, str],
    error: type[ZohoError],
) -> None:
    with pytest.raises(ZohoError) as raised:
        await async_request_token(http, data_center, refresh(sandbox, **changes))
    assert type(raised.value) is error


FAULTS: dict[FaultKind, tuple[dict[str, Any], type[ZohoError]]] = {
    FaultKind.TOKEN_LATE: ({"seconds": 5}, CannotConnectError),
    FaultKind.TOKEN_ERROR: ({}, SignInError),
    FaultKind.TOKEN_THROTTLED: ({"status": 200}, ThrottledError),
    FaultKind.TOKEN_SERVER_ERROR: ({"status": 503}, AccountsServerError),
    FaultKind.TOKEN_HTML: ({}, AccountsServerError),
    FaultKind.TOKEN_DROP: ({}, CannotConnectError),
}


def test_every_fault_of_tokens_is_tested() -> None:
    # NO_REFRESH_TOKEN is no error here: what it means is up to the caller.
    assert FAULTS.keys() | {FaultKind.NO_REFRESH_TOKEN} == {
        kind for kind in FaultKind if kind.endpoint is Endpoint.TOKEN
    }


@pytest.mark.parametrize("kind", FAULTS)
async def test_fault_raises_its_error_after_one_request(
    http: ClientSession, data_center: DataCenter, sandbox: Sandbox, kind: FaultKind
) -> None:
    options, error = FAULTS[kind]
    sandbox.add_fault(kind, times=None, **options)
    with (
        patch("custom_components.zoho_voice.zoho.token.TIMEOUT", 0.2),
        pytest.raises(ZohoError) as raised,
    ):
        await async_request_token(http, data_center, refresh(sandbox))
    assert type(raised.value) is error
    assert len(sandbox.token_requests) == 1


async def test_throttle_of_many_renewals_is_temporary(
    http: ClientSession, data_center: DataCenter, sandbox: Sandbox
) -> None:
    data = refresh(sandbox)
    for _ in range(sandbox.limits.throttle_tokens):
        await async_request_token(http, data_center, data)
    with pytest.raises(ThrottledError):
        await async_request_token(http, data_center, data)


async def test_refused_connection(
    http: ClientSession, data_center: DataCenter, sandbox: Sandbox
) -> None:
    await sandbox.refuse("accounts")
    with pytest.raises(CannotConnectError):
        await async_request_token(http, data_center, refresh(sandbox))
    with pytest.raises(CannotConnectError):
        await async_revoke_token(http, data_center, "1000.refresh")


async def test_secret_is_not_carried_to_where_a_redirect_points(
    http: ClientSession, odd_zoho: OddZoho
) -> None:
    odd_zoho.answer = {
        "status": 307,
        "headers": {"Location": f"{odd_zoho.url}/elsewhere"},
    }
    with pytest.raises(RejectedError):
        await async_request_token(
            http, DataCenter(odd_zoho.url, odd_zoho.url), {"client_secret": "x"}
        )
    assert odd_zoho.requests == ["POST /oauth/v2/token"]


# Revoking


async def test_revoked_token_is_worthless(
    http: ClientSession, data_center: DataCenter, sandbox: Sandbox
) -> None:
    data = refresh(sandbox)
    await async_revoke_token(http, data_center, data["refresh_token"])
    assert sandbox.revoked == [data["refresh_token"]]
    with pytest.raises(SignInError):
        await async_request_token(http, data_center, data)


async def test_token_that_zoho_does_not_know_can_not_be_revoked(
    http: ClientSession, data_center: DataCenter, sandbox: Sandbox
) -> None:
    with pytest.raises(RejectedError):
        await async_revoke_token(http, data_center, "1000.unknown")
    assert sandbox.revoked == []


@pytest.mark.parametrize(
    ("answer", "revoked"),
    [
        ({"text": ""}, True),
        ({"text": '{"status": "success"}'}, True),
        ({"text": '{"error": "invalid_token"}'}, False),
        ({"text": "", "status": 302}, False),
        ({"text": "", "status": 400}, False),
        ({"text": HTML, "status": 500}, False),
    ],
)
async def test_answers_to_revoking(
    http: ClientSession, odd_zoho: OddZoho, answer: dict[str, Any], revoked: bool
) -> None:
    odd_zoho.answer = answer
    data_center = DataCenter(odd_zoho.url, odd_zoho.url)
    if revoked:
        await async_revoke_token(http, data_center, "1000.refresh")
    else:
        with pytest.raises(RejectedError) as raised:
            await async_revoke_token(http, data_center, "1000.refresh")
        assert "1000.refresh" not in repr(raised.value)
    assert odd_zoho.requests == ["POST /oauth/v2/token/revoke"]
