"""The options of an account."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.sending.spending import Limits
from sandbox import Sandbox

from ..conftest import ALICE, TRANSLATIONS, recipient

pytestmark = pytest.mark.usefixtures("translated_flows")

#: What the form shows at first.
DEFAULTS = {
    "outbox": {},
    "spending": {},
    "brakes": {"flood_limit": 20, "flood_minutes": 10},
    "incoming": {"incoming_interval": 60, "show_text": True},
}


async def open_form(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Open the form of the options."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    assert flow["type"] is FlowResultType.FORM
    assert flow["errors"] == {}
    return flow


async def submit(
    hass: HomeAssistant, flow: dict[str, Any], **user_input: Any
) -> dict[str, Any]:
    """Submit the form."""
    result = await hass.config_entries.options.async_configure(
        flow["flow_id"], user_input
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


def shown(flow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a form suggests, by section and field."""
    return {
        str(name): {
            str(field): field.description["suggested_value"]
            for field in section.schema.schema
            if field.description
        }
        for name, section in flow["data_schema"].schema.items()
    }


async def test_time_is_kept_and_shown_again(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    flow = await open_form(hass, account)
    assert shown(flow) == DEFAULTS
    result = await submit(
        hass, flow, outbox={"keep_trying": {"hours": 1, "minutes": 30}}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert account.options == {"keep_trying": 5400}
    assert account.runtime_data.keep_trying == 5400
    flow = await open_form(hass, account)
    assert shown(flow)["outbox"] == {
        "keep_trying": {"hours": 1, "minutes": 30, "seconds": 0}
    }
    await submit(hass, flow)
    assert account.options == {}
    assert account.runtime_data.keep_trying == 0


async def test_limits_are_followed_at_once_and_shown_again(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    flow = await open_form(hass, account)
    spending = {"segments_per_hour": 30, "segments_per_day": 100}
    brakes = {"flood_limit": 5, "flood_minutes": 2, "repeat_seconds": 90}
    # The frontend sends numbers with a decimal point, too.
    await submit(
        hass,
        flow,
        spending={key: float(value) for key, value in spending.items()},
        brakes=brakes,
    )
    assert account.options == {**spending, **brakes}
    assert {type(value) for value in account.options.values()} == {int}
    now = account.runtime_data
    assert now.guard.limits == Limits(30, 100)
    assert (now.brake.limit, now.brake.seconds) == (5, 120)
    assert now.repeats.seconds == 90
    flow = await open_form(hass, account)
    assert shown(flow) == {**DEFAULTS, "spending": spending, "brakes": brakes}
    await submit(
        hass,
        flow,
        spending={"segments_per_hour": 0, "segments_per_day": 0.5},
        brakes={"flood_limit": 0, "repeat_seconds": 0},
    )
    # Only the brake that is on by default has to be turned off.
    assert account.options == {"flood_limit": 0}
    assert account.runtime_data is now
    assert not now.guard.is_limited
    assert (now.brake.limit, now.brake.seconds) == (0, 600)
    assert now.repeats.seconds == 0
    await submit(hass, await open_form(hass, account), brakes={"flood_minutes": 3})
    assert (now.brake.limit, now.brake.seconds) == (20, 180)


@pytest.mark.parametrize(
    "user_input",
    [
        {"spending": {"segments_per_hour": -1}},
        {"spending": {"segments_per_day": "many"}},
        {"brakes": {"flood_minutes": 0}},
        {"brakes": {"repeat_seconds": 86_401}},
        {"outbox": {"keep_trying": {"hours": -1}}},
        {"outbox": {"flood_limit": 1}},
        {"flood_limit": 1},
    ],
)
async def test_what_is_no_such_number_is_refused(
    hass: HomeAssistant, account: MockConfigEntry, user_input: dict[str, Any]
) -> None:
    flow = await open_form(hass, account)
    with pytest.raises(InvalidData):
        await submit(hass, flow, **user_input)
    assert account.options == {}


@pytest.mark.parametrize(
    "time", [{"minutes": 4}, {"hours": 24, "minutes": 1}, {"seconds": 1}]
)
async def test_time_that_is_too_short_or_too_long_is_refused(
    hass: HomeAssistant, account: MockConfigEntry, time: dict[str, int]
) -> None:
    flow = await open_form(hass, account)
    result = await submit(
        hass, flow, outbox={"keep_trying": time}, brakes={"flood_limit": 3}
    )
    assert result["errors"] == {"outbox": "keep_trying_out_of_range"}
    assert "keep_trying_out_of_range" in TRANSLATIONS["options"]["error"]
    assert shown(result)["outbox"] == {"keep_trying": time}
    assert shown(result)["brakes"] == {"flood_limit": 3}
    for limit in ({"minutes": 5}, {"hours": 24}):
        flow = await open_form(hass, account)
        result = await submit(hass, flow, outbox={"keep_trying": limit})
        assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(("action", "needs"), [("wait", True), ("refuse", False)])
async def test_outbox_is_not_turned_off_while_quiet_hours_need_it(
    hass: HomeAssistant, entry: MockConfigEntry, action: str, needs: bool
) -> None:
    quiet_hours = {"quiet_from": "22:00:00", "quiet_until": "07:00:00"}
    other = MockConfigEntry(
        domain=entry.domain,
        data=entry.data,
        options={"keep_trying": 600},
        subentries_data=[recipient("Bob", ALICE, **quiet_hours, quiet_action=action)],
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    flow = await open_form(hass, other)
    result = await submit(hass, flow)
    if not needs:
        assert other.options == {}
        return
    assert result["errors"] == {"outbox": "quiet_hours_need_outbox"}
    assert other.options == {"keep_trying": 600}
    await submit(hass, result, outbox={"keep_trying": {"minutes": 5}})
    assert other.options == {"keep_trying": 300}


async def test_how_to_follow_incoming_sms_is_kept_and_shown_again(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    flow = await open_form(hass, account)
    assert shown(flow)["incoming"] == {"incoming_interval": 60, "show_text": True}
    chosen = {"incoming_interval": 0, "show_text": False}
    result = await submit(hass, flow, incoming=chosen)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert account.options == chosen
    flow = await open_form(hass, account)
    assert shown(flow)["incoming"] == chosen


@pytest.mark.parametrize("seconds", [1, 14])
async def test_incoming_sms_are_not_asked_for_too_often(
    hass: HomeAssistant, account: MockConfigEntry, seconds: int
) -> None:
    flow = await open_form(hass, account)
    result = await submit(hass, flow, incoming={"incoming_interval": seconds})
    assert result["errors"] == {"incoming": "incoming_interval_too_short"}
    assert "incoming_interval_too_short" in TRANSLATIONS["options"]["error"]
    result = await submit(hass, flow, incoming={"incoming_interval": 15})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "user_input",
    [
        {"outbox": {"keep_trying": {"days": 1e300}}},
        {"outbox": {"keep_trying": {"hours": -1}}},
        *(
            {section: {key: value}}
            for section, key in (
                ("spending", "segments_per_day"),
                ("brakes", "flood_limit"),
                ("incoming", "incoming_interval"),
            )
            for value in ("nan", "inf", "many", -1, 1e300)
        ),
    ],
)
async def test_what_is_no_number_is_refused(
    hass: HomeAssistant, account: MockConfigEntry, user_input: dict[str, Any]
) -> None:
    flow = await open_form(hass, account)
    with pytest.raises(InvalidData):
        await submit(hass, flow, **user_input)
    assert account.options == {}
