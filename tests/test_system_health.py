"""What the system information says, as the browser gets it."""

import asyncio
from pathlib import Path
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.zoho_voice.const import DOMAIN
from sandbox import FaultKind, Sandbox

from .common import send
from .conftest import SENDER_ID, TRANSLATIONS


@pytest.fixture(autouse=True)
def auto_storage(storage: Path) -> None:
    """Keep what has to be remembered in a folder of the test."""


@pytest.fixture
def options() -> dict[str, Any]:
    """Let the account keep trying for an hour."""
    return {"keep_trying": 3600}


async def get_info(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> dict[str, Any]:
    """Return what is shown in the end; each line has a text, and each text a line."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "system_health/info"})
    assert (await client.receive_json())["success"]
    info: dict[str, Any] = {}
    async with asyncio.timeout(10):
        while True:
            event = (await client.receive_json())["event"]
            if event["type"] == "finish":
                break
            if event["type"] == "initial":
                info = event["data"][DOMAIN]["info"]
            elif event["domain"] == DOMAIN:
                assert event["success"]
                info[event["key"]] = event["data"]
    assert {*info} <= {*TRANSLATIONS["system_health"]["info"]}
    return info


def second_account(sandbox: Sandbox, other: Sandbox) -> MockConfigEntry:
    """Return another account, whose Voice server is another one."""
    return MockConfigEntry(
        domain=DOMAIN,
        unique_id="second",
        title="second@example.com",
        data={
            "auth_implementation": DOMAIN,
            "data_center": "other",
            "accounts_url": sandbox.accounts_url,
            "voice_url": other.voice_url,
            "sender_id": SENDER_ID,
            "token": {**sandbox.issue_token(), "expires_at": time.time() + 3600},
        },
    )


async def test_all_is_well(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    await send(hass)
    info = await get_info(hass, hass_ws_client)
    assert info == {
        "accounts": 1,
        "accounts_loaded": 1,
        "messages_waiting": 0,
        "last_success": {"type": "date", "value": "2026-11-22T12:00:00+00:00"},
        "can_reach_accounts_server": "ok",
        "can_reach_voice_server": "ok",
    }
    assert {*info} == {*TRANSLATIONS["system_health"]["info"]}


@pytest.mark.clock
async def test_last_success_is_the_latest_one_in_utc(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass)
    freezer.tick(60)
    await send(hass)
    now = dt_util.utcnow().isoformat()
    freezer.tick(60)
    sandbox.add_fault(FaultKind.ERROR_200)
    with pytest.raises(Exception, match="ZVSMS-4027"):
        await send(hass)
    info = await get_info(hass, hass_ws_client)
    assert info["last_success"] == {"type": "date", "value": now}


async def test_servers_of_all_accounts_are_asked_each_once(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    async with Sandbox() as other:
        second = second_account(sandbox, other)
        second.add_to_hass(hass)
        await other.refuse()
        await sandbox.refuse()
        await send(hass, config_entry_id=account.entry_id)
        info = await get_info(hass, hass_ws_client)
    assert info == {
        "accounts": 2,
        "accounts_loaded": 1,
        "messages_waiting": 1,
        "can_reach_accounts_server": "ok",
        "can_reach_voice_server": {
            "type": "failed",
            "error": "unreachable: 127.0.0.1, unreachable: 127.0.0.1",
        },
    }


@pytest.mark.parametrize("disabled", [False, True])
async def test_accounts_that_are_not_loaded(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
    disabled: bool,
) -> None:
    """A disabled account is not in use; one that is not loaded should be."""
    await sandbox.refuse("accounts")
    if disabled:
        await hass.config_entries.async_set_disabled_by(
            account.entry_id, ConfigEntryDisabler.USER
        )
    else:
        await hass.config_entries.async_unload(account.entry_id)
    info = await get_info(hass, hass_ws_client)
    if disabled:
        assert info == {"accounts": 0, "accounts_loaded": 0, "messages_waiting": 0}
    else:
        assert (info["accounts"], info["accounts_loaded"]) == (1, 0)
        assert info["can_reach_accounts_server"] == {
            "type": "failed",
            "error": "unreachable: 127.0.0.1",
        }
        assert info["can_reach_voice_server"] == "ok"
