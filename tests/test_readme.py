"""Every example of the README is run, and what it names exists."""

import asyncio
from datetime import timedelta
import os
from pathlib import Path
import re
import shutil
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
import yaml

from custom_components.zoho_voice.services import SEND_SMS_SCHEMA
from custom_components.zoho_voice.zoho.data_center import DATA_CENTERS
from sandbox import FaultKind, Sandbox

from .conftest import ALICE, BOB, CAROL, SENDER_ID, TRANSLATIONS
from .test_trigger import let_time_pass, look, send

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES: list[dict[str, Any]] = [
    yaml.safe_load(block)
    for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
]
DAVE = "+14805550123"

at_any_time = pytest.mark.clock(
    *(f"2026-11-24 {hour:02}:30:00" for hour in range(24)),
)


def example(*path: str | int) -> dict[str, Any]:
    """Return the one example that has something at a path."""

    def has(config: Any) -> bool:
        for key in path:
            try:
                config = config[key]
            except LookupError, TypeError:
                return False
        return True

    (found,) = filter(has, EXAMPLES)
    return found


@pytest.fixture
def leak(hass: HomeAssistant) -> None:
    """Set up the sensors of the examples."""
    hass.states.async_set("binary_sensor.cellar_leak", "off")
    hass.states.async_set("sensor.boiler", "12")


async def run_script(hass: HomeAssistant, name: str) -> None:
    assert await async_setup_component(hass, "script", example("script", name))
    await hass.services.async_call("script", name, blocking=True)
    await hass.async_block_till_done()


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(sms.number, sms.message) for sms in sandbox.sent]


def test_all_examples_are_run_here() -> None:
    assert [(*config,) for config in EXAMPLES] == [
        ("automation",),
        ("script",),
        ("script",),
        ("script",),
        ("alert",),
        ("notify",),
        ("script",),
        ("automation",),
        ("automation",),
        ("script",),
        ("messages",),
    ]


@at_any_time
async def test_automation(
    hass: HomeAssistant, leak: None, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await async_setup_component(
        hass, "automation", example("automation", 0, "triggers", 0, "to")
    )
    hass.states.async_set("binary_sensor.cellar_leak", "on")
    await hass.async_block_till_done()
    assert sent(sandbox) == [(ALICE, "Leak sensor\nWater in the cellar!")]


@at_any_time
async def test_send_sms_with_response(
    hass: HomeAssistant, leak: None, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    log = async_mock_service(hass, "logbook", "log")
    await run_script(hass, "call_everybody")
    text = "The heating is off: 12 °C"
    assert sent(sandbox) == [(number, text) for number in (BOB, CAROL, DAVE, ALICE)]
    assert len(sandbox.requests) == 1
    assert log[0].data["message"] == "IN_QUEUE, IN_QUEUE, IN_QUEUE, IN_QUEUE"


@at_any_time
async def test_question(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    question = "Water in the cellar!\nReply 1: on my way, 2: call the plumber"
    assert await async_setup_component(hass, "script", example("script", "who_comes"))
    script = hass.async_create_task(
        hass.services.async_call("script", "who_comes", blocking=True)
    )
    async with asyncio.timeout(10):
        while len(sandbox.sent) < 3:
            await asyncio.sleep(0.01)
    assert sent(sandbox) == [(number, question) for number in (ALICE, BOB, CAROL)]
    sandbox.receive(ALICE, "2")
    await account.runtime_data.coordinator.async_refresh()
    await script
    assert sent(sandbox)[3:] == [(DAVE, "Please come at once. Alice is at home.")]


@at_any_time
async def test_scheduled(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    there = dt_util.utcnow().astimezone(ZoneInfo("Asia/Kolkata"))
    tomorrow = there.date() + timedelta(days=1)
    for time_zone in (
        "Pacific/Pago_Pago",
        "America/Los_Angeles",
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
    ):
        await hass.config.async_set_time_zone(time_zone)
        await run_script(hass, "good_morning")
        sms = sandbox.sent.pop()
        assert (sms.number, sms.sender_id) == ("+919876543210", SENDER_ID)
        assert sms.time_zone == "Asia/Kolkata"
        assert sms.scheduled_time == f"{tomorrow} 07:30:00", time_zone
    assert sandbox.sent == []


@pytest.mark.clock
async def test_triggers_and_conditions(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    disarm = async_mock_service(hass, "alarm_control_panel", "alarm_disarm")
    notify = async_mock_service(hass, "notify", "persistent_notification")
    await look(hass, freezer)
    assert await async_setup_component(hass, "automation", example("automation", 1))
    sandbox.receive(BOB, "Alarm off!")
    sandbox.receive(ALICE, "Alarm off, please")
    await look(hass, freezer)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(disarm) == 1
    assert sent(sandbox) == [(ALICE, "The alarm is off.")]
    await let_time_pass(hass, freezer, minutes=10)
    assert notify[0].data["message"] == "Alice did not get an SMS (queued)."
    hass.config_entries.async_update_entry(account, options={"segments_per_day": 10})
    await hass.config_entries.async_reload(account.entry_id)
    await send(hass, BOB)
    await let_time_pass(hass, freezer, minutes=10)
    assert len(notify) == 1


async def test_blueprint(
    hass: HomeAssistant, leak: None, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    config = example("automation", "use_blueprint")
    path = Path(config["automation"]["use_blueprint"]["path"])
    folder = Path(hass.config.path("blueprints/automation", path.parent))
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "blueprints/automation/zoho_voice" / path.name, folder)
    assert await async_setup_component(hass, "automation", config)
    hass.states.async_set("binary_sensor.cellar_leak", "on")
    async with asyncio.timeout(10):
        while not sandbox.sent:
            await asyncio.sleep(0.01)
    assert sent(sandbox) == [(ALICE, "Water in the cellar!\nReply 1: I am on it")]


def test_every_blueprint_can_be_imported() -> None:
    for path in (ROOT / "blueprints/automation/zoho_voice").iterdir():
        assert f"({load_yaml_dict(path)['blueprint']['source_url']})" in README


def test_every_trigger_and_condition_is_documented() -> None:
    for kind in ("triggers", "conditions"):
        documented = re.search(
            rf"^\| {kind[:-1]} \|.*?\n\n", README, re.MULTILINE | re.DOTALL
        )
        assert documented
        assert set(
            re.findall(r"^\| `zoho_voice\.(\w+)`", documented[0], re.MULTILINE)
        ) == set(TRANSLATIONS[kind])


@at_any_time
async def test_classic_action(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await run_script(hass, "classic")
    text = "Leak sensor\nWater in the cellar!"
    assert sent(sandbox) == [(ALICE, text), (DAVE, text)]
    assert {sms.data_coding for sms in sandbox.sent} == {2}


@at_any_time
async def test_alert(
    hass: HomeAssistant, leak: None, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await async_setup_component(hass, "alert", example("alert"))
    hass.states.async_set("binary_sensor.cellar_leak", "on")
    await hass.async_block_till_done()
    assert sent(sandbox) == [(ALICE, "Water in the cellar")]
    hass.states.async_set("binary_sensor.cellar_leak", "off")
    await hass.async_block_till_done()


@at_any_time
async def test_group(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await async_setup_component(hass, "notify", example("notify"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await hass.services.async_call(
        "notify", "family", {"message": "Dinner"}, blocking=True
    )
    assert sorted(sent(sandbox)) == [
        (number, "Dinner") for number in (ALICE, BOB, CAROL)
    ]


@at_any_time
async def test_siren_when_no_sms_can_be_sent(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    siren = async_mock_service(hass, "siren", "turn_on")
    await run_script(hass, "sms_or_siren")
    assert len(sandbox.sent) == 1
    assert siren == []
    sandbox.add_fault(FaultKind.ERROR_200)
    await hass.services.async_call("script", "sms_or_siren", blocking=True)
    assert len(sandbox.sent) == 1
    assert len(siren) == 1


@at_any_time
async def test_response(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    response = await hass.services.async_call(
        "zoho_voice",
        "send_sms",
        {"recipients": ALICE, "message": "Hello"},
        blocking=True,
        return_response=True,
    )
    (row,) = response["messages"]
    (documented,) = example("messages")["messages"]
    assert {key: type(value) for key, value in row.items()} == {
        key: type(value) for key, value in documented.items()
    }


def test_every_field_is_documented() -> None:
    table = README.split("## Fields of")[1].split("\n\nThe response")[0]
    documented = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    target = {"entity_id", "device_id", "area_id", "floor_id", "label_id", "exclude"}
    fields = {str(key) for key in SEND_SMS_SCHEMA.schema}
    assert documented - {"target"} == fields - target


def test_every_data_center_is_documented() -> None:
    for data_center in DATA_CENTERS.values():
        row = (
            f"| {data_center.accounts_url.removeprefix('https://')} "
            f"| {data_center.voice_url.removeprefix('https://')} |"
        )
        assert row in README


def test_what_is_linked_exists() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    }
    links = re.findall(r'\]\(([^)]+)\)|src="([^"]+)"', README)
    for link in filter(None, (first or second for first, second in links)):
        if link.startswith("#"):
            assert link[1:] in headings
        elif not link.startswith("https://"):
            assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("script", sorted(set(re.findall(r"\bscripts/\w+", README))))
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
