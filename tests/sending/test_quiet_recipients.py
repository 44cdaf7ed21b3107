"""Quiet hours of recipients, as automations see them."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.zoho_voice.sending import journal
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE, BOB, CAROL, recipient
from .test_keep_trying import issues, let_time_pass, outbox, send, start_again
from .test_spending_limit import ALICE_ONLY, BOTH, WAYS, account, change_options, tell

pytestmark = pytest.mark.usefixtures("storage")

__all__ = ["account"]

#: It is 4:00 in Home Assistant's zone when a test begins.
NIGHT = {"quiet_from": "22:00:00", "quiet_until": "07:00:00"}
ENDS_AT = "2026-11-22T15:00:00+00:00"
WAITING = "sensor.sandbox_example_com_sms_waiting"


@pytest.fixture
def action() -> str:
    """Return what becomes of messages in quiet hours."""
    return "wait"


@pytest.fixture
def recipients(action: str) -> list[ConfigSubentryData]:
    """Return recipients of whom Alice has quiet hours."""
    return [
        recipient("Alice", ALICE, quiet_action=action, **NIGHT),
        recipient("Night shift", BOB, CAROL),
    ]


@pytest.fixture
def options() -> dict[str, Any]:
    """Return the options of the account."""
    return {"keep_trying": 3600}


REFUSING = pytest.mark.parametrize("action", ["refuse"])


async def move_to(hass: HomeAssistant, freezer: FrozenDateTimeFactory, to: str) -> None:
    """Let time pass, up to a time in UTC."""
    freezer.move_to(to)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1))
    await hass.async_block_till_done()


def texts(sandbox: Sandbox, number: str = ALICE) -> list[str]:
    return [sms.message for sms in sandbox.sent if sms.number == number]


@pytest.mark.parametrize("way", WAYS)
async def test_message_waits_until_quiet_hours_end(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    await tell(hass, way, ALICE_ONLY, "1")
    await tell(hass, way, ALICE_ONLY, "2")
    assert sandbox.requests == []
    assert hass.states.get(WAITING).state == "2"
    first, _ = (await outbox(hass))["waiting"]
    assert first["sends_at"] == ENDS_AT
    # Its time begins when quiet hours end.
    assert first["expires_at"] == "2026-11-22T16:00:00+00:00"
    await move_to(hass, freezer, "2026-11-22 14:59:59")
    assert sandbox.requests == []
    await move_to(hass, freezer, "2026-11-22 15:00:00")
    assert texts(sandbox) == ["1", "2"]
    assert hass.states.get(WAITING).state == "0"
    await tell(hass, way, ALICE_ONLY, "3")
    assert texts(sandbox) == ["1", "2", "3"]
    assert issues(hass) == {}


async def test_response_says_that_it_waits_and_until_when(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    alice, bob = await send(hass, recipients=["Alice", BOB])
    assert (alice["status"], alice["sends_at"]) == ("QUEUED", ENDS_AT)
    assert alice["message_id"]
    assert bob["status"] == "IN_QUEUE"
    assert "sends_at" not in bob
    response = await hass.services.async_call(
        "zoho_voice",
        "send_sms",
        {"recipients": BOTH, "message": "Water", "dry_run": True},
        blocking=True,
        return_response=True,
    )
    assert response["requests"] == 2
    assert [row.get("sends_at") for row in response["messages"]] == [
        ENDS_AT,
        None,
        None,
    ]
    assert {row["status"] for row in response["messages"]} == {"DRY_RUN"}
    assert [sms.number for sms in sandbox.sent] == [BOB]


@pytest.mark.parametrize(
    "recipients",
    [
        [
            recipient("Alice", ALICE, BOB, quiet_action="wait", **NIGHT),
            recipient("Carol", CAROL, quiet_action="wait", **NIGHT),
        ]
    ],
)
async def test_all_numbers_with_the_same_quiet_hours_wait_until_they_end(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    rows = await send(hass, recipients=["Alice", "Carol"])
    assert [(row["recipient"], row["sends_at"]) for row in rows] == [
        (ALICE, ENDS_AT),
        (BOB, ENDS_AT),
        (CAROL, ENDS_AT),
    ]
    assert sandbox.requests == []


@pytest.mark.parametrize("way", WAYS)
async def test_only_who_must_not_be_disturbed_waits(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    await tell(hass, way, BOTH)
    assert [sms.number for sms in sandbox.sent] == [BOB, CAROL]
    await move_to(hass, freezer, "2026-11-22 15:00:00")
    assert [sms.number for sms in sandbox.sent] == [BOB, CAROL, ALICE]


@pytest.mark.parametrize("written", [ALICE, 14805550100, "Alice", "notify.alice"])
async def test_number_of_a_recipient_has_the_recipients_quiet_hours(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, written: Any
) -> None:
    (row,) = await send(hass, recipients=written)
    assert (row["status"], row["name"]) == ("QUEUED", "Alice")


@pytest.mark.parametrize(
    "recipients",
    [
        [
            recipient("Night shift", BOB, ALICE),
            recipient("Alice", ALICE, quiet_action="wait", **NIGHT),
        ]
    ],
)
async def test_number_of_several_recipients_has_those_of_the_one_who_is_meant(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    (by_number,) = await send(hass, recipients=ALICE, message="1")
    assert (by_number["name"], by_number["status"]) == ("Night shift", "IN_QUEUE")
    (by_name,) = await send(hass, recipients="Alice", message="2")
    assert by_name["status"] == "QUEUED"
    # Who does not wait is held up by nobody who does.
    rows = await send(hass, recipients="Night shift", message="3")
    assert {row["status"] for row in rows} == {"IN_QUEUE"}
    assert texts(sandbox) == ["1", "3"]


async def test_urgent_message_is_sent_and_passes_those_that_wait(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass, message="1")
    (row,) = await send(hass, message="2", priority="urgent")
    assert row["status"] == "IN_QUEUE"
    for target in ({"target": ALICE}, {"data": {"recipients": "Alice"}}):
        await hass.services.async_call(
            "notify",
            "zoho_voice",
            {
                "message": "3",
                **target,
                "data": {**target.get("data", {}), "priority": "urgent"},
            },
            blocking=True,
        )
    await hass.services.async_call(
        "notify",
        "zoho_voice_alice",
        {"message": "4", "data": {"priority": "normal"}},
        blocking=True,
    )
    assert texts(sandbox) == ["2", "3", "3"]
    await move_to(hass, freezer, "2026-11-22 15:00:00")
    assert texts(sandbox) == ["2", "3", "3", "1", "4"]


async def test_urgent_message_that_waits_for_zoho_goes_in_quiet_hours(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass, message="1")
    await sandbox.refuse()
    await send(hass, message="2", priority="urgent")
    await start_again(hass, account)
    await sandbox.listen()
    await move_to(hass, freezer, "2026-11-22 12:10:00")
    assert texts(sandbox) == ["2"]
    (waiting,) = (await outbox(hass))["waiting"]
    assert waiting["sends_at"] == ENDS_AT


@REFUSING
@pytest.mark.parametrize("options", [{}, {"keep_trying": 3600}])
@pytest.mark.parametrize("way", WAYS)
async def test_message_is_refused_if_the_recipient_wants_it_so(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, way: str
) -> None:
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, way, ALICE_ONLY)
    assert caught.value.translation_key == "quiet_hours"
    assert "not be disturbed until 2026-11-22 07:00" in str(caught.value)
    assert sandbox.requests == []
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, way, BOTH)
    assert "Sent to Night shift (…0111), Night shift (…0122)" in str(caught.value)
    assert "Alice (…0100) must not be disturbed" in str(caught.value)
    assert [sms.number for sms in sandbox.sent] == [BOB, CAROL]
    await send(hass, priority="urgent")
    assert texts(sandbox) == ["Water"]
    # It was no fault of the automation, and it counts for nothing.
    assert issues(hass) == {}


@pytest.mark.parametrize(
    ("options", "data"),
    [({}, {}), ({"keep_trying": 3600}, {"keep_trying": False})],
    ids=["off", "not for this call"],
)
async def test_message_that_is_not_to_be_kept_can_not_wait(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, data: Any
) -> None:
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, **data)
    assert caught.value.translation_key == "quiet_hours_cannot_wait"
    assert "keep trying is off" in str(caught.value)
    assert sandbox.requests == []
    (row,) = await send(hass, keep_trying=True)
    assert (row["status"], row["sends_at"]) == ("QUEUED", ENDS_AT)


async def test_call_says_for_how_long_after_the_quiet_hours(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass, keep_trying_for={"minutes": 5})
    await sandbox.refuse()
    await move_to(hass, freezer, "2026-11-22 15:04:59")
    (waiting,) = (await outbox(hass))["waiting"]
    assert "sends_at" not in waiting
    await move_to(hass, freezer, "2026-11-22 15:05:00")
    assert [*issues(hass)] == ["messages_expired"]


async def test_time_until_quiet_hours_begin_counts(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    freezer.move_to("2026-11-23 05:30")  # 21:30
    await send(hass)
    (waiting,) = (await outbox(hass))["waiting"]
    assert waiting["expires_at"] == "2026-11-23T15:30:00+00:00"
    await sandbox.listen()
    # What waits for Zoho is not sent in quiet hours either.
    await move_to(hass, freezer, "2026-11-23 06:00")
    assert sandbox.requests == []
    await start_again(hass, account)
    await move_to(hass, freezer, "2026-11-23 14:59")
    assert sandbox.requests == []
    await move_to(hass, freezer, "2026-11-23 15:00")
    assert texts(sandbox) == ["Water"]


@REFUSING
async def test_message_of_before_is_not_refused_but_waits(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    freezer.move_to("2026-11-23 05:59")
    await sandbox.refuse()
    await send(hass)
    await sandbox.listen()
    await move_to(hass, freezer, "2026-11-23 06:00")
    assert sandbox.requests == []
    await move_to(hass, freezer, "2026-11-23 15:00")
    assert texts(sandbox) == ["Water"]


@pytest.mark.parametrize(
    ("scheduled_time", "is_quiet"),
    [
        ("2026-11-22 06:59:59", True),
        ("2026-11-22 07:00:00", False),
        ("2026-11-22 22:00:00", True),
        ("2026-11-22T16:00:00+01:00", False),
        ("2026-11-22T15:59:00+01:00", True),
    ],
)
async def test_scheduled_message_must_not_arrive_in_quiet_hours(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    scheduled_time: str,
    is_quiet: bool,
) -> None:
    if not is_quiet:
        await send(hass, scheduled_time=scheduled_time)
        assert len(sandbox.sent) == 1
        return
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, scheduled_time=scheduled_time)
    assert caught.value.translation_key == "quiet_hours_scheduled"
    await send(hass, scheduled_time=scheduled_time, priority="urgent")
    assert len(sandbox.sent) == 1


@pytest.mark.clock
async def test_night_ends_at_its_hour_whatever_happens_to_the_clock(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass)
    now = dt_util.now()
    is_night = now.hour >= 22 or now.hour < 7
    assert len(sandbox.sent) == (not is_night)
    if not is_night:
        return
    end = now.replace(hour=7, minute=0, second=0, fold=0)
    if now.hour >= 22:
        end += timedelta(days=1)
    await move_to(
        hass, freezer, (dt_util.as_utc(end) - timedelta(seconds=1)).isoformat()
    )
    assert sandbox.sent == []
    await move_to(hass, freezer, dt_util.as_utc(end).isoformat())
    assert len(sandbox.sent) == 1


async def test_changed_quiet_hours_hold_for_what_waits(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    (subentry,) = (s for s in account.subentries.values() if s.title == "Alice")

    async def change(**data: Any) -> None:
        hass.config_entries.async_update_subentry(
            account, subentry, data={"phone_numbers": [ALICE], **data}
        )
        await hass.async_block_till_done(wait_background_tasks=True)

    await send(hass)
    await change(**NIGHT | {"quiet_until": "09:00:00", "quiet_action": "wait"})
    (waiting,) = (await outbox(hass))["waiting"]
    assert waiting["sends_at"] == "2026-11-22T17:00:00+00:00"
    assert waiting["expires_at"] == "2026-11-22T18:00:00+00:00"
    await move_to(hass, freezer, "2026-11-22 16:30")
    assert sandbox.sent == []
    await change()
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert texts(sandbox) == ["Water"]


async def test_other_time_zone_holds_at_once(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass, message="1")
    await hass.config.async_update(time_zone="Europe/Berlin")  # 13:00
    # Nobody tells of it, but nobody has to wait until it is 7:00 in the old zone.
    await let_time_pass(hass, freezer, minutes=5)
    assert texts(sandbox) == ["1"]
    await send(hass, message="2")
    assert texts(sandbox) == ["1", "2"]


async def test_message_survives_a_restart_and_an_account_that_is_not_loaded(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    storage: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass, message="1")
    await start_again(hass, account)
    await hass.config_entries.async_unload(account.entry_id)
    (row,) = await send(hass, message="2")
    assert row["sends_at"] == ENDS_AT
    await move_to(hass, freezer, "2026-11-22 15:00:00")
    assert sandbox.sent == []
    await hass.config_entries.async_setup(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert texts(sandbox) == ["1", "2"]


@pytest.mark.parametrize(
    "options", [{"keep_trying": 3600, "repeat_seconds": 60, "segments_per_hour": 2}]
)
async def test_other_limits_hold_for_what_waits(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass, message="1")
    await send(hass, message="2")
    # It is a repeat as long as it waits.
    (row,) = await send(hass, message="1")
    assert row["status"] == "DUPLICATE"
    # There is room for no more when quiet hours end, but there is now.
    with pytest.raises(HomeAssistantError, match="possible again at 2026-11-22 08:00"):
        await send(hass, message="3")
    await send(hass, recipients=["Night shift"], message="4")
    with pytest.raises(HomeAssistantError, match="spending limit"):
        await send(hass, message="5", priority="urgent")
    await move_to(hass, freezer, "2026-11-22 15:00:00")
    assert texts(sandbox) == ["1", "2"]
    (row,) = await send(hass, message="2")
    assert row["status"] == "DUPLICATE"


@pytest.mark.parametrize("options", [{"keep_trying": 3600, "segments_per_hour": 3}])
@pytest.mark.parametrize(
    ("now", "fits"), [("2026-11-22 13:59:59", True), ("2026-11-22 14:00:01", False)]
)
async def test_part_that_waits_counts_with_the_rest_if_it_goes_within_the_hour(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    now: str,
    fits: bool,
) -> None:
    freezer.move_to(now)
    everybody = [*BOTH, "+442079460018"]
    if not fits:
        with pytest.raises(HomeAssistantError, match="spending limit"):
            await send(hass, recipients=everybody)
        assert sandbox.requests == []
        return
    rows = await send(hass, recipients=everybody)
    assert [row["status"] for row in rows] == ["QUEUED", *["IN_QUEUE"] * 3]


@pytest.mark.parametrize("options", [{"keep_trying": 3600, "flood_limit": 2}])
async def test_urgent_message_passes_no_other_limit(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass, message="1")
    await send(hass, message="2", priority="urgent")
    with pytest.raises(HomeAssistantError, match="2 in 10 min"):
        await send(hass, message="3", priority="urgent")


async def test_what_can_not_be_kept_is_an_error(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with (
        patch.object(journal, "write_utf8_file_atomic", side_effect=WriteError),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await send(hass, recipients=["Alice"])
    assert caught.value.translation_key == "not_written"
    assert "Alice (…0100)" in str(caught.value)
    assert "waiting" not in str(caught.value)
    assert hass.states.get(WAITING).state == "0"
    assert account.runtime_data.brake._times == {}


async def test_part_that_waits_is_named_beside_the_part_that_failed(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.ERROR_200)
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, "entity", BOTH)
    assert "Alice (…0100) is waiting to be sent" in str(caught.value)
    assert "refused the SMS to Night shift" in str(caught.value)


async def test_options_of_the_account_are_followed(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await change_options(hass, account)
    with pytest.raises(HomeAssistantError, match="keep trying is off"):
        await tell(hass, "entity", ALICE_ONLY)
