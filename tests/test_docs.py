"""Every example of the documentation is run, and what the pages name exists."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
import os
import re
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
import yaml

from custom_components.zoho_voice.calls.prepare import DELIVERY_SCHEMA
from custom_components.zoho_voice.zoho.data_center import DATA_CENTERS
from sandbox import FaultKind, Sandbox

from .conftest import ALICE, BOB, CAROL, INTEGRATION, SENDER_ID, TRANSLATIONS, Look
from .pages import PAGES, ROOT, leads_somewhere, links_in

#: The README's longest length (lines): the rest is on pages of its own.
MAX_README = 200
README = PAGES["README.md"]
#: Texts that are no errors of an action by themselves.
NO_ERRORS = {
    "kept",  # a part of "partly_kept"
    "reply_with",  # a line of the SMS
}
DAVE = "+14805550123"

at_any_time = pytest.mark.clock(
    *(f"2026-11-24 {hour:02}:30:00" for hour in range(24)),
)


def name_of(config: dict[str, Any]) -> str:
    """Return what an example is called: by what it sets up, or by its first key."""
    match config:
        case {"script": script}:
            (name,) = script
            return str(name)
        case {"automation": [{"alias": alias}]}:
            return str(alias)
    return next(iter(config))


def read_examples() -> dict[str, dict[str, Any]]:
    """Return the examples of all pages by name. Raises ValueError if one is twice."""
    examples: dict[str, dict[str, Any]] = {}
    for text in PAGES.values():
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
            config = yaml.safe_load(block)
            if (name := name_of(config)) in examples:
                raise ValueError(f"There are two examples {name}")
            examples[name] = config
    return examples


EXAMPLES = read_examples()


def section(page: str, heading: str) -> str:
    """Return a section of a page, with its own subsections."""
    text = PAGES[page]
    (found,) = re.finditer(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    end = re.search(rf"^#{{1,{len(found[1])}}} ", text[found.end() :], re.MULTILINE)
    return text[found.end() :][: end and end.start()]


def first_cells(text: str) -> list[str]:
    """Return the first cells of all tables, without those of their heads."""
    lines = text.splitlines()
    return [
        line.split("|")[1].strip()
        for before, line in pairwise(lines)
        if line.startswith("|") and before.startswith("|") and "---" not in line
    ]


def fields_in(text: str) -> list[str]:
    """Return the fields that tables describe."""
    return [cell.strip("`") for cell in first_cells(text) if cell.startswith("`")]


@pytest.fixture
def leak(hass: HomeAssistant) -> None:
    """Set up the sensors of the examples."""
    hass.states.async_set("binary_sensor.cellar_leak", "off")
    hass.states.async_set("binary_sensor.smoke", "off")
    hass.states.async_set("sensor.boiler", "12")


async def run_script(hass: HomeAssistant, name: str) -> None:
    assert await async_setup_component(hass, "script", EXAMPLES[name])
    await hass.services.async_call("script", name, blocking=True)
    await hass.async_block_till_done()


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(sms.number, sms.message) for sms in sandbox.sent]


def shape(value: Any) -> Any:
    """Return the types in a response, of a list those of its first item."""
    value = str(value) if isinstance(value, StrEnum) else value
    match value:
        case dict():
            return {key: shape(item) for key, item in value.items()}
        case [item, *_]:
            return [shape(item)]
    return type(value)


async def ask_for(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(
        "zoho_voice", action, data, blocking=True, return_response=True
    )


def test_all_examples_are_run_here() -> None:
    assert sorted(EXAMPLES) == sorted(
        [
            "Log how long an SMS took",
            "Smoke",
            "Turn off the heating by SMS",
            "Turn on the siren if Alice gets no SMS",
            "Turn on the siren if an SMS is given up",
            "Water in the cellar",
            "action",
            "alert",
            "all_clear",
            "answered",
            "call_everybody",
            "call_if_not_delivered",
            "check_the_internet",
            "classic",
            "complete",
            "daily_report",
            "good_morning",
            "messages",
            "notify",
            "sms_or_siren",
            "waiting",
            "water_alarm",
            "who_comes",
        ]
    )


@at_any_time
async def test_automation(
    hass: HomeAssistant, leak: None, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await async_setup_component(
        hass, "automation", EXAMPLES["Water in the cellar"]
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
    assert await async_setup_component(hass, "script", EXAMPLES["who_comes"])
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
    assert await async_setup_component(hass, "alert", EXAMPLES["alert"])
    hass.states.async_set("binary_sensor.cellar_leak", "on")
    await hass.async_block_till_done()
    assert sent(sandbox) == [(ALICE, "Water in the cellar")]
    hass.states.async_set("binary_sensor.cellar_leak", "off")
    await hass.async_block_till_done()


@at_any_time
async def test_group(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await async_setup_component(hass, "notify", EXAMPLES["notify"])
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
async def test_action_of_the_entities(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    action = EXAMPLES["action"]
    assert await async_setup_component(
        hass, "script", {"script": {"one": {"sequence": [action]}}}
    )
    await hass.services.async_call("script", "one", blocking=True)
    text = "Leak sensor\nWater in the cellar!"
    assert sorted(sent(sandbox)) == [(number, text) for number in (ALICE, BOB, CAROL)]


@at_any_time
async def test_urgent_alarm_at_night(
    hass: HomeAssistant, leak: None, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await async_setup_component(hass, "automation", EXAMPLES["Smoke"])
    hass.states.async_set("binary_sensor.smoke", "on")
    await hass.async_block_till_done()
    assert sorted(sent(sandbox)) == [
        (number, "Smoke in the house!") for number in (ALICE, BOB, CAROL)
    ]


async def test_heating_is_turned_off_by_sms(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, look: Look
) -> None:
    heating = async_mock_service(hass, "climate", "turn_off")
    example = EXAMPLES["Turn off the heating by SMS"]
    assert await async_setup_component(hass, "automation", example)
    await look()
    sandbox.receive(ALICE, "What is the heating off for?")
    sandbox.receive(BOB, "heating off")
    await look()
    assert heating == []
    sandbox.receive(ALICE, "Heating OFF")
    await look()
    assert len(heating) == 1
    assert sent(sandbox) == [(ALICE, "Done, Alice.")]


async def test_siren_when_an_sms_is_not_delivered(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, look: Look
) -> None:
    siren = async_mock_service(hass, "siren", "turn_on")
    example = EXAMPLES["Turn on the siren if Alice gets no SMS"]
    assert await async_setup_component(hass, "automation", example)
    for number in (ALICE, BOB):
        await ask_for(hass, "send_sms", recipients=number, message="Water")
    to_alice, to_bob = sandbox.sent
    await sandbox.report(to_bob, "UNDELIVERED")
    await look()
    assert siren == []
    await sandbox.report(to_alice, "UNDELIVERED")
    await look()
    assert len(siren) == 1
    await ask_for(hass, "send_sms", recipients=ALICE, message="Fire")
    await look(minutes=5, seconds=1)
    assert len(siren) == 2


async def test_how_long_an_sms_took_is_logged(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, look: Look
) -> None:
    log = async_mock_service(hass, "logbook", "log")
    example = EXAMPLES["Log how long an SMS took"]
    assert await async_setup_component(hass, "automation", example)
    await ask_for(hass, "send_sms", recipients=ALICE, message="Water")
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await look(seconds=61)
    (entry,) = log
    assert entry.data["message"] == "Alice got the SMS after 61 seconds."


async def test_siren_when_an_sms_is_given_up(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, look: Look
) -> None:
    siren = async_mock_service(hass, "siren", "turn_on")
    example = EXAMPLES["Turn on the siren if an SMS is given up"]
    assert await async_setup_component(hass, "automation", example)
    await sandbox.refuse()
    await ask_for(
        hass, "send_sms", recipients=ALICE, message="Water", keep_trying_for="00:10:00"
    )
    assert siren == []
    await look(minutes=11)
    assert len(siren) == 1


async def test_router_is_restarted_only_while_sms_are_waiting(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    router = async_mock_service(hass, "switch", "turn_off")
    await run_script(hass, "check_the_internet")
    assert router == []
    await sandbox.refuse()
    await ask_for(hass, "send_sms", recipients=ALICE, message="Water", keep_trying=True)
    await hass.services.async_call("script", "check_the_internet", blocking=True)
    assert len(router) == 1


@pytest.mark.parametrize(("limit", "number_of_sms"), [(20, 1), (19, 0), (None, 1)])
async def test_report_only_if_enough_is_left(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    limit: int | None,
    number_of_sms: int,
) -> None:
    options = {"segments_per_day": limit} if limit else {}
    hass.config_entries.async_update_entry(account, options=options)
    assert await hass.config_entries.async_reload(account.entry_id)
    await run_script(hass, "daily_report")
    assert len(sandbox.sent) == number_of_sms


@pytest.mark.parametrize(
    ("status", "sirens"), [("DELIVERED", 0), ("UNDELIVERED", 1), ("FAILED", 1)]
)
async def test_siren_after_waiting_for_delivery(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    status: str,
    sirens: int,
) -> None:
    siren = async_mock_service(hass, "siren", "turn_on")
    script = hass.async_create_task(run_script(hass, "call_if_not_delivered"))
    async with asyncio.timeout(10):
        while not sandbox.sent:
            await asyncio.sleep(0.01)
        await sandbox.report(sandbox.sent[0], status)
        await account.runtime_data.async_wait()
        await account.runtime_data.coordinator.async_refresh()
        await script
    assert len(siren) == sirens


async def test_alarm_is_kept_and_removed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, times=None)
    scripts = EXAMPLES["water_alarm"]["script"] | EXAMPLES["all_clear"]["script"]
    assert await async_setup_component(hass, "script", {"script": scripts})
    await hass.services.async_call("script", "water_alarm", blocking=True)
    response = await ask_for(hass, "get_outbox")
    assert shape(response) == shape(EXAMPLES["waiting"])
    (kept,) = response["waiting"]
    until = dt_util.utcnow() + timedelta(hours=6)
    assert kept["expires_at"] == until.isoformat()
    await hass.services.async_call("script", "all_clear", blocking=True)
    assert await ask_for(hass, "get_outbox") == {"waiting": [], "ended": []}
    assert sandbox.sent == []


async def test_response_of_get_messages(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await ask_for(hass, "send_sms", recipients=ALICE, message="Water")
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    response = await ask_for(hass, "get_messages", recipients=["Alice"])
    assert shape(response) == shape(EXAMPLES["complete"])


async def test_response_of_get_scheduled_messages(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await run_script(hass, "good_morning")
    (row,) = (await ask_for(hass, "get_scheduled_messages"))["messages"]
    text = section("docs/actions.md", "`zoho_voice.get_scheduled_messages`")
    named = re.findall(r"`(\w+)`", text.split("Each item of")[1])
    assert set(named) - {"messages"} == set(row)


async def test_response_of_ask(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = hass.async_create_task(
        ask_for(
            hass,
            "ask",
            recipients="Alice",
            message="Water!",
            choices=["on my way", "no"],
        )
    )
    async with asyncio.timeout(10):
        while not sandbox.sent:
            await asyncio.sleep(0.01)
        sandbox.receive(ALICE, "1")
        await account.runtime_data.coordinator.async_refresh()
        response = await asking
    assert shape(response) == shape(EXAMPLES["answered"])


@at_any_time
async def test_response_of_send_sms(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    response = await ask_for(hass, "send_sms", recipients=ALICE, message="Hello")
    assert shape(response) == shape(EXAMPLES["messages"])


SERVICES = yaml.safe_load((INTEGRATION / "services.yaml").read_text())
AUTOMATION_PARTS = {
    name: description
    for kind in ("triggers", "conditions")
    for name, description in yaml.safe_load(
        (INTEGRATION / f"{kind}.yaml").read_text()
    ).items()
    if not name.startswith(".")
}


@pytest.mark.parametrize("action", SERVICES)
def test_every_field_of_an_action_is_documented(action: str) -> None:
    fields: set[str] = set()
    for name, field in SERVICES[action]["fields"].items():
        fields |= set(field["fields"]) if "fields" in field else {name}
    documented = fields_in(section("docs/actions.md", f"`zoho_voice.{action}`"))
    assert sorted(documented) == sorted(
        "target" if field == "entity_id" else field for field in fields
    )


def test_every_field_of_the_notify_action_is_documented() -> None:
    text = section("docs/actions.md", "`notify.zoho_voice`")
    fields = re.search(r"Its `data` accepts (.*?), as described", text, re.DOTALL)
    assert fields
    named = re.findall(r"`(\w+)`", fields[1])
    assert sorted(named) == sorted(map(str, DELIVERY_SCHEMA))


@pytest.mark.parametrize("part", AUTOMATION_PARTS)
def test_every_option_of_triggers_and_conditions_is_documented(part: str) -> None:
    text = section("docs/triggers-and-conditions.md", f"`zoho_voice.{part}`")
    fields = (AUTOMATION_PARTS[part] or {}).get("fields", {})
    assert sorted(fields_in(text)) == sorted(fields)
    assert "```yaml" in text
    texts = TRANSLATIONS["triggers"] | TRANSLATIONS["conditions"]
    for field in fields:
        assert f"| `{field}` | **{texts[part]['fields'][field]['name']}:** " in text


def labels(texts: dict[str, Any]) -> Iterator[str]:
    """Return the labels of a form and of its sections."""
    yield from texts.get("data", {}).values()
    for part in texts.get("sections", {}).values():
        yield from labels(part)


def test_every_option_is_documented() -> None:
    account = TRANSLATIONS["options"]["step"]["init"]
    person = TRANSLATIONS["config_subentries"]["recipient"]["step"]["user"]
    named = set(
        re.findall(r"\*\*(.+?)\*\*", "".join(first_cells(PAGES["docs/options.md"])))
    )
    assert named == {*labels(account), *labels(person)}


def test_every_field_of_the_set_up_is_documented() -> None:
    text = f"{section('README.md', 'Set up')}{PAGES['docs/limits.md']}".lower()
    for step in TRANSLATIONS["config"]["step"].values():
        for label in labels(step):
            assert label.lower() in text or label == "Application credentials", label


def test_every_entity_is_documented() -> None:
    cells = "\n".join(first_cells(PAGES["docs/entities.md"]))
    for kind, entities in TRANSLATIONS["entity"].items():
        for entity in entities.values():
            assert f"{kind.capitalize()} **{entity['name']}**" in cells
            for attribute in entity.get("state_attributes", {}):
                if attribute != "event_type":
                    assert f"`{attribute}`" in cells


def messages_in(text: str) -> list[str]:
    """Return the messages that a section of the errors explains; `…` is any text."""
    cells = [line for cell in first_cells(text) for line in cell.split("<br>")]
    return [*cells, *re.findall(r"^- \*(.+?)\*", text, re.MULTILINE)]


def is_about(documented: str, message: str) -> bool:
    """Return if a message that is documented is this one."""
    parts = map(str.strip, documented.split("…"))
    return re.match(".*".join(map(re.escape, parts)), message) is not None


def test_every_error_is_documented() -> None:
    errors = {
        key: text["message"]
        for key, text in TRANSLATIONS["exceptions"].items()
        if key not in NO_ERRORS
    }
    repairs = section("docs/errors.md", "Repairs")
    documented = messages_in(PAGES["docs/errors.md"].replace(repairs, ""))
    for key, message in errors.items():
        assert any(is_about(each, message) for each in documented), key
    for each in documented:
        assert any(is_about(each, message) for message in errors.values()), each


def test_every_repair_is_documented() -> None:
    titles = [issue["title"] for issue in TRANSLATIONS["issues"].values()]
    documented = messages_in(section("docs/errors.md", "Repairs"))
    assert len(documented) == len(titles)
    for title in titles:
        assert any(is_about(each, title) for each in documented), title


def test_every_data_center_is_documented() -> None:
    for data_center in DATA_CENTERS.values():
        row = (
            f"| {data_center.accounts_url.removeprefix('https://')} "
            f"| {data_center.voice_url.removeprefix('https://')} |"
        )
        assert row in PAGES["docs/limits.md"]


# `scripts/bench` writes the page on performance, and its pictures.
@pytest.mark.parametrize("page", sorted(PAGES.keys() - {"docs/performance.md"}))
def test_what_is_linked_exists(page: str) -> None:
    for link in links_in(PAGES[page]):
        assert leads_somewhere(link, page), link


def test_every_page_can_be_found_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(([^)#]+\.md)", README))
    pages = {page for page in PAGES if page.startswith("docs/")}
    assert pages <= linked


def test_blueprints_can_be_imported() -> None:
    for file in (ROOT / "blueprints").rglob("*.yaml"):
        path = file.relative_to(ROOT).as_posix().replace("/", "%2F")
        assert f"blob%2Fmain%2F{path})" in PAGES["docs/use-cases.md"]


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_README


@pytest.mark.parametrize(
    "script",
    sorted(
        {
            script
            for page, text in PAGES.items()
            if page == "README.md" or page.startswith("docs/")
            for script in re.findall(r"\bscripts/\w+", text)
        }
    ),
)
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
