"""The same on a phone, from the first page on."""

import re

from .account import entry_row, recipient_row
from .person import Person
from .set_up import INTEGRATION
from .step import Step


async def _look_to_the_end(person: Person, name: str) -> None:
    """Look at a dialog, and at what has to be scrolled to."""
    await person.look(f"phone-{name}")
    if await person.page.evaluate("look.scroll()"):
        await person.look(f"phone-{name}-end")


async def _pick_up(person: Person) -> None:
    await person.take(phone=True)
    await person.open(INTEGRATION)
    await person.see("Night shift")
    await _look_to_the_end(person, "integration")
    await person.press("Menu", within=entry_row(person))
    await person.look("phone-account-menu")


async def _read_forms(person: Person) -> None:
    await person.open(INTEGRATION)
    await person.press("Configure", within=entry_row(person))
    await person.see("Zoho Voice options")
    await _look_to_the_end(person, "options")
    await person.open(INTEGRATION)
    await person.press("Add recipient")
    await person.click(person.page.get_by_text("Quiet hours", exact=True).first)
    await _look_to_the_end(person, "recipient")


async def _read_entities(person: Person) -> None:
    await person.open(INTEGRATION)
    await person.click(recipient_row(person, "Alice").get_by_text("Alice").last)
    await person.page.wait_for_url(re.compile("/config/devices/device/"))
    await _look_to_the_end(person, "device")


async def _put_down(person: Person) -> None:
    await person.take(phone=False)


STEPS = [
    Step("Open the integration on a phone", _pick_up),
    Step("Open the dialogs", _read_forms),
    Step("Open a recipient", _read_entities),
    Step("Put it down", _put_down),
]
