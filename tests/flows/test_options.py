"""The options of an account."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from sandbox import Sandbox

from ..conftest import TRANSLATIONS


def shown(flow: dict[str, Any]) -> dict[str, Any]:
    """Return what a form suggests, by field."""
    return {
        str(field): field.description["suggested_value"]
        for field in flow["data_schema"].schema
        if field.description
    }


async def test_time_is_kept_and_shown_again(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    flow = await hass.config_entries.options.async_init(account.entry_id)
    assert flow["type"] is FlowResultType.FORM
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"keep_trying": {"hours": 1, "minutes": 30}}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.options == {"keep_trying": 5400}
    assert account.runtime_data.keep_trying == 5400
    flow = await hass.config_entries.options.async_init(account.entry_id)
    assert shown(flow)["keep_trying"] == {"hours": 1, "minutes": 30, "seconds": 0}
    await hass.config_entries.options.async_configure(flow["flow_id"], {})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.options == {}
    assert account.runtime_data.keep_trying == 0


@pytest.mark.parametrize(
    "time", [{"minutes": 4}, {"hours": 24, "minutes": 1}, {"seconds": 1}]
)
async def test_time_that_is_too_short_or_too_long_is_refused(
    hass: HomeAssistant, account: MockConfigEntry, time: dict[str, int]
) -> None:
    flow = await hass.config_entries.options.async_init(account.entry_id)
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"keep_trying": time}
    )
    assert result["errors"] == {"keep_trying": "keep_trying_out_of_range"}
    assert "keep_trying_out_of_range" in TRANSLATIONS["options"]["error"]
    for limit in ({"minutes": 5}, {"hours": 24}):
        flow = await hass.config_entries.options.async_init(account.entry_id)
        result = await hass.config_entries.options.async_configure(
            flow["flow_id"], {"keep_trying": limit}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_how_to_follow_incoming_sms_is_kept_and_shown_again(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    flow = await hass.config_entries.options.async_init(account.entry_id)
    assert shown(flow)["incoming_interval"] == 60
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"incoming_interval": 0, "show_text": False}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.options == {"incoming_interval": 0, "show_text": False}
    flow = await hass.config_entries.options.async_init(account.entry_id)
    assert shown(flow)["incoming_interval"] == 0
    assert shown(flow)["show_text"] is False


@pytest.mark.parametrize("seconds", [1, 14])
async def test_incoming_sms_are_not_asked_for_too_often(
    hass: HomeAssistant, account: MockConfigEntry, seconds: int
) -> None:
    flow = await hass.config_entries.options.async_init(account.entry_id)
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"incoming_interval": seconds}
    )
    assert result["errors"] == {"incoming_interval": "incoming_interval_too_short"}
    assert "incoming_interval_too_short" in TRANSLATIONS["options"]["error"]
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"incoming_interval": 15}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
