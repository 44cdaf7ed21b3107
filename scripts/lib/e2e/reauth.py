"""Sign in again after access was revoked at Zoho."""

import json

import aiohttp

from scripts.lib.demo.set_up import ALICE, DOMAIN, EMAIL

from .messages import fail_to_send, send, wait_sent
from .person import Person
from .set_up import DASHBOARD, INTEGRATION
from .step import Step
from .waiting import wait_until

MESSAGE = "You will read this"


async def accept(person: Person, button: str = "Submit") -> None:
    """Press what opens the page of Zoho, and accept there."""
    async with person.page.context.expect_page() as opened:
        await person.press(button)
    consent = await opened.value
    await person.click(consent.get_by_role("button", name="Accept"))
    await person.see("Re-authentication was successful")


def _refresh_token(person: Person) -> str:
    """Return what Home Assistant keeps."""
    path = person.stage.hass.directory / ".storage" / "core.config_entries"
    entries = json.loads(path.read_text())["data"]["entries"]
    entry = next(each for each in entries if each["domain"] == DOMAIN)
    return str(entry["data"]["token"]["refresh_token"])


async def _revoke(person: Person) -> None:
    url = f"{person.stage.sandbox.accounts_url}/oauth/v2/token/revoke"
    token = _refresh_token(person)
    person.stage.secrets.add(token)
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.post(url, data={"token": token}),
    ):
        pass
    said = await fail_to_send(person, "Can you read this?", "Alice")
    person.check("the error says what to do", held="Sign in again" in said)
    (row,) = await send(person, MESSAGE, "Alice", keep_trying=True)
    person.expect("what may be kept is kept", row["status"], "QUEUED")
    await person.open(DASHBOARD)
    card = person.page.locator("ha-config-flow-card")
    await person.see(EMAIL, within=card)
    await person.look("reauth-needed")


async def _sign_in_again(person: Person) -> None:
    await person.open(INTEGRATION)
    await person.see("Needs attention")
    await person.look("reauth-integration")
    await person.press("Reconfigure")
    await person.see("Zoho no longer accepts the sign-in of")
    await person.look("reauth")
    await accept(person)
    await person.look("reauth-done")
    await person.close_dialog()
    numbers = await wait_sent(person, MESSAGE)
    person.expect("what was kept is sent, once", numbers, [ALICE])

    async def no_flow() -> bool:
        flows = await person.stage.hass.command("config_entries/flow/progress")
        return not any(flow["handler"] == DOMAIN for flow in flows)

    await wait_until("nothing needs attention", no_flow)


STEPS = [
    Step("Revoke access at Zoho, and fail to send", _revoke),
    Step("Sign in again, so that what was kept is sent", _sign_in_again),
]
