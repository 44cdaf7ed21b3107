"""The flood brake, as automations see it, and who is said to have called."""

import asyncio
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice import refusals
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE, BOB, CAROL
from .test_keep_trying import issues, let_time_pass, send
from .test_spending_limit import (
    ALICE_ONLY,
    BOTH,
    WAYS,
    account,
    change_options,
    tell,
)

pytestmark = pytest.mark.usefixtures("storage")

__all__ = ["account"]


@pytest.fixture
def options() -> dict[str, Any]:
    """Return the options of the account."""
    return {"flood_limit": 2}


@pytest.fixture
def actions(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Return the actions that send to Alice, in the way of the parameter."""
    return {
        "send_sms": [
            {
                "action": "zoho_voice.send_sms",
                "data": {"recipients": "Alice", "message": "{{ now() }}{{ n }}"},
            }
        ],
        "entity": [
            {
                "action": "notify.send_message",
                "target": {"entity_id": "notify.alice"},
                "data": {"message": "{{ now() }}{{ n }}"},
            }
        ],
        "classic": [
            {
                "action": "notify.zoho_voice_alice",
                "data": {"message": "{{ now() }}{{ n }}"},
            }
        ],
    }[request.param]


def callers(hass: HomeAssistant) -> list[str]:
    """Return who is said to have called."""
    placeholders = issues(hass)["flood_brake"].translation_placeholders
    return placeholders["callers"].split("\n")


@pytest.mark.parametrize("options", [{}])
@pytest.mark.parametrize("way", WAYS)
async def test_loop_is_stopped_by_default(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    now = 1000.0
    with patch.object(account.runtime_data.brake, "_clock", lambda: now):
        for n in range(20):
            await tell(hass, way, ALICE_ONLY, str(n))
            now += 10
        sandbox.requests.clear()
        for _ in range(3):
            with pytest.raises(HomeAssistantError) as caught:
                await tell(hass, way, ALICE_ONLY)
            assert caught.value.translation_key == "flood_brake"
        assert "(20 in 10 min)" in str(caught.value)
        assert "Alice (…0100)" in str(caught.value)
        assert sandbox.requests == []
        assert [*issues(hass)] == ["flood_brake"]
        assert callers(hass) == ["- ? → Alice (…0100): 1"]
        await let_time_pass(hass, freezer, seconds=refusals.COOLDOWN)
        assert callers(hass) == ["- ? → Alice (…0100): 3"]
        now += 400
        await tell(hass, way, ALICE_ONLY)
    assert len(sandbox.sent) == 21


@pytest.mark.parametrize("way", WAYS)
async def test_only_the_number_that_gets_too_much_is_refused(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, way: str
) -> None:
    await tell(hass, way, ALICE_ONLY, "1")
    await tell(hass, way, ALICE_ONLY, "2")
    with pytest.raises(HomeAssistantError) as caught:
        await tell(hass, way, BOTH, "3")
    assert caught.value.translation_key == "partly_sent"
    assert "Sent to Night shift (…0111), Night shift (…0122)" in str(caught.value)
    assert "Nothing was sent to Alice (…0100)" in str(caught.value)
    assert [sms.number for sms in sandbox.sent] == [ALICE, ALICE, BOB, CAROL]


@pytest.mark.parametrize("kind", [FaultKind.ERROR_200, FaultKind.TOO_MANY_REQUESTS])
async def test_what_certainly_was_not_sent_does_not_count(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, kind: FaultKind
) -> None:
    for _ in range(5):
        sandbox.add_fault(kind)
        with pytest.raises(HomeAssistantError):
            await send(hass)
    sandbox.add_fault(FaultKind.DROP_AFTER)
    with pytest.raises(HomeAssistantError):
        await send(hass)
    await send(hass)
    with pytest.raises(HomeAssistantError, match="2 in 10 min"):
        await send(hass)
    assert len(sandbox.sent) == 2


async def test_call_whose_caller_is_gone_before_it_starts_does_not_count(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    client = account.runtime_data.client
    with patch.object(client, "async_authorize", asyncio.Event().wait):
        sendings = [
            asyncio.create_task(tell(hass, way, ALICE_ONLY, way)) for way in WAYS
        ]
        for _ in range(10):
            await asyncio.sleep(0)
        for sending in sendings:
            sending.cancel()
        results = await asyncio.gather(*sendings, return_exceptions=True)
    # The third one was above the limit before the others were gone.
    assert [type(result) for result in results].count(asyncio.CancelledError) == 2
    await send(hass)
    await send(hass)
    assert len(sandbox.sent) == 2


@pytest.mark.parametrize("options", [{"flood_limit": 2, "keep_trying": 3600}])
async def test_what_waits_counts_from_when_it_was_asked_for(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    now = 1000.0
    with patch.object(account.runtime_data.brake, "_clock", lambda: now):
        await sandbox.refuse()
        await send(hass, message="1")
        await send(hass, message="2")
        with pytest.raises(HomeAssistantError, match="2 in 10 min"):
            await send(hass, message="3")
        now += 600
        await send(hass, message="4")
        await sandbox.listen()
        await let_time_pass(hass, freezer, minutes=10)
        await send(hass, message="5")
    assert [sms.message for sms in sandbox.sent] == ["1", "2", "4", "5"]


@pytest.mark.parametrize("options", [{"flood_limit": 0}])
async def test_brake_can_be_turned_off(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    for _ in range(30):
        await send(hass)
    assert len(sandbox.sent) == 30
    assert issues(hass) == {}


async def test_issue_stays_while_the_flood_lasts_and_goes_when_it_is_over(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await send(hass)
    await send(hass)
    for _ in range(3):
        with pytest.raises(HomeAssistantError):
            await send(hass)
        await let_time_pass(hass, freezer, minutes=9)
        assert callers(hass)[0].startswith("- ? → Alice (…0100): ")
    await let_time_pass(hass, freezer, minutes=10)
    assert issues(hass) == {}
    with pytest.raises(HomeAssistantError):
        await send(hass)
    assert callers(hass) == ["- ? → Alice (…0100): 1"]
    await change_options(hass, account, flood_limit=3)
    assert issues(hass) == {}
    await send(hass)


async def test_removed_account_leaves_nothing_that_tells_of_it_later(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    for _ in range(2):
        await send(hass)
    for _ in range(2):
        with pytest.raises(HomeAssistantError):
            await send(hass)
    (issue,) = issues(hass).values()
    await hass.config_entries.async_remove(account.entry_id)
    await hass.async_block_till_done()
    with patch.object(refusals.ir, "async_create_issue") as create:
        await let_time_pass(hass, freezer, seconds=refusals.COOLDOWN + 1)
        await let_time_pass(hass, freezer, minutes=10)
    assert not create.called
    assert issue.issue_id not in {i.issue_id for i in issues(hass).values()}


# Who called


@pytest.mark.parametrize("actions", WAYS, indirect=True)
@pytest.mark.parametrize("with_id", [True, False])
async def test_automation_is_named_with_how_often_it_called(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[dict[str, Any]],
    with_id: bool,
) -> None:
    loop = {
        "alias": "Cellar alarm",
        "mode": "parallel",
        "triggers": [{"trigger": "event", "event_type": "water"}],
        "actions": [
            {"repeat": {"count": 2, "sequence": actions}},
            *({**action, "continue_on_error": True} for action in actions),
        ],
        "variables": {"n": "{{ trigger.event.data.n }}"},
    }
    if with_id:
        loop["id"] = "cellar"
    assert await async_setup_component(hass, "automation", {"automation": loop})
    hass.bus.async_fire("water", {"n": 1})
    await hass.async_block_till_done()
    assert callers(hass) == ["- Cellar alarm → Alice (…0100): 1"]
    for n in range(2, 7):
        hass.bus.async_fire("water", {"n": n})
        if not with_id:
            # Without an id, only what has not run again since can be told.
            await hass.async_block_till_done()
    await hass.async_block_till_done()
    await let_time_pass(hass, freezer, seconds=refusals.COOLDOWN)
    # Each of the later runs was stopped by its first error.
    assert callers(hass) == ["- Cellar alarm → Alice (…0100): 6"]
    assert len(sandbox.sent) == 2


@pytest.mark.parametrize("actions", WAYS, indirect=True)
async def test_script_is_named_with_the_automation_that_started_it(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    actions: list[dict[str, Any]],
) -> None:
    assert await async_setup_component(
        hass,
        "script",
        {
            "script": {
                "call_alice": {
                    "alias": "Call Alice",
                    "sequence": [{"repeat": {"count": 3, "sequence": actions}}],
                }
            }
        },
    )
    with pytest.raises(HomeAssistantError, match="2 in 10 min"):
        await hass.services.async_call(
            "script", "call_alice", {"n": 1}, blocking=True, context=Context()
        )
    assert callers(hass) == ["- Call Alice → Alice (…0100): 1"]
    await change_options(hass, account, flood_limit=2, flood_minutes=11)
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": "Cellar alarm",
                "id": "cellar",
                "triggers": [{"trigger": "event", "event_type": "water"}],
                "actions": [{"action": "script.call_alice", "data": {"n": 2}}],
            }
        },
    )
    hass.bus.async_fire("water")
    await hass.async_block_till_done()
    assert callers(hass) == ["- Call Alice, Cellar alarm → Alice (…0100): 1"]


async def test_several_callers_are_named_the_worst_first(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    def script(name: str, recipients: list[str], count: int) -> dict[str, Any]:
        send_sms = {
            "action": "zoho_voice.send_sms",
            "data": {"recipients": recipients, "message": "Water"},
            "continue_on_error": True,
        }
        return {
            "alias": name,
            "sequence": [{"repeat": {"count": count, "sequence": [send_sms]}}],
        }

    scripts = {
        "once": script("Once", [BOB], 3),
        "often": script("Often", [ALICE, "+442079460018"], 7),
    }
    assert await async_setup_component(hass, "script", {"script": scripts})
    for name in scripts:
        await hass.services.async_call("script", name, blocking=True)
    await let_time_pass(hass, freezer, seconds=refusals.COOLDOWN)
    assert callers(hass) == [
        "- Often → Alice (…0100): 5",
        "- Often → …0018: 5",
        "- Once → Night shift (…0111): 1",
    ]
