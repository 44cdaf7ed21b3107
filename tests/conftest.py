"""Fixtures: a real Home Assistant core beside a Zoho on localhost."""

from collections.abc import AsyncGenerator, Generator
import time
from typing import Any
from unittest.mock import patch

from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

# Without this import first, Home Assistant does not find the integration.
import custom_components.zoho_voice  # noqa: F401
from custom_components.zoho_voice.const import DOMAIN
from sandbox import Sandbox

SENDER_ID = "+18885550100"
ALICE = "+14805550100"
BOB = "+14805550111"
CAROL = "+14805550122"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load the integration."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return a snapshot assertion that understands Home Assistant's objects."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def no_delays() -> Generator[None]:
    """Do not wait between the tries of a request."""
    with patch("custom_components.zoho_voice.zoho.client.RETRY_DELAYS", (0, 0)):
        yield


@pytest.fixture
async def sandbox(socket_enabled: None) -> AsyncGenerator[Sandbox]:
    """Run a Zoho on localhost."""
    async with Sandbox(
        redirect_uris=["https://example.com/auth/external/callback"]
    ) as sandbox:
        yield sandbox


@pytest.fixture
async def credentials(hass: HomeAssistant, sandbox: Sandbox) -> None:
    """Enter the OAuth client of the sandbox."""
    hass.config.country = "US"
    assert await async_setup_component(hass, "application_credentials", {})
    await async_import_client_credential(
        hass,
        DOMAIN,
        ClientCredential(sandbox.client_id, sandbox.client_secret, "Sandbox"),
    )


def recipient(name: str, *numbers: str, **data: Any) -> ConfigSubentryData:
    """Return the data of a recipient."""
    return ConfigSubentryData(
        data={"phone_numbers": list(numbers), **data},
        subentry_type="recipient",
        title=name,
        unique_id=None,
    )


@pytest.fixture
def recipients() -> list[ConfigSubentryData]:
    """Return the recipients of the entry."""
    return [recipient("Alice", ALICE), recipient("Night shift", BOB, CAROL)]


@pytest.fixture
def entry(
    hass: HomeAssistant,
    sandbox: Sandbox,
    credentials: None,
    recipients: list[ConfigSubentryData],
) -> MockConfigEntry:
    """Return an account that is known to Home Assistant but not set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=sandbox.account.zuid,
        title=sandbox.account.email,
        data={
            "auth_implementation": DOMAIN,
            "data_center": "other",
            "accounts_url": sandbox.accounts_url,
            "voice_url": sandbox.voice_url,
            "sender_id": SENDER_ID,
            "token": {**sandbox.issue_token(), "expires_at": time.time() + 3600},
        },
        subentries_data=recipients,
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def account(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return an account that is set up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry
