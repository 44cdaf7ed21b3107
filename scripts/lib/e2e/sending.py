"""Send SMS from Tools → Actions."""

from scripts.lib.demo.set_up import ALICE, DOMAIN, SENDER_ID

from .actions import choose_action, enter, perform, row, toggle, use
from .person import Person
from .set_up import WRONG_SENDER_ID
from .step import Step
from .waiting import wait_until

CALLBACK = "https://example.com/callback?key=secret"
TALL = 2400  # pixels: all fields at once
_NEIGHBOR = "+14805550140"
_TITLE, _MESSAGE = "Leak sensor", "There is water in the cellar!"


async def _send_to_entity(person: Person) -> None:
    """Use the action that Home Assistant has for all notify entities."""

    async def sent() -> object:
        return (await person.received()).sent

    await choose_action(person, "notify.send_message")
    await person.press("Add target")
    await person.pick("Alice", search="Alice")
    await enter(person, "Message", "Hello, Alice")
    await use(person, "Title", "Greetings from the cellar")
    # The action and its form are Home Assistant's own.
    await person.look("send-message", allow=["axe:"])
    await perform(person)
    await wait_until("Alice got it", sent)
    received = await person.received()
    person.expect(
        "Alice got it",
        [(sms["number"], sms["message"]) for sms in received.sent],
        [(ALICE, "Greetings from the cellar\nHello, Alice")],
    )


async def _fill_in_every_field(person: Person) -> None:
    """Fill in every field of the action by its own selector, as a dry run."""
    await choose_action(person, f"{DOMAIN}.send_sms")
    await person.look("send-sms")
    await person.resize(TALL)
    recipients = await toggle(person, "Recipients")
    await person.click(recipients.locator("ha-entity-picker").first)
    await person.pick("Night shift", search="Night")
    numbers = await toggle(person, "Phone numbers or names")
    await person.press("Add", within=numbers)
    await person.type(numbers.get_by_role("textbox").first, _NEIGHBOR)
    await enter(person, "Message", _MESSAGE)
    await use(person, "Title", _TITLE)
    await person.pictures.take_panel(person, "action", "tools-action ha-card")
    await person.click(person.page.get_by_text("More options").first)
    await use(person, "Sender ID", SENDER_ID)
    await _choose_time(person)
    await use(person, "Time zone", "Asia/Kolkata")
    await _choose(person, "Character set", "English characters")
    await _choose(person, "Priority", "Urgent")
    await person.click((await toggle(person, "Keep trying")).locator("ha-switch"))
    time = await toggle(person, "Keep trying for")
    await person.type(time.locator("input[name=minutes]"), "20")
    await enter(person, "Wait for delivery", "0")
    await person.click((await toggle(person, "Dry run")).locator("ha-switch"))
    await use(person, "Status callback", CALLBACK)
    account = await toggle(person, "Account")
    await person.click(account.locator("ha-generic-picker, ha-select").first)
    await person.pick("sandbox@example.com")
    await person.look("send-sms-all-fields")
    await perform(person)
    await person.see("dry_run")
    await person.look("send-sms-dry-run")
    received = await person.received()
    person.expect("nothing was sent", received.numbers, [])


async def _choose_time(person: Person) -> None:
    """Choose a day of the next month, at noon."""
    time = await toggle(person, "Scheduled time")
    await person.click(time.get_by_role("textbox").first)
    dialog = person.page.locator("ha-dialog-date-picker")
    await person.click(dialog.locator("button[title=Next]").first)
    await person.click(dialog.locator("button[aria-label$=' 15']").first)
    await person.press("OK")
    await person.type(time.locator("input[name=minutes]"), "30")


async def _choose(person: Person, label: str, option: str) -> None:
    """Choose an option of a field."""
    await person.click(row(person, label).locator("ha-picker-field").first)
    await person.choose_option(option)


async def _send_to_all(person: Person) -> None:
    """Send it for real, at once."""
    for label in ("Dry run", "Scheduled time", "Time zone", "Status callback"):
        await toggle(person, label)
    await enter(person, "Wait for delivery", "30")
    await perform(person)
    await person.see("delivered")
    await person.look("send-sms-sent")
    received = await person.received()
    person.expect(
        "all three got it",
        sorted((sms["number"], sms["message"]) for sms in received.sent),
        [
            (number, f"{_TITLE}\n{_MESSAGE}")
            for number in ("+14805550112", "+14805550113", _NEIGHBOR)
        ],
    )
    person.expect(
        "from the sender ID that was entered",
        {request["body"]["senderId"] for request in received.requests},
        {SENDER_ID},
    )


async def _fail(person: Person) -> None:
    """Send from a sender ID that is not approved: the reason can be read."""
    await enter(person, "Message", "This is not sent")
    await enter(person, "Sender ID", WRONG_SENDER_ID)
    await perform(person)
    await person.see("Zoho refused the SMS to")
    await person.look("send-sms-refused")
    await person.resize()


STEPS = [
    Step("Send to an entity", _send_to_entity),
    Step("Fill in every field of Send SMS", _fill_in_every_field),
    Step("Send it", _send_to_all),
    Step("Send what Zoho refuses", _fail),
]
