"""Who a call means when there is more than one account."""

import asyncio
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.calls.recipients import async_find_recipients
from sandbox import Sandbox

from ..conftest import ALICE, BOB, CAROL, SENDER_ID, recipient


@pytest.fixture
def second_recipients() -> list[ConfigSubentryData]:
    """Return the recipients of the second account."""
    return [recipient("Bob", BOB), recipient("Night shift", BOB)]


@pytest.fixture
async def second_account(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    second_recipients: list[ConfigSubentryData],
) -> MockConfigEntry:
    """Return another account that is set up, with a sender of its own."""
    entry = MockConfigEntry(
        domain="zoho_voice",
        unique_id="10002",
        title="second@example.com",
        data={
            **account.data,
            "sender_id": "ZohoVoice",
            "token": {**sandbox.issue_token(), "expires_at": time.time() + 3600},
            "webhook_id": "second",
        },
        subentries_data=second_recipients,
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def send(hass: HomeAssistant, recipients: Any, **data: Any) -> None:
    await hass.services.async_call(
        "zoho_voice",
        "send_sms",
        {"recipients": recipients, "message": "Hello", **data},
        blocking=True,
    )


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    return sorted((sms.number, sms.sender_id) for sms in sandbox.sent)


async def test_recipients_are_written_to_by_their_own_account(
    hass: HomeAssistant, second_account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass, ["Alice", "Bob"])
    assert sent(sandbox) == [(ALICE, SENDER_ID), (BOB, "ZohoVoice")]


async def test_a_number_needs_an_account(
    hass: HomeAssistant, second_account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, [CAROL, "Alice"])
    assert caught.value.translation_key == "several_accounts"
    assert sandbox.requests == []
    await send(hass, [CAROL, "Alice"], config_entry_id=second_account.entry_id)
    assert sent(sandbox) == [(ALICE, SENDER_ID), (CAROL, "ZohoVoice")]


async def test_a_number_of_recipients_of_two_accounts_gets_one_sms(
    hass: HomeAssistant, second_account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass, ["Bob", "notify.night_shift"])
    assert sent(sandbox) == [(BOB, "ZohoVoice"), (CAROL, SENDER_ID)]


async def test_a_name_that_two_recipients_have_is_refused(
    hass: HomeAssistant, second_account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, "night shift")
    assert caught.value.translation_key == "ambiguous_recipient"
    assert sandbox.requests == []
    await send(hass, "notify.night_shift_2")
    assert sent(sandbox) == [(BOB, "ZohoVoice")]


async def test_nothing_is_sent_when_one_of_the_accounts_is_not_loaded(
    hass: HomeAssistant, second_account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await hass.config_entries.async_unload(second_account.entry_id)
    with pytest.raises(ServiceValidationError, match=r"second@example\.com"):
        await send(hass, ["Alice", "Bob"])
    assert sandbox.requests == []


async def test_a_disabled_account_does_not_count(
    hass: HomeAssistant, second_account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await hass.config_entries.async_set_disabled_by(
        second_account.entry_id, ConfigEntryDisabler.USER
    )
    await hass.async_block_till_done()
    await send(hass, CAROL)
    assert sent(sandbox) == [(CAROL, SENDER_ID)]
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, "Bob")
    assert caught.value.translation_key == "unknown_recipient"


@pytest.mark.parametrize("second_recipients", [[recipient("Smith, John", BOB)]])
async def test_a_name_with_a_comma(
    hass: HomeAssistant, second_account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass, "Smith, John")
    assert sent(sandbox) == [(BOB, "ZohoVoice")]


async def test_many_numbers_leave_others_their_turn(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    many = [f"+1480555{n:04}" for n in range(1000, 1350)]
    search = asyncio.create_task(async_find_recipients(hass, many))
    turns = 0
    while not search.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= len(many) // 100
    ((_, found),) = search.result().items()
    assert [number for member in found for number in member.numbers] == many
