"""The account and its recipients, once they are set up: reconfigure, every option."""

from scripts.lib.demo.set_up import SENDER_ID, TEST_NUMBER

from .person import Locator, Person
from .set_up import INTEGRATION, fill_in_recipient
from .step import Step

#: What the options are set to, by the label of the field.
NUMBERS = {
    "Segments per hour": "500",
    "Segments per day": "2000",
    "SMS to one number": "50",
    "Within": "15",
    "Do not repeat the same message within": "30",
    "Check for incoming SMS every": "15",
}
KEEP_TRYING = "Keep trying when Zoho cannot be reached"
SHOW_TEXT = "Show the text of incoming SMS in events"
#: The text is Home Assistant's own.
UPDATED = "Reconfiguration was successful"
_HOURS, _MINUTES = "1", "30"


async def open_menu(person: Person, row: Locator, item: str) -> None:
    """Choose an item of the three dots menu of a row."""
    await person.click(row.get_by_role("button", name="Menu").first)
    await person.click(row.locator("ha-dropdown-item").filter(has_text=item).first)


def entry_row(person: Person) -> Locator:
    """Return the row of the account on the page of the integration."""
    return person.page.locator("ha-config-entry-row").first


def recipient_row(person: Person, name: str) -> Locator:
    """Return the row of a recipient on the page of the integration."""
    rows = person.page.locator("ha-config-sub-entry-row")
    return rows.filter(has_text=name).first


def _duration(person: Person, label: str) -> Locator:
    """Return the field of a time."""
    return person.page.locator("ha-selector-duration").filter(has_text=label).first


def _number(person: Person, label: str) -> Locator:
    """Return the field of a number."""
    return person.page.get_by_role("spinbutton", name=label, exact=True).first


def _switch(person: Person, label: str) -> Locator:
    """Return a switch."""
    field = person.page.locator("ha-selector-boolean").filter(has_text=label)
    return field.locator("ha-switch").first


async def _reconfigure(person: Person) -> None:
    await person.open(INTEGRATION)
    await open_menu(person, entry_row(person), "Reconfigure")
    await person.see("Change the sender ID of")
    await person.look("reconfigure")
    await person.fill("Sender ID", "+1 888 555 010")
    await person.press("Submit")
    await person.see("This is neither a phone number nor a name")
    await person.look("reconfigure-refused")
    await person.fill("Sender ID", SENDER_ID)
    await person.fill("Send a test SMS to", TEST_NUMBER)
    await person.press("Submit")
    await person.see(UPDATED)
    await person.look("reconfigured")
    await person.close_dialog()
    received = await person.received()
    person.expect("one test SMS was sent", received.numbers, [TEST_NUMBER])


async def _reconfigure_recipient(person: Person) -> None:
    row = recipient_row(person, "Alice")
    await person.click(row.get_by_role("button", name="Change the recipient").first)
    await person.see("Change the recipient")
    await person.look("recipient-reconfigure")
    await fill_in_recipient(person, "Night shift", "+14805550111")
    await person.press("Submit")
    await person.see("Another recipient already has this name")
    await person.look("recipient-name-taken")
    await person.fill("Name", "Alice")
    await person.press("Submit")
    await person.see(UPDATED)
    await person.look("recipient-reconfigured")
    await person.close_dialog()


async def _open_options(person: Person) -> None:
    await person.open(INTEGRATION)
    await person.click(entry_row(person).get_by_role("button", name="Configure").first)
    await person.see("Zoho Voice options")


async def _enter_wrong_options(person: Person) -> None:
    await _open_options(person)
    await person.look("options")
    await person.type(
        _duration(person, KEEP_TRYING).locator("input[name=minutes]"), "2"
    )
    await person.type(_number(person, "Check for incoming SMS every"), "5")
    await person.press("Submit")
    await person.see("Enter a time from 5 minutes to 24 hours")
    await person.see("Enter a time of at least 15 seconds")
    await person.look("options-refused")


async def _enter_options(person: Person) -> None:
    duration = _duration(person, KEEP_TRYING)
    await person.type(duration.locator("input[name=hours]"), _HOURS)
    await person.type(duration.locator("input[name=minutes]"), _MINUTES)
    for label, value in NUMBERS.items():
        await person.type(_number(person, label), value)
    await person.click(_switch(person, SHOW_TEXT))
    await person.press("Submit")
    await person.see("Options successfully saved.")
    await person.press("Finish")
    await _open_options(person)
    shown = {label: await _number(person, label).input_value() for label in NUMBERS}
    person.expect("the numbers are kept", shown, NUMBERS)
    duration = _duration(person, KEEP_TRYING)
    time = [
        await duration.locator(f"input[name={name}]").input_value()
        for name in ("hours", "minutes")
    ]
    person.expect("the time is kept", time, [_HOURS, _MINUTES])
    checked = await _switch(person, SHOW_TEXT).locator("input").is_checked()
    person.expect("the switch is kept", checked, wanted=False)
    # The attributes that the other themes look at are there only with it.
    await person.click(_switch(person, SHOW_TEXT))
    await person.press("Submit")
    await person.see("Options successfully saved.")
    await person.look("options-saved")
    await person.press("Finish")


STEPS = [
    Step("Reconfigure the account, with a wrong sender ID", _reconfigure),
    Step("Reconfigure a recipient, with a name that is taken", _reconfigure_recipient),
    Step("Enter options that are not possible", _enter_wrong_options),
    Step("Enter every option", _enter_options),
]
