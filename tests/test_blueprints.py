"""The blueprints, imported and run."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
import json
from pathlib import Path
import shutil
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from sandbox import FaultKind, Sandbox

from .conftest import ALICE, BOB, INTEGRATION, recipient
from .test_trigger import look

ROOT = INTEGRATION.parent.parent
FOLDER = ROOT / "blueprints/automation/zoho_voice"
BLUEPRINTS = sorted(FOLDER.iterdir())
REPOSITORY = json.loads((INTEGRATION / "manifest.json").read_text())["documentation"]
STRANGER = "+14805550199"


@pytest.fixture
def recipients() -> list[Any]:
    """Return the recipients of the entry."""
    return [recipient("Alice", ALICE), recipient("Bob", BOB)]


@pytest.fixture
def actions(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what the actions of the inputs did."""
    return async_mock_service(hass, "test", "automation")


@pytest.fixture
async def people(
    hass: HomeAssistant,
    account: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> list[str]:
    """Return whom to write to, when the account has looked into the message log."""
    await look(hass, freezer)
    return ["notify.alice", "notify.bob"]


async def automate(hass: HomeAssistant, name: str, **inputs: Any) -> None:
    """Import a blueprint, and set up an automation of it."""
    folder = Path(hass.config.path("blueprints/automation/zoho_voice"))
    folder.mkdir(parents=True)
    shutil.copy(FOLDER / name, folder)
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": "Test",
                "use_blueprint": {"path": f"zoho_voice/{name}", "input": inputs},
            }
        },
    )
    await hass.async_block_till_done()
    assert hass.states.get("automation.test").state == "on"


def say(text: str) -> list[dict[str, Any]]:
    """Return actions that leave a trace."""
    return [{"action": "test.automation", "data": {"said": text}}]


def alert(**inputs: Any) -> dict[str, Any]:
    """Return the inputs of an alert."""
    return {
        "alert_triggers": [
            {"trigger": "state", "entity_id": ["binary_sensor.leak"], "to": "on"}
        ],
        "message": "Water: {{ trigger.to_state.name }}",
        "minutes": 5,
        "confirmed_actions": say("{{ answer.name }}"),
        "unconfirmed_actions": say("nobody"),
        **inputs,
    }


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so.

    Home Assistant's own way would wait for the automation to end.
    """
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def settle() -> None:
    """Let happen what happens by itself."""
    for _ in range(20):
        await asyncio.sleep(0.01)


def leak(hass: HomeAssistant) -> None:
    """Let there be water."""
    for state in ("off", "on"):
        hass.states.async_set("binary_sensor.leak", state, {"friendly_name": "Cellar"})


async def let_time_pass(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float
) -> None:
    """Move the clock, while nothing is under way."""
    await settle()
    freezer.tick(timedelta(**time))
    # The loop's own clock does not stand still: its timers are this much ahead.
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(**time))
    await settle()


async def see(account: MockConfigEntry) -> None:
    """Look into the message log."""
    await settle()
    await account.runtime_data.coordinator.async_refresh()
    await settle()


async def reply(
    account: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    sandbox: Sandbox,
    number: str,
    text: str,
) -> None:
    """Answer, and let it be noticed."""
    freezer.tick(1)
    sandbox.receive(number, text)
    await see(account)


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(sms.number, sms.message) for sms in sandbox.sent]


def said(actions: list[ServiceCall]) -> list[str]:
    return [action.data["said"] for action in actions]


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_blueprint_is_valid_and_described(path: Path) -> None:
    data = load_yaml_dict(path)
    blueprint = Blueprint(
        data,
        path=path.name,
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    assert blueprint.validate() is None
    relative = path.relative_to(ROOT).as_posix()
    assert blueprint.metadata["source_url"] == f"{REPOSITORY}/blob/main/{relative}"
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert blueprint.metadata["homeassistant"]["min_version"] == hacs["homeassistant"]
    for item in (blueprint.metadata, *blueprint.inputs.values()):
        assert item["name"].strip()
        assert item["description"].strip().endswith(".")


async def test_next_person_gets_the_alert_if_it_is_not_confirmed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "alert_next_person.yaml", **alert(people=people))
    leak(hass)
    await settle()
    assert sent(sandbox) == [(ALICE, "Water: Cellar\nReply 1: I am on it")]
    await see(account)
    assert len(sandbox.sent) == 1
    await let_time_pass(hass, freezer, minutes=5)
    assert sent(sandbox)[1:] == [(BOB, "Water: Cellar\nReply 1: I am on it")]
    assert actions == []
    await reply(account, freezer, sandbox, BOB, "1")
    assert said(actions) == ["Bob"]
    await let_time_pass(hass, freezer, minutes=20)
    assert len(sandbox.sent) == 2
    assert len(actions) == 1


async def test_next_person_gets_the_alert_at_once_if_it_is_not_delivered(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "alert_next_person.yaml", **alert(people=people))
    leak(hass)
    await settle()
    await sandbox.report(sandbox.sent[0], "UNDELIVERED")
    await see(account)
    await until(lambda: len(sandbox.sent) == 2)
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB]
    await let_time_pass(hass, freezer, minutes=5)
    assert said(actions) == ["nobody"]


async def test_next_person_gets_the_alert_if_it_is_not_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "alert_next_person.yaml", **alert(people=people))
    sandbox.add_fault(FaultKind.ERROR_200)
    leak(hass)
    await settle()
    assert [sms.number for sms in sandbox.sent] == [BOB]
    await reply(account, freezer, sandbox, BOB, "I am on it!")
    assert said(actions) == ["Bob"]


async def test_alert_that_nobody_can_get_is_unconfirmed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "alert_next_person.yaml", **alert(people=people))
    sandbox.add_fault(FaultKind.ERROR_200, times=2)
    leak(hass)
    await settle()
    assert sandbox.sent == []
    assert said(actions) == ["nobody"]


async def test_second_alert_does_not_wait_for_the_first_one(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "alert_next_person.yaml", **alert(people=people))
    leak(hass)
    leak(hass)
    await settle()
    assert [sms.number for sms in sandbox.sent] == [ALICE, ALICE]
    await reply(account, freezer, sandbox, ALICE, "1")
    assert said(actions) == ["Alice"]
    await reply(account, freezer, sandbox, ALICE, "2")
    assert said(actions) == ["Alice", "Alice"]


async def test_sms_is_repeated_until_it_is_confirmed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "repeat_until_confirmed.yaml", **alert(people=people))
    leak(hass)
    await settle()
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB]
    await let_time_pass(hass, freezer, minutes=5)
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB, ALICE, BOB]
    # It does not matter to which of the SMS somebody replies.
    await reply(account, freezer, sandbox, BOB, "1")
    assert said(actions) == ["Bob"]
    await let_time_pass(hass, freezer, minutes=20)
    assert len(sandbox.sent) == 4


async def test_sms_is_not_repeated_more_often_than_allowed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(
        hass, "repeat_until_confirmed.yaml", **alert(people=people[:1], times=3)
    )
    leak(hass)
    await settle()
    for count in (1, 2, 3):
        assert len(sandbox.sent) == count
        assert actions == []
        await let_time_pass(hass, freezer, minutes=5)
    assert len(sandbox.sent) == 3
    assert said(actions) == ["nobody"]


async def test_sms_that_can_not_be_sent_is_tried_again_later(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(hass, "repeat_until_confirmed.yaml", **alert(people=people))
    sandbox.add_fault(FaultKind.ERROR_200)
    leak(hass)
    await settle()
    await let_time_pass(hass, freezer, minutes=4)
    assert sandbox.sent == []
    await let_time_pass(hass, freezer, minutes=5)
    assert len(sandbox.sent) == 2
    await reply(account, freezer, sandbox, ALICE, "i am on it")
    assert said(actions) == ["Alice"]


@pytest.mark.parametrize("confirmation", ["", "Done, {{ trigger.name }}: {{ result }}"])
async def test_reply_is_acted_on(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
    confirmation: str,
) -> None:
    await automate(
        hass,
        "act_on_reply.yaml",
        people=["notify.alice"],
        words=["heating on", "warm"],
        reply_actions=[
            {"variables": {"result": "21 °C"}},
            *say("{{ trigger.name }}: {{ trigger.text }}"),
        ],
        confirmation=confirmation,
    )
    for number, text in (
        (BOB, "warm"),
        (STRANGER, "warm"),
        (ALICE, "heating on?"),
        (ALICE, "Heating ON"),
    ):
        await reply(account, freezer, sandbox, number, text)
    assert said(actions) == ["Alice: Heating ON"]
    assert sent(sandbox) == ([(ALICE, "Done, Alice: 21 °C")] if confirmation else [])


async def test_reply_of_any_recipient_is_acted_on(
    hass: HomeAssistant,
    account: MockConfigEntry,
    people: list[str],
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    actions: list[ServiceCall],
) -> None:
    await automate(
        hass,
        "act_on_reply.yaml",
        words=["warm"],
        reply_actions=say("{{ trigger.name }}"),
        confirmation="1234",
    )
    for number in (BOB, STRANGER, ALICE):
        await reply(account, freezer, sandbox, number, "warm")
    assert said(actions) == ["Bob", "Alice"]
    assert sent(sandbox) == [(BOB, "1234"), (ALICE, "1234")]
