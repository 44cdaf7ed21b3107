"""Tools → Actions, and the form that it shares with the automation editor."""

import re

from .person import Locator, Person

ACTIONS = "/config/tools/action"
PERFORM = "Perform action"


async def choose_action(person: Person, action: str) -> None:
    """Open the tool and choose an action by its ID."""
    await person.open(ACTIONS)
    await person.click(person.page.locator("ha-service-picker"))
    await person.pick(action)
    await person.page.locator("ha-service-control ha-settings-row").first.wait_for()


def row(person: Person, label: str) -> Locator:
    """Return the row of a field."""
    heading = person.page.locator(
        "[slot=heading]", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")
    )
    return person.page.locator("ha-settings-row").filter(has=heading).first


async def toggle(person: Person, label: str) -> Locator:
    """Check or uncheck the box that tells whether a field is used; return its row."""
    field = row(person, label)
    await person.click(field.locator("ha-checkbox").first)
    return field


async def enter(person: Person, label: str, value: str) -> None:
    """Enter a text or a number into a field that has no box, or a checked one."""
    await person.type(
        row(person, label).locator("input:not([type=checkbox]), textarea").first, value
    )


async def use(person: Person, label: str, value: str) -> None:
    """Check the box of a field and enter a text or a number."""
    await toggle(person, label)
    await enter(person, label, value)


async def perform(person: Person) -> None:
    """Press the button, and wait until it stops working."""
    await person.press(PERFORM)
