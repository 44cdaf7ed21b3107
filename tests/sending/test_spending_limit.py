"""The spending guard, as automations see it."""

import asyncio
from datetime import timedelta
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
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
from custom_components.zoho_voice.sending.spending import SpendingGuard
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE, BOB, CAROL
from .test_keep_trying import (
    file_of,
    issues,
    let_time_pass,
    outbox,
    send,
    start_again,
)

pytestmark = pytest.mark.usefixtures("storage")

#: How to send to Alice, to the night shift, or to both.
WAYS = ["send_sms", "entity", "classic"]
ALICE_ONLY = ["Alice"]
BOTH = ["Alice", "Night shift"]


async def tell(
    hass: HomeAssistant, way: str, names: list[str], message: str = "Water"
) -> None:
    """Send to recipients in one of the ways to do so."""
    domain, action, data = {
        "send_sms": ("zoho_voice", "send_sms", {"recipients": names}),
        "entity": (
            "notify",
            "send_message",
            {"entity_id": [f"notify.{n.lower().replace(' ', '_')}" for n in names]},
        ),
        "classic": ("notify", "zoho_voice", {"target": names}),
    }[way]
    await hass.services.async_call(
        domain, action, {"message": message, **data}, blocking=True
    )


@pytest.fixture
def options() -> dict[str, Any]:
    """Return the options of the account."""
    return {"segments_per_hour": 3}


@pytest.fixture
async def account(
    hass: HomeAssistant, entry: MockConfigEntry, options: dict[str, Any]
) -> MockConfigEntry:
    """Return an account that may spend three segments an hour."""
    hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


def guard_of(entry: MockConfigEntry) -> SpendingGuard:
    return entry.runtime_data.guard


async def change_options(
    hass: HomeAssistant, entry: MockConfigEntry, **options: Any
) -> None:
    """Change the options as the form does."""
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.clock
@pytest.mark.parametrize("way", WAYS)
async def test_call_above_the_limit_is_refused_until_the_guard_opens(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    await tell(hass, way, BOTH)
    opens_at = dt_util.utcnow() + timedelta(hours=1)
    await let_time_pass(hass, freezer, minutes=1)
    sandbox.requests.clear()
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, way, ALICE_ONLY)
    assert caught.value.translation_key == "spending_guard"
    shown = dt_util.as_local(opens_at + timedelta(seconds=-opens_at.timestamp() % 60))
    assert f"possible again at {shown:%Y-%m-%d %H:%M}" in str(caught.value)
    assert "Alice (…0100)" in str(caught.value)
    assert sandbox.requests == []
    issue = issues(hass)["spending_guard"]
    assert issue.translation_placeholders["time"] == f"{shown:%Y-%m-%d %H:%M}"
    assert issue.translation_placeholders["segments"] == "1"
    assert not issue.is_fixable
    freezer.tick(timedelta(minutes=58))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=2))
    assert "spending_guard" in issues(hass)
    await let_time_pass(hass, freezer, minutes=1)
    assert issues(hass) == {}
    await tell(hass, way, ALICE_ONLY)
    assert len(sandbox.sent) == 4


@pytest.mark.parametrize("way", WAYS)
async def test_call_that_is_partly_too_much_is_refused_whole(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, way: str
) -> None:
    await tell(hass, way, ALICE_ONLY)
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, way, BOTH)
    assert caught.value.translation_key == "spending_guard"
    assert [sms.number for sms in sandbox.sent] == [ALICE]
    assert guard_of(account).left() == 2


@pytest.mark.parametrize("options", [{"segments_per_day": 3}])
async def test_day_has_its_own_limit(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    for _ in range(3):
        await send(hass)
        await let_time_pass(hass, freezer, hours=3)
    with pytest.raises(HomeAssistantError, match="at 2026-11-23 04:00"):
        await send(hass)
    await let_time_pass(hass, freezer, hours=15)
    await send(hass)
    assert len(sandbox.sent) == 4


@pytest.mark.parametrize(
    "options",
    [{"segments_per_hour": 4}, {"segments_per_hour": 4, "keep_trying": 3600}],
    ids=["at once", "outbox"],
)
async def test_calls_of_the_same_moment_can_not_pass_together(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    results = await asyncio.gather(
        *(send(hass, message=str(n), recipients=BOTH) for n in range(3)),
        *(send(hass, message=str(n)) for n in range(3, 6)),
        return_exceptions=True,
    )
    assert [
        isinstance(result, HomeAssistantError) and result.translation_key
        for result in results
    ] == [False, "spending_guard", "spending_guard", False, *["spending_guard"] * 2]
    assert len(sandbox.sent) == 4
    assert guard_of(account).left() == 0


@pytest.mark.parametrize(
    "options",
    [{"segments_per_hour": 3}, {"segments_per_hour": 3, "keep_trying": 3600}],
    ids=["at once", "outbox"],
)
async def test_what_was_spent_survives_a_restart_and_a_crash(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    await send(hass)
    sandbox.add_fault(FaultKind.LATE, seconds=0.2)
    sending = asyncio.create_task(send(hass, message="Fire"))
    while len(sandbox.requests) < 2:
        await asyncio.sleep(0.001)
    # It is on disk before the request is there.
    content = file_of(storage, account).read_bytes()
    await sending
    assert guard_of(account).left() == 1
    await start_again(hass, account)
    assert guard_of(account).left() == 1
    file_of(storage, account).write_bytes(content)
    with patch.object(journal.Journal, "async_flush"):
        await start_again(hass, account)
    assert guard_of(account).left() == 1
    with pytest.raises(HomeAssistantError, match="spending limit"):
        await send(hass, recipients=[BOB, CAROL])


async def test_zohos_count_of_segments_takes_the_place_of_the_estimate(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, storage: Path
) -> None:
    with patch("sandbox.rows.count_segments", return_value=2):
        (row,) = await send(hass)
    assert (row["segments"], row["estimated_segments"]) == (2, 1)
    assert guard_of(account).left() == 1
    await account.runtime_data.journal.async_flush()
    ((_, segments),) = json.loads(file_of(storage, account).read_bytes())["spending"]
    assert segments == 2
    with patch("sandbox.rows.count_segments", return_value=9):
        await send(hass)
    assert guard_of(account).left() == 0


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        (FaultKind.ERROR_200, 3),
        (FaultKind.ERROR_400, 3),
        (FaultKind.TOO_MANY_REQUESTS, 3),
        (FaultKind.REFUSE, 3),
        (FaultKind.DROP_AFTER, 2),
        (FaultKind.SERVER_ERROR, 2),
        (FaultKind.EMPTY_REPLY, 2),
    ],
)
async def test_only_what_certainly_was_not_sent_is_refunded(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    kind: FaultKind,
    left: int,
) -> None:
    sandbox.add_fault(kind)
    with pytest.raises(HomeAssistantError):
        await send(hass)
    assert guard_of(account).left() == left
    await start_again(hass, account)
    assert guard_of(account).left() == left


async def test_what_can_not_be_written_is_not_sent_and_not_spent(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with (
        patch.object(journal, "write_utf8_file_atomic", side_effect=WriteError),
        pytest.raises(HomeAssistantError, match="could not be saved to disk"),
    ):
        await send(hass)
    assert sandbox.requests == []
    assert guard_of(account).left() == 3


async def test_call_whose_caller_is_gone_before_it_starts_spends_nothing(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with patch.object(
        account.runtime_data.client, "async_authorize", asyncio.Event().wait
    ):
        sending = asyncio.create_task(send(hass))
        for _ in range(10):
            await asyncio.sleep(0)
        assert guard_of(account).left() == 2
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert guard_of(account).left() == 3
    assert sandbox.requests == []


@pytest.mark.parametrize("options", [{"segments_per_hour": 3, "keep_trying": 7200}])
@pytest.mark.parametrize("way", WAYS)
async def test_what_waits_is_reserved(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    await sandbox.refuse()
    await tell(hass, way, BOTH)
    assert len((await outbox(hass))["waiting"]) == 3
    await start_again(hass, account)
    with pytest.raises(HomeAssistantError, match="spending limit"):
        await tell(hass, way, ALICE_ONLY, "Fire")
    assert "spending_guard" in issues(hass)
    # Once it does not wait any more, there is room again.
    await hass.services.async_call(
        "zoho_voice", "clear_outbox", {"recipients": "Alice"}, blocking=True
    )
    assert issues(hass) == {}
    await tell(hass, way, ALICE_ONLY, "Fire")
    await sandbox.listen()
    await let_time_pass(hass, freezer, minutes=10)
    assert {sms.number for sms in sandbox.sent} == {ALICE, BOB, CAROL}
    assert guard_of(account).left() == 0


@pytest.mark.parametrize("options", [{"segments_per_hour": 9, "keep_trying": 7200}])
async def test_what_waits_goes_as_the_guard_lets_it_when_the_limit_is_lowered(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass, recipients=BOTH)
    await sandbox.listen()
    await change_options(hass, account, segments_per_hour=2, keep_trying=7200)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB]
    for _ in range(12):
        await let_time_pass(hass, freezer, minutes=4.9)
        assert len(sandbox.sent) == 2
    await let_time_pass(hass, freezer, minutes=5)
    await let_time_pass(hass, freezer, minutes=1)
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB, CAROL]


async def test_issue_goes_when_the_options_are_changed(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass, recipients=BOTH)
    for _ in range(2):
        with pytest.raises(HomeAssistantError):
            await send(hass)
    assert [*issues(hass)] == ["spending_guard"]
    await change_options(hass, account, segments_per_hour=4)
    assert issues(hass) == {}
    await send(hass)
    assert len(sandbox.sent) == 4


async def test_call_that_is_more_than_the_limit_can_never_be_made(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, message="x" * 500)
    assert caught.value.translation_key == "spending_limit"
    assert "takes 4 segments, which is more than" in str(caught.value)
    issue = issues(hass)["spending_limit"]
    assert issue.translation_placeholders["segments"] == "4"
    assert sandbox.requests == []
    await let_time_pass(hass, freezer, hours=23)
    assert "spending_limit" in issues(hass)
    await let_time_pass(hass, freezer, hours=24)
    assert issues(hass) == {}
    with pytest.raises(HomeAssistantError):
        await send(hass, message="x" * 500)
    await change_options(hass, account, segments_per_hour=5)
    assert issues(hass) == {}


async def test_issue_says_when_it_opens_now_if_that_has_changed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    with patch("sandbox.rows.count_segments", return_value=3):
        await send(hass)
    await let_time_pass(hass, freezer, minutes=30)
    with pytest.raises(HomeAssistantError):
        await send(hass, recipients=BOTH)
    assert (
        issues(hass)["spending_guard"]
        .translation_placeholders["time"]
        .endswith("05:00")
    )
    # Meanwhile something else was let through.
    guard_of(account).spend(1)
    await let_time_pass(hass, freezer, minutes=30)
    await let_time_pass(hass, freezer, seconds=10)
    assert (
        issues(hass)["spending_guard"]
        .translation_placeholders["time"]
        .endswith("05:30")
    )
    await let_time_pass(hass, freezer, minutes=30)
    assert issues(hass) == {}


@pytest.mark.parametrize("options", [{"segments_per_hour": 5, "flood_limit": 1}])
async def test_dry_run_checks_everything_and_notes_nothing(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    async def dry_run(**data: Any) -> dict[str, Any]:
        return await hass.services.async_call(
            "zoho_voice",
            "send_sms",
            {"message": "Ü" * 80, "dry_run": True, **data},
            blocking=True,
            return_response=True,
        )

    response = await dry_run(recipients=["Alice", BOB])
    assert response["requests"] == 1
    assert [
        (row["recipient"], row["name"], row["status"], row["estimated_segments"])
        for row in response["messages"]
    ] == [(ALICE, "Alice", "DRY_RUN", 2), (BOB, "Night shift", "DRY_RUN", 2)]
    assert {row["log_id"] for row in response["messages"]} == {None}
    for _ in range(3):
        await dry_run(recipients="Alice")
    with pytest.raises(HomeAssistantError, match="more than the spending limit"):
        await dry_run(recipients=BOTH)
    assert guard_of(account).left() == 5
    await send(hass)
    with pytest.raises(HomeAssistantError, match="1 in 10 min"):
        await dry_run(recipients="Alice")
    many = [f"+1480555{n}" for n in range(1000, 1021)]
    await change_options(hass, account)
    assert (await dry_run(recipients=many))["requests"] == 3
    with pytest.raises(HomeAssistantError, match="There is no recipient"):
        await dry_run(recipients="Nobody")
    assert len(sandbox.requests) == 1
    assert issues(hass) == {}


async def set_up_other(
    hass: HomeAssistant, account: MockConfigEntry, **options: int
) -> MockConfigEntry:
    """Set up a second account, with a recipient who has two numbers."""
    other = MockConfigEntry(
        domain="zoho_voice",
        unique_id="2",
        title="other@example.com",
        data={**account.data, "sender_id": "ZohoVoice", "webhook_id": "2"},
        options=options,
        subentries_data=[
            {
                "data": {"phone_numbers": ["+14805550133", "+14805550144"]},
                "subentry_type": "recipient",
                "title": "Others",
                "unique_id": None,
            }
        ],
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return other


async def test_two_accounts_have_a_guard_each_and_a_call_is_refused_whole(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    other = await set_up_other(hass, account, segments_per_hour=1)
    with pytest.raises(HomeAssistantError, match="more than the spending limit"):
        await send(hass, recipients=["Alice", "Others"])
    assert sandbox.requests == []
    assert guard_of(account).left() == 3
    await send(hass)
    assert guard_of(other).left() == 1


async def test_account_without_a_limit_counts_for_nobody(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    other = await set_up_other(hass, account)
    await send(hass, recipients=["Others", "Alice"], message="x" * 300)
    assert sorted(sms.number for sms in sandbox.sent) == [
        ALICE,
        "+14805550133",
        "+14805550144",
    ]
    assert guard_of(account).left() == 1
    assert guard_of(other).left() is None
