"""Automations: one built by clicking, and one from a blueprint."""

import re

from aiohttp import web

from scripts.lib.demo.set_up import ALICE
from scripts.lib.process import ROOT

from .messages import receive, wait_sent
from .person import Locator, Person
from .set_up import NAME, NIGHT_SHIFT
from .step import Step

DASHBOARD = "/config/automation/dashboard"
BLUEPRINTS = "/config/blueprint/dashboard"
_FILES = ROOT / "blueprints" / "automation" / "zoho_voice"
_NIGHT_SHIFT = sorted(f"+{re.sub(r'\D', '', number)}" for number in NIGHT_SHIFT)


def setting(person: Person, label: str) -> Locator:
    """Return the row of a field; of those within each other, the innermost."""
    heading = person.page.locator(
        "[slot=heading]", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")
    )
    return person.page.locator("ha-settings-row").filter(has=heading).last


async def tick(person: Person, label: str) -> Locator:
    """Tick a field that can be left out; return its row."""
    row = setting(person, label)
    await person.click(row.locator("ha-checkbox").first)
    return row


async def pick_entity(person: Person, row: Locator, name: str) -> None:
    """Choose an entity in a row."""
    await person.click(row.locator("ha-picker-field").first)
    item = person.page.locator("ha-combo-box-item").filter(has_text=name)
    await person.click(item.first)


def _item(person: Person, name: str) -> Locator:
    """Return what is called so in the dialog of what there is to add."""
    items = person.page.locator(
        "add-automation-element-dialog :is("
        "ha-list-item-button, ha-list-item-base, ha-md-list-item)"
    )
    return items.filter(has_text=name).first


async def add(person: Person, button: str, name: str, *, screen: str = "") -> None:
    """Add a trigger, a condition or an action of ours, found by its integration."""
    await person.press(button)
    await person.click(person.page.get_by_text("By type", exact=True).first)
    await person.settle()
    group = person.page.locator("ha-list-item-button").filter(
        has_text=re.compile(rf"^\s*{NAME}\s*$")
    )
    await person.click(group.first)
    await person.see(name)
    if screen:
        # The frontend keeps each description on one line.
        await person.look(screen, allow=["cut off at the side"])
    await person.click(_item(person, name))


async def open_new_automation(person: Person) -> None:
    """Open the editor with nothing in it."""
    await person.open(DASHBOARD)
    await person.press("Create automation")
    item = person.page.locator("ha-dialog-new-automation ha-list-item")
    await person.click(item.filter(has_text="Create new automation").first)


async def save(person: Person, name: str = "") -> None:
    """Save it, under a name if it has none yet."""
    await person.press("Save")
    if name:
        await person.fill("Name", name)
        dialog = person.page.locator("ha-dialog-automation-save")
        await person.press("Save", within=dialog)
    await person.page.wait_for_url(re.compile(r"/automation/edit/(?!new)"))


async def _add_trigger(person: Person) -> None:
    await open_new_automation(person)
    await add(person, "Add trigger", "SMS received", screen="triggers")
    await person.see("Triggers when an account receives an SMS.")
    row = await tick(person, "From")
    await pick_entity(person, row, "Alice")
    row = await tick(person, "Text")
    await person.press("Add", within=row)
    await person.type(row.get_by_role("textbox").first, "status")
    await person.look("trigger")


async def _add_condition(person: Person) -> None:
    await add(person, "Add condition", "Spending left", screen="conditions")
    await person.see("Tests if the spending limit leaves")
    row = setting(person, "At least")
    await person.type(row.get_by_role("spinbutton").first, "2")
    await person.look("condition")


async def _add_action(person: Person) -> None:
    await add(person, "Add action", "Zoho Voice: Send SMS", screen="actions")
    await person.see("Sends an SMS to recipients or phone numbers.")
    row = await tick(person, "Recipients")
    await pick_entity(person, row, "Night shift")
    row = setting(person, "Message")
    await person.type(
        row.get_by_role("textbox").first, "{{ trigger.name }} asks: {{ trigger.text }}"
    )
    await person.look("action")
    await save(person, "Pass on what Alice asks")
    # There is nothing to save any more.
    await person.look("automation-saved", allow=["cut off below: Save"])


async def _run_automation(person: Person) -> None:
    await receive(person, "+14805550177", "Status?")
    await receive(person, ALICE, "Good morning")
    await receive(person, ALICE, "Status?")
    numbers = await wait_sent(person, "Alice asks: Status?")
    person.expect("it went to all of the recipient", sorted(numbers), _NIGHT_SHIFT)
    received = await person.received()
    person.expect("nothing else was sent", len(received.sent), len(_NIGHT_SHIFT))


async def _import_blueprint(person: Person) -> None:
    site = web.Application()
    site.router.add_static("/", _FILES)
    runner = web.AppRunner(site)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        await person.open(BLUEPRINTS)
        await person.press("Import blueprint")
        address = f"http://{host}:{port}/act_on_reply.yaml"
        await person.fill("Blueprint address", address)
        await person.press("Preview")
        await person.see("Performs actions when a recipient sends")
        await person.look("blueprint-import")
        dialog = person.page.locator("ha-dialog-import-blueprint")
        await person.press("Import blueprint", within=dialog)
        await dialog.locator("dialog[open]").wait_for(state="hidden")
        await person.see("Act on an SMS")
    finally:
        await runner.cleanup()


async def _fill_in_blueprint(person: Person) -> None:
    await person.open(BLUEPRINTS)
    row = person.page.get_by_role("row").filter(has_text="Act on an SMS")
    await person.click(row.first)
    await person.see("Blueprint to use")
    await person.look("blueprint")
    await pick_entity(person, setting(person, "From"), "Alice")
    row = setting(person, "Texts")
    await person.press("Add", within=row)
    await person.type(row.get_by_role("textbox").first, "lights")
    await add(person, "Add action", "Zoho Voice: Send SMS")
    await person.see("Sends an SMS to recipients or phone numbers.")
    row = await tick(person, "Recipients")
    await pick_entity(person, row, "Night shift")
    row = setting(person, "Message")
    await person.type(row.get_by_role("textbox").first, "The lights are on")
    row = setting(person, "Reply")
    await person.type(
        row.get_by_role("textbox").first, "Done, {{ trigger.name | upper }}"
    )
    await person.look("blueprint-filled-in")
    await save(person)


async def _run_blueprint(person: Person) -> None:
    await receive(person, ALICE, "Lights")
    numbers = await wait_sent(person, "Done, ALICE")
    person.expect("the answer went to who wrote", numbers, [ALICE])
    numbers = await wait_sent(person, "The lights are on")
    person.expect("the action was performed", sorted(numbers), _NIGHT_SHIFT)


STEPS = [
    Step("Add our trigger in the automation editor", _add_trigger),
    Step("Add our condition", _add_condition),
    Step("Add our action, and save", _add_action),
    Step("Run it by an incoming SMS", _run_automation),
    Step("Import a blueprint", _import_blueprint),
    Step("Fill in the blueprint", _fill_in_blueprint),
    Step("Run it by an incoming SMS", _run_blueprint),
]
