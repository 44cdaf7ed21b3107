"""Every fault at Zoho, by every way to send: what is raised, sent and requested."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.zoho import client, token
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE

TEXT = "Water in the cellar"
MAY = "may have been sent"
NOTHING = "Nothing was sent"

type Send = Callable[[HomeAssistant], Awaitable[Any]]


async def send_to_entity(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.alice", "message": TEXT},
        blocking=True,
    )


async def send_by_action(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "zoho_voice",
        "send_sms",
        {"recipients": ALICE, "message": TEXT},
        blocking=True,
        return_response=True,
    )


async def send_by_classic_action(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "notify", "zoho_voice", {"target": "Alice", "message": TEXT}, blocking=True
    )


WAYS = [send_to_entity, send_by_action, send_by_classic_action]


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    kind: FaultKind
    options: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    outcome: str = ""
    said: str = ""
    sent: int = 0
    requests: int = 1
    reauth: bool = False

    def __str__(self) -> str:
        return " ".join([self.kind, *map(str, self.options.values())])


def rejected(kind: FaultKind, code: str, message: str, error: str) -> Row:
    return Row(
        kind,
        {"code": code, "message": message},
        error=error,
        outcome=NOTHING,
        said=f"{message} ({code})",
    )


SEND_FAULTS = [
    Row(FaultKind.LATE, {"seconds": 2}, "timed_out", MAY, sent=1),
    Row(FaultKind.DROP_BEFORE, {}, "connection_lost", MAY),
    Row(FaultKind.DROP_AFTER, {}, "connection_lost", MAY, sent=1),
    Row(FaultKind.TOO_MANY_REQUESTS, {}, "throttled", NOTHING),
    Row(FaultKind.TOO_MANY_REQUESTS, {"retry_after": 0}, sent=1, requests=2),
    Row(
        FaultKind.TOO_MANY_REQUESTS,
        {"retry_after": 3600},
        "throttled_for",
        NOTHING,
        said="Try again in 3600 seconds",
    ),
    Row(
        FaultKind.TOO_MANY_REQUESTS,
        {"retry_after": 0, "times": None},
        "throttled_for",
        NOTHING,
        requests=3,
    ),
    *(
        Row(
            FaultKind.SERVER_ERROR,
            {"status": status},
            "server_failed",
            MAY,
            said=f"HTTP {status}",
        )
        for status in (500, 502, 503)
    ),
    Row(FaultKind.SERVER_ERROR_AFTER, {}, "server_failed", MAY, sent=1),
    Row(FaultKind.EMPTY_REPLY, {}, "unreadable_reply", MAY, sent=1),
    Row(FaultKind.HTML_REPLY, {}, "unreadable_reply", MAY, sent=1),
    Row(FaultKind.TRUNCATED_REPLY, {}, "unreadable_reply", MAY, sent=1),
    *(
        rejected(kind, code, message, error)
        for kind in (FaultKind.ERROR_200, FaultKind.ERROR_400)
        for code, message, error in (
            ("ZVSMS-4027", "Bad Request", "bad_request"),
            ("ZVSMS-4038", "Destination not supported", "country_not_supported"),
            ("ZVT011", "Given URL is wrong", "wrong_status_callback"),
            ("ZVSMS-4711", "Something new", "rejected"),
        )
    ),
    Row(FaultKind.UNAUTHORIZED, {}, sent=1, requests=2),
    Row(
        FaultKind.UNAUTHORIZED,
        {"times": None},
        "sign_in_required",
        NOTHING,
        said="INVALID_OAUTHTOKEN",
        requests=2,
        reauth=True,
    ),
    Row(
        FaultKind.MISSING_SCOPE,
        {},
        "missing_scope",
        NOTHING,
        said="OAUTH_SCOPE_MISMATCH",
        reauth=True,
    ),
]

# With an access token that Zoho no longer takes: the first request gets a 401.
TOKEN_FAULTS = [
    Row(FaultKind.TOKEN_LATE, {"seconds": 0.2}, sent=1, requests=2),
    Row(FaultKind.TOKEN_LATE, {"seconds": 2}, "cannot_connect", NOTHING),
    Row(
        FaultKind.TOKEN_ERROR,
        {"code": "invalid_code"},
        "sign_in_required",
        NOTHING,
        said="invalid_code",
        reauth=True,
    ),
    Row(
        FaultKind.TOKEN_ERROR,
        {"code": "invalid_client"},
        "unknown_client",
        NOTHING,
        said="invalid_client",
        reauth=True,
    ),
    Row(
        FaultKind.TOKEN_ERROR,
        {"code": "invalid_client_secret"},
        "wrong_client_secret",
        NOTHING,
        said="invalid_client_secret",
        reauth=True,
    ),
    Row(
        FaultKind.TOKEN_ERROR,
        {"code": "brand_new"},
        "rejected",
        NOTHING,
        said="brand_new",
    ),
    *(
        Row(
            FaultKind.TOKEN_THROTTLED,
            {"status": status},
            "throttled",
            NOTHING,
            said="Access Denied",
        )
        for status in (200, 400)
    ),
    Row(
        FaultKind.TOKEN_SERVER_ERROR,
        {"status": 503},
        "accounts_server_failed",
        NOTHING,
        said="503",
    ),
    Row(FaultKind.TOKEN_HTML, {}, "accounts_server_failed", NOTHING),
    Row(FaultKind.TOKEN_DROP, {}, "cannot_connect", NOTHING),
]


async def check(hass: HomeAssistant, sandbox: Sandbox, send: Send, row: Row) -> None:
    if row.error is None:
        await send(hass)
    else:
        with pytest.raises(HomeAssistantError) as caught:
            await send(hass)
        assert caught.value.translation_domain == "zoho_voice"
        assert caught.value.translation_key == row.error
        said = str(caught.value)
        assert row.outcome in said
        assert row.said in said
        assert "…0100" in said
        assert "4805550100" not in said
        assert TEXT not in said
    await hass.async_block_till_done()
    assert [sms.number for sms in sandbox.sent] == [ALICE] * row.sent
    assert len(sandbox.requests) == row.requests
    reauth = hass.config_entries.flow.async_progress_by_handler("zoho_voice")
    assert [flow["context"]["source"] for flow in reauth] == (
        [SOURCE_REAUTH] if row.reauth else []
    )


@pytest.mark.parametrize("row", SEND_FAULTS, ids=str)
@pytest.mark.parametrize("send", WAYS)
async def test_fault_of_the_send_call(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    send: Send,
    row: Row,
) -> None:
    sandbox.add_fault(row.kind, **row.options)
    with (
        patch.object(client, "REQUEST_TIMEOUT", 0.3),
        patch.object(client, "CONNECT_TIMEOUT", 0.1),
    ):
        await check(hass, sandbox, send, row)


@pytest.mark.parametrize("row", TOKEN_FAULTS, ids=str)
@pytest.mark.parametrize("send", WAYS)
async def test_fault_of_the_token_call(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    send: Send,
    row: Row,
) -> None:
    sandbox.expire_access_tokens()
    sandbox.add_fault(row.kind, **row.options)
    with patch.object(token, "TIMEOUT", 0.5):
        await check(hass, sandbox, send, row)
    assert len(sandbox.token_requests) == 1


@pytest.mark.parametrize("send", WAYS)
async def test_refused_connection(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, send: Send
) -> None:
    await sandbox.refuse()
    row = Row(FaultKind.REFUSE, {}, "cannot_connect", NOTHING, requests=0)
    await check(hass, sandbox, send, row)


@pytest.mark.parametrize("send", WAYS)
async def test_connection_that_is_refused_for_a_moment(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, send: Send
) -> None:
    sandbox.add_fault(FaultKind.REFUSE, seconds=0.1)
    with (
        patch.object(client, "RETRY_DELAYS", (0.1, 0.3)),
        patch.object(client, "sleep", asyncio.sleep),
    ):
        await check(hass, sandbox, send, Row(FaultKind.REFUSE, sent=1))
