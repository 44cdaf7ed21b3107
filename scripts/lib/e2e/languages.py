"""The words of other languages: those of the frontend's buttons, and German screens."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import hass_frontend  # type: ignore[import-not-found]

from scripts.lib.demo.set_up import SENDER_ID
from scripts.lib.hass import INTEGRATION as PACKAGE

from .account import entry_row, recipient_row
from .automations import DASHBOARD, setting
from .messages import fail_to_send, send
from .person import Locator, Person
from .repairs import open_issue, set_options, wait_gone
from .set_up import INTEGRATION, NAME
from .step import Step
from .waiting import wait_loaded

_TRANSLATIONS = PACKAGE / "translations"
_FRONTEND = Path(hass_frontend.__file__).parent / "static" / "translations"
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_MARKS = re.compile(r"\*\*|`|\n+|\{[a-z_]+\}|\[|\]\([^)]*\)|https?://\S+")
_SHORTEST = 3  # letters of a text that is worth comparing

type Texts = dict[str, str]


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Return all texts of a file, each with where it stands."""
    if isinstance(value, str):
        yield path, value
        return
    for key, child in value.items():
        yield from _texts(child, f"{path}.{key}" if path else key)


def ours(language: str) -> Texts:
    """Return our texts in a language."""
    return dict(_texts(json.loads((_TRANSLATIONS / f"{language}.json").read_text())))


def frontend(language: str) -> Texts:
    """Return the frontend's own texts in a language."""
    path = next(_FRONTEND.glob(f"{language}-{'?' * 32}.json"))
    return dict(_texts(json.loads(path.read_text())))


def _pieces(texts: Texts) -> set[str]:
    """Return the texts as they stand on a screen, where marks divide them."""
    return {
        piece.strip()
        for text in texts.values()
        for piece in _MARKS.split(text)
        if len(piece.strip()) >= _SHORTEST
    }


class Reader:
    """A person who reads German, and frowns at English."""

    def __init__(self, person: Person) -> None:
        """Learn both languages."""
        self.person = person
        self.page = person.page
        self.texts = ours("de")
        self.frontend = frontend("de")
        self._english = _pieces(ours("en")) - _pieces(self.texts)

    async def look(self, name: str, **options: Any) -> None:
        """Look closely at a screen, and search it for English of ours."""
        await self.person.look(f"de-{name}", **options)
        seen = await self.page.evaluate("look.text()")
        self.person.problems += [
            f"{name}: English: {text}" for text in seen if text in self._english
        ]

    async def submit(self) -> None:
        """Press the button that ends a form."""
        await self.person.press(self.frontend["ui.common.submit"])

    async def close(self) -> None:
        """Close the dialog on top by its cross."""
        button = self.page.get_by_role("button", name="Schließen", exact=True)
        await self.person.click(button.last)
        await self.page.locator("dialog[open]").wait_for(state="hidden")

    async def menu(self, row: Locator, item: str) -> None:
        """Choose an item of the three dots menu of a row."""
        await self.person.press("Menü", within=row)
        await self.person.click(
            row.locator("ha-dropdown-item").filter(has_text=item).first
        )

    async def add(self, kind: str, name: str) -> None:
        """Add a trigger, a condition or an action of ours."""
        await self.person.press(f"{kind} hinzufügen")
        await self.person.click(self.page.get_by_text("Nach Typ", exact=True).first)
        await self.person.settle()
        group = self.page.locator("ha-list-item-button").filter(
            has_text=re.compile(rf"^\s*{NAME}\s*$")
        )
        await self.person.click(group.first)
        await self.person.see(name)
        # The frontend keeps each description on one line.
        await self.look(f"add-{kind}", allow=["cut off at the side"])
        item = self.page.locator("add-automation-element-dialog ha-list-item-button")
        await self.person.click(item.filter(has_text=name).first)


async def _name_buttons(person: Person) -> None:
    """Compare the buttons that our texts name with those that there are."""
    english = ours("en")
    submit = frontend("en")["ui.common.submit"]
    for path in sorted(_TRANSLATIONS.glob("*.json")):
        texts = ours(path.stem)
        button = frontend(path.stem)["ui.common.submit"]
        for where, text in english.items():
            named = _BOLD.findall(texts[where])
            for index, name in enumerate(_BOLD.findall(text)):
                if name == submit:
                    person.expect(f"{path.stem} {where}", named[index], button)


async def _speak_german(person: Person) -> None:
    """Let Home Assistant name its entities in German, too."""
    hass = person.stage.hass
    await hass.command("config/core/update", language="de")
    # It says so of the platforms of all integrations when its language changes.
    person.stage.errors.append("Failed to load integration for translation")
    entry = await wait_loaded(person)
    entries = "/api/config/config_entries/entry"
    await hass.rest("POST", f"{entries}/{entry['entry_id']}/reload")
    await wait_loaded(person)


async def _read_integration(person: Person) -> None:
    reader = Reader(person)
    await person.open(INTEGRATION)
    await person.see("Night shift")
    # It is the frontend's own heading.
    await reader.look("integration", allow=["Geräte, die nicht zu einem"])
    await person.press(reader.texts["config.initiate_flow.user"])
    await person.see(reader.texts["config.step.user.title"])
    await reader.look("data-center")
    await reader.close()
    row = entry_row(person)
    await reader.menu(row, "Neu konfigurieren")
    await person.see(reader.texts["config.step.reconfigure.title"])
    await reader.look("reconfigure")
    await reader.close()
    await person.press("Konfigurieren", within=row)
    await person.see(reader.texts["options.step.init.title"])
    await reader.look("options")
    await reader.close()


async def _read_recipient(person: Person) -> None:
    reader = Reader(person)
    await person.open(INTEGRATION)
    texts = "config_subentries.recipient"
    await person.press(reader.texts[f"{texts}.initiate_flow.user"])
    name = f"{texts}.step.user.sections.quiet_hours.name"
    quiet_hours = person.page.get_by_text(reader.texts[name], exact=True)
    await person.click(quiet_hours.first)
    await reader.look("recipient")
    await reader.submit()
    await reader.look("recipient-refused")
    await reader.close()
    await person.click(recipient_row(person, "Alice").get_by_text("Alice").last)
    await person.page.wait_for_url(re.compile("/config/devices/device/"))
    await person.see("Alice")
    await reader.look("device")


async def _build_automation(person: Person) -> None:
    reader = Reader(person)
    await person.open(DASHBOARD)
    await person.press("Automation erstellen")
    item = person.page.locator("ha-dialog-new-automation ha-list-item")
    await person.click(item.filter(has_text="Neue Automation erstellen").first)
    trigger = "triggers.sms_received"
    await reader.add("Auslöser", reader.texts[f"{trigger}.name"])
    await person.see(reader.texts[f"{trigger}.description"])
    await reader.look("trigger")
    condition = "conditions.messages_waiting"
    await reader.add("Bedingung", reader.texts[f"{condition}.name"])
    await person.see(reader.texts[f"{condition}.description"])
    await reader.look("condition")
    action = "services.send_sms"
    await reader.add("Aktion", reader.texts[f"{action}.name"])
    await person.see(reader.texts[f"{action}.description"])
    sections = "services.send_sms.sections."
    for where, name in reader.texts.items():
        if where.startswith(sections) and where.endswith(".name"):
            await person.click(person.page.get_by_text(name, exact=True).first)
    await setting(
        person, reader.texts[f"{action}.fields.priority.name"]
    ).scroll_into_view_if_needed()
    await reader.look("action")


async def _read_issues(person: Person) -> None:
    reader = Reader(person)
    await set_options(person)
    await person.stage.zoho("POST", "settings", {"sender_ids": ["+18885550111"]})
    await fail_to_send(person, "Is it right?", "Alice")
    await person.stage.zoho("POST", "settings", {"sender_ids": [SENDER_ID]})
    key = "sender_id_refused"
    await open_issue(person, key, reader.texts[f"issues.{key}.title"])
    await person.see(reader.texts[f"issues.{key}.fix_flow.step.sender.title"])
    await reader.look(f"issue-{key}")
    await reader.submit()
    await wait_gone(person, key)
    key = "messages_expired"
    person.stage.errors.append("Could not read the message log of Zoho Voice")
    await person.stage.zoho("POST", "faults", {"kind": "refuse"})
    await send(person, "Good luck", "Alice", keep_trying_for={"seconds": 1})
    await person.stage.zoho("DELETE", "faults")
    await open_issue(person, key, reader.texts[f"issues.{key}.title"])
    await reader.look(f"issue-{key}")
    await reader.submit()
    await wait_gone(person, key)


STEPS = [Step("Name the frontend's buttons in each language", _name_buttons)]
GERMAN_STEPS = [
    Step("Let Home Assistant speak German", _speak_german),
    Step("Read the integration's page and dialogs", _read_integration),
    Step("Read a recipient's", _read_recipient),
    Step("Build an automation", _build_automation),
    Step("Read repair issues", _read_issues),
]
