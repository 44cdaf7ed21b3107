"""Diagnostics help, and give nobody away."""

from datetime import timedelta
import json

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from sandbox import Sandbox

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
    assert found["token_expires_at"] == in_an_hour.isoformat()


async def test_diagnostics_of_an_account_that_is_not_loaded(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, account: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(account.entry_id)
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    assert found["state"] == "not_loaded"
    assert len(found["recipients"]) == 2


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
