"""A start: what waits is read before anything can be sent, or asked for."""

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.sending.journal import Journal
from sandbox import Sandbox

from ..conftest import ALICE, SENDER_ID


@pytest.fixture
def waiting(hass: HomeAssistant, entry: MockConfigEntry, tmp_path: Path) -> Path:
    """Return the file of an account in which a message waits."""
    hass.config.config_dir = str(tmp_path)
    hass.config_entries.async_update_entry(entry, options={"keep_trying": 3600})
    path = tmp_path / ".storage" / f"zoho_voice.{entry.entry_id}"
    path.parent.mkdir()
    message = {
        "message_id": "before",
        "call_id": "before",
        "number": ALICE,
        "name": "Alice",
        "subentry_id": None,
        "sender_id": SENDER_ID,
        "message": "Before",
        "data_coding": 0,
        "scheduled_time": None,
        "time_zone": None,
        "status_callback": None,
        "created_at": 1_764_831_248.0,
        "expires_at": 1_764_831_248.0 + 86_400 * 365 * 50,
        "state": "queued",
        "reason": None,
    }
    path.write_text(json.dumps({"version": 1, "messages": [message]}))
    return path


async def test_message_that_is_sent_while_the_file_is_read_loses_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    waiting: Path,
) -> None:
    reading, may_go_on = asyncio.Event(), asyncio.Event()
    async_load = Journal.async_load

    async def async_load_slowly(journal: Journal) -> Any:
        reading.set()
        await may_go_on.wait()
        return await async_load(journal)

    await sandbox.refuse()
    with patch.object(Journal, "async_load", async_load_slowly):
        setup = asyncio.create_task(async_setup_component(hass, DOMAIN, {}))
        await reading.wait()
        promised = {"before"}
        try:
            response = await hass.services.async_call(
                DOMAIN,
                "send_sms",
                {"recipients": "Alice", "message": "Meanwhile"},
                blocking=True,
                return_response=True,
            )
        except HomeAssistantError:
            pass  # as good: the caller knows that nothing was sent
        else:
            promised |= {row["message_id"] for row in response["messages"]}
        may_go_on.set()
        assert await setup
    await hass.async_block_till_done()
    outbox = await hass.services.async_call(
        DOMAIN, "get_outbox", {}, blocking=True, return_response=True
    )
    kept = {row["message_id"] for rows in outbox.values() for row in rows}
    assert kept >= promised
    on_disk = json.loads(waiting.read_text())["messages"]
    assert promised <= {message["message_id"] for message in on_disk}


async def test_no_request_has_more_than_ten_numbers_whatever_the_file_holds(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, waiting: Path
) -> None:
    stored = json.loads(waiting.read_text())
    (message,) = stored["messages"]
    numbers = [f"+1480555{n:04}" for n in range(100, 111)]
    stored["messages"] = [
        {**message, "message_id": number, "number": number} for number in numbers
    ]
    waiting.write_text(json.dumps(stored))
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert [sms.number for sms in sandbox.sent] == numbers
    assert len(sandbox.requests) == 2
