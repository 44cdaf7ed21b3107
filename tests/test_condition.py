"""Conditions, as automations see them."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.condition import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.zoho_voice.const import DOMAIN
from sandbox import Sandbox

from .conftest import ALICE, BOB, TRANSLATIONS


async def send(hass: HomeAssistant, *recipients: str) -> None:
    await hass.services.async_call(
        DOMAIN,
        "send_sms",
        {"recipients": [*recipients], "message": "Water"},
        blocking=True,
    )


async def passes(hass: HomeAssistant, condition: str, **options: Any) -> bool:
    """Return if a script gets past a condition."""
    done = async_mock_service(hass, "test", "done")
    assert await async_setup_component(
        hass,
        "script",
        {
            "script": {
                "test": {
                    "sequence": [
                        {"condition": f"{DOMAIN}.{condition}", "options": options},
                        {"action": "test.done"},
                    ]
                }
            }
        },
    )
    await hass.services.async_call("script", "test", blocking=True)
    return bool(done)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, True), ({"at_least": 1}, True), ({"at_least": 2}, False)],
)
async def test_spending_left(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    options: dict[str, Any],
    expected: bool,
) -> None:
    hass.config_entries.async_update_entry(account, options={"segments_per_hour": 3})
    await hass.config_entries.async_reload(account.entry_id)
    await send(hass, ALICE, BOB)
    assert await passes(hass, "spending_left", **options) is expected


async def test_spending_is_not_limited(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    assert await passes(hass, "spending_left", at_least=1000)


async def test_nothing_is_left_without_an_account(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    assert not await passes(hass, "spending_left", config_entry_id="nobody")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"at_least": 2}, True),
        ({"at_least": 3}, False),
        ({"config_entry_id": "nobody"}, False),
    ],
)
async def test_messages_waiting(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    options: dict[str, Any],
    expected: bool,
) -> None:
    hass.config_entries.async_update_entry(account, options={"keep_trying": 3600})
    await hass.config_entries.async_reload(account.entry_id)
    await sandbox.refuse()
    await send(hass, ALICE, BOB)
    assert await passes(hass, "messages_waiting", **options) is expected


async def test_no_message_is_waiting(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    assert not await passes(hass, "messages_waiting")


async def test_every_condition_and_its_fields_are_described(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, "automation", {})
    descriptions = {
        key.removeprefix(f"{DOMAIN}."): described
        for key, described in (await async_get_all_descriptions(hass)).items()
        if key.startswith(f"{DOMAIN}.")
    }
    texts = TRANSLATIONS["conditions"]
    assert set(descriptions) == set(texts)
    for key, described in descriptions.items():
        assert set(described["fields"]) == set(texts[key]["fields"])
