"""What was sent is tracked in bursts, and nothing of it is forgotten for that."""

import asyncio
from collections.abc import Iterator
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.sending.journal import Journal, NotWrittenError
from custom_components.zoho_voice.tracking import account_tracking
from custom_components.zoho_voice.tracking.account_tracking import AccountTracking
from sandbox import Sandbox

from ..common import send, start_again


@pytest.fixture
def tracking(account: MockConfigEntry) -> Iterator[AccountTracking]:
    """Return what is known of SMS, which is written when a test says so."""
    with patch.object(account_tracking, "DELAY", 3600):
        yield account.runtime_data.tracking


def count_writes(tracking: AccountTracking) -> list[None]:
    """Return a list that grows with each write of what is tracked."""
    writes: list[None] = []
    save = tracking.journal.async_save

    async def count() -> None:
        writes.append(None)
        await save()

    tracking.journal.async_save = count
    return writes


async def test_what_is_sent_in_a_burst_shares_a_write(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tracking: AccountTracking,
    sandbox: Sandbox,
) -> None:
    writes = count_writes(tracking)
    for number in range(20):
        await send(hass, message=str(number))
    await tracking.async_flush()
    assert len(writes) == 1
    assert tracking.tracker.counters.messages == 20
    await start_again(hass, account)
    assert account.runtime_data.tracking.tracker.counters.messages == 20


async def test_what_can_not_be_written_is_written_with_the_next(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tracking: AccountTracking,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await send(hass)
    with patch.object(Journal, "async_save", side_effect=NotWrittenError("full")):
        await tracking.async_flush()
    assert "Could not save that SMS were sent: full" in caplog.text
    await send(hass, message="Again")
    await tracking.async_flush()
    await start_again(hass, account)
    assert account.runtime_data.tracking.tracker.counters.messages == 2


async def test_the_same_text_is_kept_apart_before_it_goes_again(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tracking: AccountTracking,
    sandbox: Sandbox,
) -> None:
    """After a crash, the row of the one would be taken to be about the other."""
    writes = count_writes(tracking)
    await send(hass, message="A", keep_trying=3600)
    await send(hass, message="B", keep_trying=3600)
    assert writes == []
    await send(hass, message="A", keep_trying=3600)
    assert len(writes) == 1
    await tracking.async_flush()


async def test_what_is_sent_during_a_write_is_written_with_the_next(
    hass: HomeAssistant,
    account: MockConfigEntry,
    tracking: AccountTracking,
    sandbox: Sandbox,
) -> None:
    writes = count_writes(tracking)
    begun, may_end = asyncio.Event(), asyncio.Event()
    save = tracking.journal.async_save

    async def wait() -> None:
        begun.set()
        await may_end.wait()
        await save()

    tracking.journal.async_save = wait
    await send(hass, message="A", keep_trying=3600)
    flush = asyncio.create_task(tracking.async_flush())
    await begun.wait()
    await send(hass, message="B", keep_trying=3600)
    may_end.set()
    await flush
    assert len(writes) == 1
    await send(hass, message="B", keep_trying=3600)
    assert len(writes) == 2
    await tracking.async_flush()
