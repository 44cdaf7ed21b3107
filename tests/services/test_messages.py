"""The actions that read what was sent, received, and scheduled."""

import asyncio
from dataclasses import replace
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from sandbox import FaultKind, Sandbox

from ..common import send
from ..conftest import ALICE, BOB, CAROL, SENDER_ID


async def get(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Return what the action does."""
    return await hass.services.async_call(
        "zoho_voice", "get_messages", data, blocking=True, return_response=True
    )


async def get_scheduled(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the other action does."""
    return await hass.services.async_call(
        "zoho_voice", "get_scheduled_messages", {}, blocking=True, return_response=True
    )


async def texts(hass: HomeAssistant, **data: Any) -> list[str]:
    """Return the texts of the messages."""
    return [row["message"] for row in (await get(hass, **data))["messages"]]


async def without_read_scope(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    """Set up an account that may only send."""
    token = sandbox.issue_token(["ZohoVoice.sms.CREATE", "AaaServer.profile.READ"])
    data = {**entry.data, "token": {**entry.data["token"], **token}}
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.clock
async def test_rows(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    (sent,) = await send(hass, message="Water")
    await sandbox.report(sent["log_id"], "DELIVERED", "To the handset")
    sent_at = dt_util.utcnow().isoformat()
    freezer.tick(5)
    incoming = sandbox.receive("+442079460018", "Who is this?")
    assert await get(hass) == {
        "messages": [
            {
                "log_id": incoming.log_id,
                "direction": "incoming",
                "number": "+442079460018",
                "name": None,
                "message": "Who is this?",
                "sender_id": SENDER_ID,
                "state": "received",
                "status": None,
                "description": None,
                "segments": 1,
                "submitted_at": dt_util.utcnow().isoformat(),
            },
            {
                "log_id": sent["log_id"],
                "direction": "outgoing",
                "number": ALICE,
                "name": "Alice",
                "message": "Water",
                "sender_id": SENDER_ID,
                "state": "delivered",
                "status": "DELIVERED",
                "description": "To the handset",
                "segments": 1,
                "submitted_at": sent_at,
            },
        ],
        "complete": True,
    }


@pytest.mark.clock
async def test_filters(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    begin = dt_util.utcnow()
    for position, (number, text) in enumerate(
        [(ALICE, "a"), (BOB, "b"), (CAROL, "c"), (ALICE, "d")]
    ):
        freezer.move_to(begin)
        freezer.tick(position)
        sandbox.receive(number, text)
    freezer.tick(1)
    await send(hass, message="e")
    assert await texts(hass) == ["e", "d", "c", "b", "a"]
    assert await texts(hass, direction="incoming") == ["d", "c", "b", "a"]
    assert await texts(hass, direction="outgoing") == ["e"]
    assert await texts(hass, recipients="Alice") == ["e", "d", "a"]
    assert await texts(hass, recipients=["Night shift"]) == ["c", "b"]
    assert await texts(hass, recipients=["Night shift", BOB]) == ["c", "b"]
    assert await texts(hass, config_entry_id=account.entry_id, limit=1) == ["e"]
    since = dt_util.as_local(begin).replace(tzinfo=None)
    freezer.tick(60)
    assert await texts(hass, since=since.isoformat(" ")) == ["e", "d", "c", "b", "a"]
    later = begin.replace(microsecond=0).timestamp() + 3
    since_later = dt_util.utc_from_timestamp(later).isoformat()
    assert await texts(hass, since=since_later) == ["e", "d"]


@pytest.mark.parametrize(("oldest_first", "reads"), [(False, 1), (True, 2)])
async def test_newest_are_found_in_whatever_order_zoho_has_them(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    oldest_first: bool,
    reads: int,
) -> None:
    sandbox.oldest_first = oldest_first
    for number in range(250):
        freezer.tick(1)
        sandbox.receive(ALICE, str(number))
    sandbox.reads.clear()
    response = await get(hass, limit=3)
    assert [row["message"] for row in response["messages"]] == ["249", "248", "247"]
    assert response["complete"] is False
    assert len(sandbox.reads) == reads
    response = await get(hass, limit=1000)
    assert [row["message"] for row in response["messages"]] == [
        str(number) for number in reversed(range(250))
    ]
    assert response["complete"] is True


async def test_zoho_is_not_asked_too_often(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.reads.clear()
    asked = [get(hass) for _ in range(30)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, HomeAssistantError)]
    assert {one.translation_key for one in refused} == {"log_busy"}
    assert len(sandbox.reads) == 30 - len(refused) <= 20


@pytest.mark.parametrize("action", ["get_messages", "get_scheduled_messages"])
async def test_sign_in_that_does_not_cover_reading(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, action: str
) -> None:
    await without_read_scope(hass, entry, sandbox)
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            "zoho_voice", action, {}, blocking=True, return_response=True
        )
    assert caught.value.translation_key == "cannot_read_log"
    assert "Sign in again" in str(caught.value)


@pytest.mark.parametrize("action", ["get_messages", "get_scheduled_messages"])
async def test_zoho_has_problems(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, action: str
) -> None:
    sandbox.reads_per_minute = 0
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            "zoho_voice", action, {}, blocking=True, return_response=True
        )
    assert caught.value.translation_key == "log_not_read"


async def test_log_that_is_too_long_to_be_read_is_not_complete(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.oldest_first = True
    for number in range(2000):
        sandbox.receive(ALICE, str(number))
    sandbox.reads.clear()
    response = await get(hass, limit=1000)
    assert len(response["messages"]) == 1000
    assert response["complete"] is False
    assert len(sandbox.reads) == 10
    sandbox.message_log.clear()
    sandbox.receive(ALICE, "One")
    response = await get(hass, limit=1000)
    assert [row["message"] for row in response["messages"]] == ["One"]
    assert response["complete"] is True


@pytest.mark.parametrize("action", ["get_messages", "get_scheduled_messages"])
async def test_no_account(hass: HomeAssistant, action: str) -> None:
    assert await async_setup_component(hass, "zoho_voice", {})
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "zoho_voice", action, {}, blocking=True, return_response=True
        )
    assert caught.value.translation_key == "no_account"


async def test_account_that_is_unloaded_while_its_log_is_read(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.reads.clear()
    sandbox.add_fault(FaultKind.READ_LATE, seconds=0.2)
    asking = asyncio.create_task(get(hass, recipients="Night shift"))
    while not sandbox.reads:
        await asyncio.sleep(0.001)
    assert await hass.config_entries.async_unload(account.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await asking
    assert caught.value.translation_key == "account_not_loaded"
    assert len(sandbox.reads) == 1


@pytest.mark.parametrize("action", ["get_messages", "get_scheduled_messages"])
async def test_account_that_is_not_loaded(
    hass: HomeAssistant, account: MockConfigEntry, action: str
) -> None:
    await hass.config_entries.async_unload(account.entry_id)
    for data in ({}, {"config_entry_id": account.entry_id}):
        with pytest.raises(HomeAssistantError) as caught:
            await hass.services.async_call(
                "zoho_voice", action, data, blocking=True, return_response=True
            )
        assert caught.value.translation_key == "service_config_entry_not_loaded"


@pytest.mark.parametrize(
    "data", [{"limit": 0}, {"limit": 1001}, {"direction": "up"}, {"since": "soon"}]
)
async def test_values_of_another_kind_are_refused_by_the_schema(
    hass: HomeAssistant, account: MockConfigEntry, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await get(hass, **data)


async def test_scheduled_messages(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    for time in ("2030-12-24 18:00:00", "2030-01-02 03:04:05"):
        await send(hass, scheduled_time=time, time_zone="Asia/Kolkata", message=time)
    response = await get_scheduled(hass)
    assert response["complete"] is True
    assert [row["scheduled_time"] for row in response["messages"]] == [
        "2030-01-02 03:04:05",
        "2030-12-24 18:00:00",
    ]
    row = response["messages"][0]
    assert (row["number"], row["name"], row["time_zone"], row["message"]) == (
        ALICE,
        "Alice",
        "Asia/Kolkata",
        "2030-01-02 03:04:05",
    )
    assert row["job_id"] or row["log_id"]


@pytest.mark.parametrize(
    ("count", "reads", "found"), [(199, 1, 199), (200, 2, 200), (2100, 10, 2000)]
)
async def test_schedule_is_read_as_far_as_zoho_allows(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    count: int,
    reads: int,
    found: int,
) -> None:
    await send(hass, scheduled_time="2030-12-24 18:00:00")
    (scheduled,) = sandbox.scheduled
    sandbox.scheduled = [
        replace(scheduled, job_id=str(number)) for number in range(count)
    ]
    sandbox.reads.clear()
    response = await get_scheduled(hass)
    assert {row["job_id"] for row in response["messages"]} == {
        str(number) for number in range(found)
    }
    assert len(response["messages"]) == found
    assert response["complete"] is (found == count)
    assert len(sandbox.reads) == reads


async def test_rows_of_the_schedule_that_cannot_be_read_end_no_page(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass, scheduled_time="2030-12-24 18:00:00")
    (scheduled,) = sandbox.scheduled
    nameless = replace(scheduled.sms, log_id="")
    sandbox.scheduled = [
        replace(scheduled, job_id=str(number or ""), sms=nameless)
        for number in range(201)
    ]
    response = await get_scheduled(hass)
    assert {row["job_id"] for row in response["messages"]} == {
        str(number) for number in range(1, 201)
    }
    assert response["complete"] is True


async def test_what_moves_to_the_next_page_of_the_schedule_is_there_once(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass, scheduled_time="2030-12-24 18:00:00")
    (scheduled,) = sandbox.scheduled
    # What is scheduled meanwhile comes before what was read.
    last = replace(scheduled, job_id="199")
    sandbox.scheduled = [
        *(replace(scheduled, job_id=str(number)) for number in range(200)),
        last,
    ]
    response = await get_scheduled(hass)
    assert [row["job_id"] for row in response["messages"]].count("199") == 1
    assert len(response["messages"]) == 200
