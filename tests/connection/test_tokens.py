"""Access tokens of an account, with a real entry and a Zoho on localhost."""

import asyncio
from collections.abc import Iterator
import logging
import time
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.connection.tokens import AccountTokens, SignInTokens
from custom_components.zoho_voice.errors import error_placeholders
from custom_components.zoho_voice.zoho.errors import (
    AccountsServerError,
    CannotConnectError,
    SignInError,
    ThrottledError,
    UnknownClientError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Sms
from sandbox import FaultKind, Sandbox, TokenRequest

from ..conftest import ALICE, SENDER_ID

SMS = Sms(message="Hi there!", data_coding=DataCoding.ENGLISH)


@pytest.fixture
def tokens(account: MockConfigEntry) -> AccountTokens:
    """Return the tokens of an account that is set up."""
    return account.runtime_data.client._tokens


@pytest.fixture
def no_pause() -> Iterator[None]:
    """Ask Zoho again at once after a refusal."""
    with patch("custom_components.zoho_voice.connection.tokens.REFUSAL_PAUSE", 0.0):
        yield


def change_token(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> None:
    """Change the stored token."""
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "token": {**entry.data["token"], **changes}}
    )


def reauth_flows(hass: HomeAssistant, entry: MockConfigEntry) -> int:
    """Return how many times the person is asked to sign in again."""
    return len([*entry.async_get_active_flows(hass, {SOURCE_REAUTH})])


@pytest.mark.clock
async def test_valid_token_is_given_without_a_request(
    account: MockConfigEntry, tokens: AccountTokens, sandbox: Sandbox
) -> None:
    assert await tokens.async_get() == account.data["token"]["access_token"]
    assert sandbox.token_requests == []


@pytest.mark.clock
@pytest.mark.parametrize("expires_in", [-3600, 0, 5])
async def test_token_that_is_over_is_renewed_once_for_all(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
    expires_in: int,
) -> None:
    old = account.data["token"]["access_token"]
    change_token(hass, account, expires_at=time.time() + expires_in)
    given = await asyncio.gather(*(tokens.async_get() for _ in range(100)))
    assert {*given} == {account.data["token"]["access_token"]} != {old}
    assert sandbox.token_requests == [TokenRequest("refresh_token", "ok")]
    assert sandbox.tokens.find_grant(f"Zoho-oauthtoken {given[0]}")
    assert account.data["token"]["expires_at"] == pytest.approx(
        time.time() + 3600, abs=60
    )


async def test_refused_token_is_renewed_once_for_all(
    account: MockConfigEntry, tokens: AccountTokens, sandbox: Sandbox
) -> None:
    refused = await tokens.async_get()
    sandbox.expire_access_tokens()
    given = await asyncio.gather(*(tokens.async_renew(refused) for _ in range(100)))
    assert {*given} == {account.data["token"]["access_token"]} != {refused}
    # Who comes late with the same one gets what is there by now.
    assert await tokens.async_renew(refused) == given[0]
    assert sandbox.token_requests == [TokenRequest("refresh_token", "ok")]


async def test_get_waits_for_a_renewal_that_is_under_way(
    tokens: AccountTokens, sandbox: Sandbox
) -> None:
    refused = await tokens.async_get()
    sandbox.add_fault(FaultKind.TOKEN_LATE, seconds=0.1)
    renewed, got = await asyncio.gather(tokens.async_renew(refused), tokens.async_get())
    assert renewed == got != refused
    assert len(sandbox.token_requests) == 1


@pytest.mark.clock
async def test_stored_token_keeps_the_refresh_token_and_gets_no_api_domain(
    hass: HomeAssistant, account: MockConfigEntry, tokens: AccountTokens
) -> None:
    token = {**account.data["token"], "expires_at": 0}
    token.pop("api_domain", None)
    others = {**account.data}
    others.pop("token")
    hass.config_entries.async_update_entry(account, data={**others, "token": token})
    access_token = await tokens.async_get()
    stored = {**account.data}
    assert stored.pop("token") == {
        "access_token": access_token,
        "refresh_token": token["refresh_token"],
        "token_type": "Bearer",
        "expires_in": 3600,
        "expires_at": pytest.approx(time.time() + 3600, abs=60),
    }
    assert stored == others


FAILURES: list[tuple[FaultKind, dict[str, Any], type[ZohoError]]] = [
    (FaultKind.TOKEN_THROTTLED, {}, ThrottledError),
    (FaultKind.TOKEN_THROTTLED, {"status": 200}, ThrottledError),
    (FaultKind.TOKEN_SERVER_ERROR, {"status": 503}, AccountsServerError),
    (FaultKind.TOKEN_HTML, {}, AccountsServerError),
    (FaultKind.TOKEN_DROP, {}, CannotConnectError),
]


@pytest.mark.parametrize(("kind", "options", "error"), FAILURES)
async def test_temporary_failure_is_shared_and_asks_nobody_to_sign_in(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
    no_pause: None,
    kind: FaultKind,
    options: dict[str, Any],
    error: type[ZohoError],
) -> None:
    refused = await tokens.async_get()
    sandbox.add_fault(kind, **options)
    outcomes = await asyncio.gather(
        *(tokens.async_renew(refused) for _ in range(50)),
        *(tokens.async_renew(refused) for _ in range(50)),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {error}
    assert len(sandbox.token_requests) == 1
    assert reauth_flows(hass, account) == 0
    # Zoho is asked again when the next one needs a token.
    assert await tokens.async_get() != refused
    assert len(sandbox.token_requests) == 2


async def test_accounts_server_that_can_not_be_reached_is_temporary(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
) -> None:
    change_token(hass, account, expires_at=0)
    await sandbox.refuse("accounts")
    with pytest.raises(CannotConnectError):
        await tokens.async_get()
    assert reauth_flows(hass, account) == 0
    await sandbox.listen("accounts")
    assert await tokens.async_get()


@pytest.mark.parametrize(
    ("error_code", "error"),
    [("invalid_code", SignInError), ("invalid_client", UnknownClientError)],
)
async def test_dead_refresh_token_asks_the_person_once(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
    error_code: str,
    error: type[ZohoError],
) -> None:
    change_token(hass, account, expires_at=0)
    sandbox.add_fault(FaultKind.TOKEN_ERROR, times=None, code=error_code)
    outcomes = await asyncio.gather(
        *(tokens.async_get() for _ in range(100)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {error}
    assert len(sandbox.token_requests) == 1
    await hass.async_block_till_done()
    assert reauth_flows(hass, account) == 1


async def test_revoked_access_asks_the_person(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
) -> None:
    sandbox.revoke_refresh_tokens()
    with pytest.raises(SignInError):
        await account.runtime_data.client.async_send_sms(SMS, SENDER_ID, [ALICE])
    await hass.async_block_till_done()
    assert reauth_flows(hass, account) == 1
    assert sandbox.token_requests == [TokenRequest("refresh_token", "invalid_code")]
    assert sandbox.sent == []


@pytest.mark.clock
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.TOKEN_THROTTLED, ThrottledError),
        (FaultKind.TOKEN_ERROR, SignInError),
    ],
)
async def test_zoho_is_left_alone_for_a_while_after_it_refused(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
    kind: FaultKind,
    error: type[ZohoError],
) -> None:
    change_token(hass, account, expires_at=0)
    sandbox.add_fault(kind)
    for _ in range(3):
        with pytest.raises(error):
            await tokens.async_get()
    assert len(sandbox.token_requests) == 1
    assert tokens._refused_until == pytest.approx(hass.loop.time() + 60, abs=10)
    tokens._refused_until = hass.loop.time()
    assert await tokens.async_get()
    assert len(sandbox.token_requests) == 2


@pytest.mark.clock
async def test_token_that_was_put_in_meanwhile_is_given_in_spite_of_a_refusal(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
) -> None:
    change_token(hass, account, expires_at=0)
    sandbox.add_fault(FaultKind.TOKEN_ERROR)
    with pytest.raises(SignInError):
        await tokens.async_get()
    new = sandbox.issue_token()
    change_token(hass, account, **new, expires_at=time.time() + 3600)
    assert await tokens.async_get() == new["access_token"]


# Renewed in vain


async def test_token_that_was_renewed_in_vain_is_not_renewed_again(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.UNAUTHORIZED, times=None)
    for _ in range(3):
        with pytest.raises(SignInError):
            await account.runtime_data.client.async_send_sms(SMS, SENDER_ID, [ALICE])
    await hass.async_block_till_done()
    assert sandbox.token_requests == [TokenRequest("refresh_token", "ok")]
    # The first message was tried with two tokens.
    assert len(sandbox.requests) == 4
    assert reauth_flows(hass, account) == 1


async def test_missing_scope_asks_the_person_without_a_renewal(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.MISSING_SCOPE)
    with pytest.raises(SignInError):
        await account.runtime_data.client.async_send_sms(SMS, SENDER_ID, [ALICE])
    await hass.async_block_till_done()
    assert sandbox.token_requests == []
    assert reauth_flows(hass, account) == 1


async def test_many_messages_with_a_refused_token_are_sent_once_each(
    account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.expire_access_tokens()
    numbers = [f"+148055501{index:02}" for index in range(50)]
    client = account.runtime_data.client
    await asyncio.gather(
        *(client.async_send_sms(SMS, SENDER_ID, [number]) for number in numbers)
    )
    assert sorted(sms.number for sms in sandbox.sent) == numbers
    assert sandbox.token_requests == [TokenRequest("refresh_token", "ok")]


# Callers that are cancelled


async def test_cancelled_caller_does_not_take_the_token_from_the_others(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
) -> None:
    change_token(hass, account, expires_at=0)
    sandbox.add_fault(FaultKind.TOKEN_LATE, seconds=0.2)
    callers = [asyncio.create_task(tokens.async_get()) for _ in range(3)]
    await asyncio.sleep(0.05)
    callers[0].cancel()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [account.data["token"]["access_token"]] * 2
    assert len(sandbox.token_requests) == 1


async def test_renewal_goes_on_when_all_callers_are_cancelled(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
) -> None:
    old = account.data["token"]["access_token"]
    change_token(hass, account, expires_at=0)
    sandbox.add_fault(FaultKind.TOKEN_LATE, seconds=0.1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(tokens.async_get(), 0.02)
    assert await tokens.async_get() != old
    assert len(sandbox.token_requests) == 1


@pytest.mark.parametrize("others", [0, 2])
async def test_failure_after_a_caller_was_cancelled_is_no_error_in_the_log(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tokens: AccountTokens,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    others: int,
) -> None:
    change_token(hass, account, expires_at=0)
    sandbox.revoke_refresh_tokens()
    sandbox.add_fault(FaultKind.TOKEN_LATE, seconds=0.1)
    callers = [asyncio.create_task(tokens.async_get()) for _ in range(1 + others)]
    await asyncio.sleep(0.05)
    callers[0].cancel()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[1:]] == [SignInError] * others
    await hass.async_block_till_done()
    assert reauth_flows(hass, account) == 1
    assert [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR
    ] == []


# A sign-in that is no entry yet


async def test_sign_in_has_one_token_only() -> None:
    tokens = SignInTokens("1000.access")
    assert await tokens.async_get() == "1000.access"
    with pytest.raises(SignInError):
        await tokens.async_renew("1000.access")
    tokens.sign_in_refused("1000.access")
    assert await tokens.async_get() == "1000.access"


async def send_hello(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "zoho_voice",
        "send_sms",
        {"recipients": ALICE, "message": "Hello"},
        blocking=True,
    )


@pytest.fixture
async def throttled(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Let Zoho throttle a renewal, once."""
    sandbox.expire_access_tokens()
    sandbox.add_fault(FaultKind.TOKEN_THROTTLED)
    with pytest.raises(HomeAssistantError) as caught:
        await send_hello(hass)
    assert caught.value.translation_key == "throttled"
    assert len(sandbox.token_requests) == 1


async def test_hold_off_says_how_long_is_left(
    hass: HomeAssistant, throttled: None, tokens: AccountTokens, sandbox: Sandbox
) -> None:
    end = tokens._refused_until
    for left, said in ((60.0, "60"), (39.5, "40"), (0.5, "1")):
        with (
            patch.object(hass.loop, "time", lambda now=end - left: now),
            pytest.raises(ThrottledError) as caught,
        ):
            await tokens.async_get()
        assert caught.value.retry_after == left
        assert error_placeholders(caught.value)["seconds"] == said
    with pytest.raises(HomeAssistantError, match="Try again in 60 seconds"):
        await send_hello(hass)
    with patch.object(hass.loop, "time", lambda: end + 0.5):
        await tokens.async_get()
    assert len(sandbox.token_requests) == 2


@pytest.mark.parametrize("way", ["reload", "another sender", "the same sender"])
async def test_hold_off_ends_with_a_reload(
    hass: HomeAssistant,
    account: MockConfigEntry,
    throttled: None,
    sandbox: Sandbox,
    way: str,
) -> None:
    if way == "reload":
        await hass.config_entries.async_reload(account.entry_id)
    else:
        result = await account.start_reconfigure_flow(hass)
        sender = SENDER_ID if way == "the same sender" else "ZohoVoice"
        await hass.config_entries.flow.async_configure(
            result["flow_id"], {"sender_id": sender}
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    await send_hello(hass)
    assert len(sandbox.sent) == 1


async def test_token_that_dies_during_a_throttle_asks_the_person_at_the_next_try(
    hass: HomeAssistant,
    account: MockConfigEntry,
    throttled: None,
    tokens: AccountTokens,
    sandbox: Sandbox,
) -> None:
    sandbox.revoke_refresh_tokens()
    with pytest.raises(HomeAssistantError) as caught:
        await send_hello(hass)
    assert caught.value.translation_key == "throttled_for"
    assert reauth_flows(hass, account) == 0
    tokens._refused_until = 0.0
    with pytest.raises(HomeAssistantError) as caught:
        await send_hello(hass)
    assert caught.value.translation_key == "sign_in_required"
    await hass.async_block_till_done()
    assert reauth_flows(hass, account) == 1


async def test_each_failing_call_makes_sure_that_one_can_sign_in(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.revoke_refresh_tokens()
    sandbox.expire_access_tokens()
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as caught:
            await send_hello(hass)
        assert caught.value.translation_key == "sign_in_required"
        await hass.async_block_till_done()
        [flow] = account.async_get_active_flows(hass, {SOURCE_REAUTH})
        hass.config_entries.flow.async_abort(flow["flow_id"])
    assert len(sandbox.token_requests) == 1
