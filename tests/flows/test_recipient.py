"""Adding and changing recipients."""

from datetime import time
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.sending.quiet_hours import QuietHours
from sandbox import Sandbox

from ..conftest import ALICE, BOB, CAROL, recipient

pytestmark = pytest.mark.usefixtures("translated_flows")

DAVE = "+14805550133"


async def open_form(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str | None = None
) -> SubentryFlowResult:
    """Open the form of a new recipient, or of one that is there."""
    context: dict[str, str] = {"source": SOURCE_USER}
    if subentry_id:
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "recipient"), context=context
    )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {}
    return result


async def submit(
    hass: HomeAssistant, result: SubentryFlowResult, **user_input: Any
) -> SubentryFlowResult:
    """Submit the form."""
    result = await hass.config_entries.subentries.async_configure(
        result["flow_id"], user_input
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


def suggested(result: SubentryFlowResult) -> dict[str, Any]:
    """Return the values that the form shows."""
    return {
        str(field): field.description["suggested_value"]
        for field in result["data_schema"].schema
        if field.description
    }


def find(entry: MockConfigEntry, name: str) -> ConfigSubentry:
    """Return the recipient with a name."""
    [found] = [
        subentry for subentry in entry.subentries.values() if subentry.title == name
    ]
    return found


async def send(hass: HomeAssistant, entity_id: str) -> None:
    """Send a message to an entity."""
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": entity_id, "message": "Hello"},
        blocking=True,
    )


async def test_recipient_is_added_and_can_be_written_to(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    result = await open_form(hass, account)
    assert result["step_id"] == "user"
    result = await submit(
        hass,
        result,
        name=" Family ",
        phone_numbers=["+1 (480) 555-0133", "480 555 0144"],
        sender_id="ZohoVoice",
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    added = find(account, "Family")
    assert added.subentry_type == "recipient"
    assert added.data == {
        "phone_numbers": [DAVE, "+14805550144"],
        "sender_id": "ZohoVoice",
    }
    await send(hass, "notify.family")
    assert [(sms.number, sms.sender_id) for sms in sandbox.sent] == [
        (DAVE, "ZohoVoice"),
        ("+14805550144", "ZohoVoice"),
    ]


async def test_recipient_without_a_sender_stores_none(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    result = await open_form(hass, account)
    result = await submit(hass, result, name="Dave", phone_numbers=[DAVE])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert find(account, "Dave").data == {"phone_numbers": [DAVE]}


NIGHT = {"quiet_from": "22:00", "quiet_until": "07:00:00"}


@pytest.mark.parametrize(
    ("options", "quiet_hours", "action"),
    [
        ({}, {"quiet_action": "refuse"}, "refuse"),
        ({"keep_trying": 600}, {"quiet_action": "refuse"}, "refuse"),
        ({"keep_trying": 600}, {"quiet_action": "wait"}, "wait"),
        ({"keep_trying": 600}, {}, "wait"),
    ],
)
async def test_quiet_hours_are_kept_and_shown_again(
    hass: HomeAssistant,
    account: MockConfigEntry,
    options: dict[str, Any],
    quiet_hours: dict[str, str],
    action: str,
) -> None:
    hass.config_entries.async_update_entry(account, options=options)
    result = await open_form(hass, account)
    result = await submit(
        hass,
        result,
        name="Dave",
        phone_numbers=[DAVE],
        quiet_hours={**NIGHT, **quiet_hours},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    dave = find(account, "Dave")
    stored = {
        "quiet_from": "22:00:00",
        "quiet_until": "07:00:00",
        "quiet_action": action,
    }
    assert dave.data == {"phone_numbers": [DAVE], **stored}
    known = account.runtime_data.recipients[dave.subentry_id].quiet_hours
    assert known == QuietHours(time(22), time(7), waits=action == "wait")
    result = await open_form(hass, account, dave.subentry_id)
    section = next(
        value
        for key, value in result["data_schema"].schema.items()
        if key == "quiet_hours"
    )
    assert suggested({"data_schema": section.schema}) == stored
    # Both times are emptied, so there are none any more.
    await submit(
        hass,
        result,
        name="Dave",
        phone_numbers=[DAVE],
        quiet_hours={"quiet_action": "wait"},
    )
    assert find(account, "Dave").data == {"phone_numbers": [DAVE]}
    assert account.runtime_data.recipients[dave.subentry_id].quiet_hours is None


@pytest.mark.parametrize(
    ("options", "quiet_hours", "error"),
    [
        ({"keep_trying": 600}, {"quiet_from": "22:00:00"}, "quiet_hours_incomplete"),
        ({"keep_trying": 600}, {"quiet_until": "22:00:00"}, "quiet_hours_incomplete"),
        (
            {"keep_trying": 600},
            {"quiet_from": "7:00", "quiet_until": "07:00:00"},
            "quiet_hours_without_end",
        ),
        ({}, NIGHT, "quiet_hours_need_outbox"),
        ({}, {**NIGHT, "quiet_action": "wait"}, "quiet_hours_need_outbox"),
    ],
)
async def test_quiet_hours_that_can_not_be_are_refused(
    hass: HomeAssistant,
    account: MockConfigEntry,
    options: dict[str, Any],
    quiet_hours: dict[str, str],
    error: str,
) -> None:
    hass.config_entries.async_update_entry(account, options=options)
    result = await open_form(hass, account)
    user_input = {"name": "Dave", "phone_numbers": [DAVE], "quiet_hours": quiet_hours}
    result = await submit(hass, result, **user_input)
    assert result["errors"] == {"quiet_hours": error}
    assert len(account.subentries) == 2
    result = await submit(
        hass,
        result,
        **{**user_input, "quiet_hours": {**NIGHT, "quiet_action": "refuse"}},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_recipient_can_be_added_while_the_account_is_not_loaded(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await hass.config_entries.async_unload(account.entry_id)
    result = await open_form(hass, account)
    result = await submit(hass, result, name="Dave", phone_numbers=[DAVE])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.config_entries.async_setup(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await send(hass, "notify.dave")
    assert [sms.number for sms in sandbox.sent] == [DAVE]


@pytest.mark.parametrize(
    ("user_input", "errors", "number"),
    [
        ({"name": "  "}, {"name": "empty_name"}, None),
        ({"name": "Alice"}, {"name": "name_taken"}, None),
        ({"name": "Alíce!"}, {"name": "name_taken"}, None),
        ({"name": " night SHIFT "}, {"name": "name_taken"}, None),
        ({"phone_numbers": []}, {"phone_numbers": "no_numbers"}, None),
        (
            {"phone_numbers": [DAVE, "12", "Dave"]},
            {"phone_numbers": "invalid_phone_number"},
            "12",
        ),
        (
            {"phone_numbers": [DAVE, "480 555 0133"]},
            {"phone_numbers": "number_given_twice"},
            "480 555 0133",
        ),
        (
            {"sender_id": "A name that is much too long"},
            {"sender_id": "invalid_sender_id"},
            None,
        ),
        (
            {"name": "ALICE", "phone_numbers": ["5550133"], "sender_id": "???"},
            {
                "name": "name_taken",
                "phone_numbers": "invalid_phone_number",
                "sender_id": "invalid_sender_id",
            },
            "5550133",
        ),
    ],
)
async def test_what_is_wrong_is_said_in_the_form_and_can_be_corrected(
    hass: HomeAssistant,
    account: MockConfigEntry,
    user_input: dict[str, Any],
    errors: dict[str, str],
    number: str | None,
) -> None:
    user_input = {"name": "Dave", "phone_numbers": [DAVE], **user_input}
    result = await open_form(hass, account)
    result = await submit(hass, result, **user_input)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert result["errors"] == errors
    if number is not None:
        assert result["description_placeholders"]["number"] == number
    assert suggested(result) == user_input
    assert len(account.subentries) == 2
    result = await submit(hass, result, name="Dave", phone_numbers=[DAVE])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(account.subentries) == 3


@pytest.mark.parametrize(
    ("country", "written", "error"),
    [
        (None, "480 555 0133", "phone_number_needs_country"),
        ("DE", "14805550133", "ambiguous_phone_number"),
    ],
)
async def test_number_that_is_not_clear_in_the_country_is_refused(
    hass: HomeAssistant,
    account: MockConfigEntry,
    country: str | None,
    written: str,
    error: str,
) -> None:
    hass.config.country = country
    result = await open_form(hass, account)
    result = await submit(hass, result, name="Dave", phone_numbers=[DAVE, written])
    assert result["errors"] == {"phone_numbers": error}
    assert result["description_placeholders"]["number"] == written


async def test_name_of_another_accounts_recipient_is_refused(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    other = MockConfigEntry(domain=DOMAIN, data=account.data)
    other.add_to_hass(hass)
    result = await open_form(hass, other)
    result = await submit(hass, result, name="alice", phone_numbers=[DAVE])
    assert result["errors"] == {"name": "name_taken"}


async def test_same_number_in_two_recipients_is_taken(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    result = await open_form(hass, account)
    result = await submit(hass, result, name="Alice at work", phone_numbers=[ALICE])
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "recipients", [[recipient("Alice", ALICE, sender_id="ZohoVoice")]]
)
async def test_changed_recipient_is_written_to_as_it_is_now(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    subentry_id = find(account, "Alice").subentry_id
    result = await open_form(hass, account, subentry_id)
    assert result["step_id"] == "reconfigure"
    assert suggested(result) == {
        "name": "Alice",
        "phone_numbers": [ALICE],
        "sender_id": "ZohoVoice",
    }
    result = await submit(hass, result, name="alice", phone_numbers=[BOB, CAROL])
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    changed = find(account, "alice")
    assert changed.subentry_id == subentry_id
    assert changed.data == {"phone_numbers": [BOB, CAROL]}
    await send(hass, "notify.alice")
    assert [(sms.number, sms.sender_id) for sms in sandbox.sent] == [
        (BOB, "+18885550100"),
        (CAROL, "+18885550100"),
    ]


async def test_impossible_change_is_refused_and_changes_nothing(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    alice = find(account, "Alice")
    result = await open_form(hass, account, alice.subentry_id)
    user_input = {"name": "Night shift", "phone_numbers": [DAVE, DAVE]}
    result = await submit(hass, result, **user_input)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "reconfigure")
    assert result["errors"] == {
        "name": "name_taken",
        "phone_numbers": "number_given_twice",
    }
    assert suggested(result) == user_input
    assert (alice.title, alice.data) == ("Alice", {"phone_numbers": [ALICE]})
