"""From "Add integration" to two recipients, with the mistakes that people make."""

from scripts.lib.demo.set_up import ALICE, DOMAIN, SENDER_ID, TEST_MESSAGE, TEST_NUMBER
from scripts.lib.sandbox import CLIENT_ID, CLIENT_SECRET

from .person import Person
from .step import Step

INTEGRATION = f"/config/integrations/integration/{DOMAIN}"
DASHBOARD = "/config/integrations/dashboard"
NAME = "Zoho Voice"
WRONG_SENDER_ID = "+18885559999"
WRONG_NUMBER = "12345"
NIGHT_SHIFT = ["+1 480 555 0112", "+1 480 555 0113"]


async def add_integration(person: Person) -> None:
    """Find it in the list of all integrations."""
    await person.open(DASHBOARD)
    await person.press("Add integration")
    dialog = person.page.locator("dialog-add-integration")
    await person.type(dialog.get_by_placeholder("Search for a brand name"), NAME)
    # The list keeps the width that it had when it was opened.
    await person.look("add-integration", allow=["scrolled sideways: 580"])
    await person.click(dialog.get_by_role("listitem").filter(has_text=NAME))


async def enter_credentials(person: Person) -> None:
    """Fill in the OAuth client, which is asked for the first time only."""
    await person.see("Zoho Voice needs an OAuth client of your own.")
    await person.look("credentials")
    await person.fill("Name", NAME)
    await person.fill("OAuth client ID", CLIENT_ID)
    await person.fill("OAuth client secret", CLIENT_SECRET)
    await person.press("Add")
    await person.see("Select your data center")


async def choose_data_center(person: Person) -> None:
    """Choose where the account is."""
    await person.see("Zoho keeps your account")
    await person.look("data-center")
    await person.choose("Data center", "Other")
    await person.press("Submit")


async def sign_in(person: Person, decision: str = "Accept") -> None:
    """Enter the servers, then decide at the page of Zoho that opens."""
    sandbox = person.stage.sandbox
    await person.fill("Accounts server", sandbox.accounts_url)
    await person.fill("Zoho Voice server", sandbox.voice_url)
    async with person.page.context.expect_page() as opened:
        await person.press("Submit")
    consent = await opened.value
    await person.click(consent.get_by_role("button", name=decision))


async def submit_sender(person: Person, sender_id: str, test_number: str) -> None:
    """Fill in who sends."""
    await person.fill("Sender ID", sender_id)
    await person.fill("Send a test SMS to", test_number)
    await person.press("Submit")


async def fill_in_recipient(person: Person, name: str, *numbers: str) -> None:
    """Fill in the form of a recipient."""
    await person.fill("Name", name)
    form = person.page.locator("step-flow-form")
    fields = form.locator("input[type=tel]")
    for index, number in enumerate(numbers):
        if await fields.count() <= index:
            await person.press("Add Phone numbers", within=form)
        await person.type(fields.nth(index), number)


async def _find(person: Person) -> None:
    await add_integration(person)


async def _enter_wrong_servers(person: Person) -> None:
    """Enter a server that must not get the sign-in."""
    await choose_data_center(person)
    await person.see("Zoho servers")
    await person.look("servers")
    await person.fill("Accounts server", "http://accounts.example.com")
    await person.fill("Zoho Voice server", "voice")
    await person.press("Submit")
    await person.see("Use an https address.")
    await person.see("This is not a valid address.")
    await person.look("servers-refused")


async def _reject(person: Person) -> None:
    await sign_in(person, "Reject")
    await person.see("You did not allow Home Assistant to use Zoho Voice")
    await person.look("rejected")
    await person.press("Close", within=person.page.locator("ha-dialog-footer"))


async def _accept(person: Person) -> None:
    await add_integration(person)
    await choose_data_center(person)
    await sign_in(person)
    await person.see("You are signed in as")
    await person.look("sender")


async def _enter_wrong_sender(person: Person) -> None:
    await submit_sender(person, WRONG_SENDER_ID, TEST_NUMBER)
    await person.see("Zoho refused the test SMS")
    await person.look("sender-refused")
    received = await person.received()
    person.expect("nothing was sent", received.numbers, [])


async def _enter_sender(person: Person) -> None:
    await person.fill("Sender ID", SENDER_ID)
    await person.pictures.take_dialog(person, "sender")
    await person.press("Submit")
    await person.see("Each recipient gets its own notify entity.")
    received = await person.received()
    person.expect(
        "one test SMS was sent",
        [(sms["number"], sms["message"]) for sms in received.sent],
        [(TEST_NUMBER, TEST_MESSAGE)],
    )


async def _add_first_recipient(person: Person) -> None:
    await person.look("recipient")
    await fill_in_recipient(person, "Alice", "(480) 555-0111")
    await person.pictures.take_dialog(person, "recipient")
    await person.press("Submit")
    await person.see("Created configuration for Alice.")
    await person.look("recipient-added")
    await person.press("Finish")
    person.stage.texts.add(ALICE.lstrip("+"))


async def _add_second_recipient(person: Person) -> None:
    await person.open(INTEGRATION)
    await person.press("Add recipient")
    await fill_in_recipient(person, "Night shift", NIGHT_SHIFT[0], WRONG_NUMBER)
    await person.press("Submit")
    await person.see(f"{WRONG_NUMBER} is not a valid phone number.")
    await person.look("recipient-refused")
    await person.click(person.page.get_by_text("Quiet hours", exact=True).first)
    await person.see("When not to disturb the recipient.")
    await person.look("recipient-quiet-hours")
    await person.click(person.page.get_by_text("Quiet hours", exact=True).first)
    await fill_in_recipient(person, "Night shift", *NIGHT_SHIFT)
    await person.press("Submit")
    await person.see("Created configuration for Night shift.")
    await person.press("Finish")


async def _look_at_integration(person: Person) -> None:
    await person.open(INTEGRATION)
    await person.see("Night shift")
    await person.see("3 entities")
    await person.look("integration")
    await person.pictures.take_panel(
        person, "integration", "ha-config-integration-page .container"
    )


STEPS = [
    Step("Find the integration", _find, vital=True),
    Step("Enter the application credentials", enter_credentials, vital=True),
    Step("Enter servers that are not allowed", _enter_wrong_servers, vital=True),
    Step("Reject at Zoho's page", _reject, vital=True),
    Step("Accept at Zoho's page", _accept, vital=True),
    Step("Enter a sender ID that Zoho refuses", _enter_wrong_sender, vital=True),
    Step("Enter the sender ID, with a test SMS", _enter_sender, vital=True),
    Step("Add the first recipient", _add_first_recipient, vital=True),
    Step("Add a second one, with a wrong number", _add_second_recipient, vital=True),
    Step("Look at the integration's page", _look_at_integration),
]
