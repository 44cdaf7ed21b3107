"""Diagnostics help, and give nobody away."""

from datetime import timedelta
import json
from pathlib import Path
import time

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from sandbox import FaultKind, Sandbox

from .common import let_time_pass, send
from .conftest import ALICE, BOB, CAROL, SENDER_ID, recipient


@pytest.fixture
def recipients() -> list[ConfigSubentryData]:
    """Return recipients with and without a sender ID of their own."""
    return [
        recipient("Alice", ALICE),
        recipient("Night shift", BOB, CAROL, sender_id="ZohoVoice"),
    ]


async def test_diagnostics_tell_what_helps(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
    snapshot: SnapshotAssertion,
) -> None:
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    # The sandbox takes any free ports.
    data_center = found["data_center"]
    assert data_center.pop("accounts_url") == sandbox.accounts_url
    assert data_center.pop("voice_url") == sandbox.voice_url
    assert found == snapshot


@pytest.mark.clock
async def test_diagnostics_say_in_utc_when_the_token_expires(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, account: MockConfigEntry
) -> None:
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    in_an_hour = dt_util.utcnow() + timedelta(hours=1)
    assert found["token"]["expires_at"] == in_an_hour.isoformat()


@pytest.mark.parametrize(
    ("expires_in", "age"), [(3600, 0), (3000, 600), (-60, 3660), (None, None)]
)
async def test_diagnostics_tell_the_age_of_the_token(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    account: MockConfigEntry,
    expires_in: int | None,
    age: int | None,
) -> None:
    """Zoho refused the token that has no age."""
    expires_at = time.time() + expires_in if expires_in else 0
    hass.config_entries.async_update_entry(
        account,
        data={
            **account.data,
            "token": {
                **account.data["token"],
                "expires_at": expires_at,
                "scope": "ZohoVoice.sms.READ,AaaServer.profile.READ",
            },
        },
    )
    token = (await get_diagnostics_for_config_entry(hass, hass_client, account))[
        "token"
    ]
    assert token["age"] == age
    assert (token["expires_at"] is None) == (age is None)
    assert token["scopes"] == ["AaaServer.profile.READ", "ZohoVoice.sms.READ"]


async def test_diagnostics_tell_what_became_of_messages(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    storage: Path,
    snapshot: SnapshotAssertion,
) -> None:
    hass.config_entries.async_update_entry(
        account, options={"keep_trying": 3600, "flood_limit": 100, "later": "private"}
    )
    await hass.config_entries.async_reload(account.entry_id)
    await send(hass)
    sandbox.add_fault(
        FaultKind.ERROR_200, code="ZVSMS-4027", message=f"{ALICE} is not a number"
    )
    sandbox.add_fault(FaultKind.ERROR_400, code=f"No {ALICE}", message="Water")
    sandbox.add_fault(FaultKind.DROP_AFTER)
    for _ in range(3):
        freezer.tick(60)
        with pytest.raises(HomeAssistantError):
            await send(hass)
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, times=None)
    await send(hass, keep_trying_for={"minutes": 5})
    await let_time_pass(hass, freezer, minutes=5)
    await send(hass, recipients="Night shift")
    freezer.tick(100)
    await send(hass)
    await account.runtime_data.async_wait()
    await hass.async_block_till_done(wait_background_tasks=True)
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    del found["data_center"]
    found["outbox"]["next_try_in"] = None  # it is a random time
    assert found == snapshot
    text = json.dumps(found)
    assert "4805550" not in text
    assert "Water" not in text


async def test_diagnostics_of_an_account_that_is_not_loaded(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, account: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(account.entry_id)
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    assert found["state"] == "not_loaded"
    assert len(found["recipients"]) == 2


async def test_diagnostics_count_what_had_no_token_to_be_sent_with(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    hass.config_entries.async_update_entry(
        account,
        data={**account.data, "token": {**account.data["token"], "expires_at": 1}},
    )
    await sandbox.refuse("accounts")
    with pytest.raises(HomeAssistantError):
        await send(hass)
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    assert found["requests"]["outcomes"] == {"cannot_connect": 1}
    (failure,) = found["requests"]["last_failures"]
    assert failure["code"] == "ClientConnectorError"


@pytest.mark.parametrize("sender_id", [SENDER_ID, "Company"])
async def test_diagnostics_hold_nothing_private(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
    sender_id: str,
) -> None:
    hass.config_entries.async_update_entry(
        account, data={**account.data, "sender_id": sender_id}
    )
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    assert found["sender_id_is_number"] is (sender_id == SENDER_ID)
    # Its ports may hold any digits.
    del found["data_center"]
    text = json.dumps(found)
    private = {
        account.data["token"]["access_token"],
        account.data["token"]["refresh_token"],
        sandbox.client_id,
        sandbox.client_secret,
        sandbox.account.email,
        sandbox.account.zuid,
        "Alice",
        "Night shift",
        "ZohoVoice",
        sender_id,
        # Not even the end of a number that a mask would leave.
        *(number[-4:] for number in (ALICE, BOB, CAROL, SENDER_ID)),
    }
    assert {secret for secret in private if secret in text} == set()
