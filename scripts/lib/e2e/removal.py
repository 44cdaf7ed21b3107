"""Delete a recipient, then the account."""

import json
from pathlib import Path

from scripts.lib.demo.set_up import DOMAIN, EMAIL

from .account import entry_row, open_menu, recipient_row
from .person import Person
from .repairs import issues
from .set_up import INTEGRATION
from .step import Step
from .waiting import wait_until


async def _entities(person: Person) -> list[str]:
    """Return the entities of ours that are registered."""
    entities = await person.stage.hass.command("config/entity_registry/list")
    return [each["entity_id"] for each in entities if each["platform"] == DOMAIN]


async def _delete(person: Person) -> None:
    """Confirm it."""
    await person.press("Delete", within=person.page.locator("dialog-box"))


async def _delete_recipient(person: Person) -> None:
    await person.open(INTEGRATION)
    await open_menu(person, recipient_row(person, "Night shift"), "Delete")
    await person.see("Delete Night shift?")
    await person.look("delete-recipient")
    await _delete(person)

    async def gone() -> bool:
        return not any("night_shift" in name for name in await _entities(person))

    await wait_until("the recipient's entities are gone", gone)
    await recipient_row(person, "Night shift").wait_for(state="detached")
    actions = await person.stage.hass.command("get_services")
    left = [name for name in actions["notify"] if "night_shift" in name]
    person.expect("its action is gone", left, [])
    await person.look("recipient-deleted")


async def _delete_account(person: Person) -> None:
    storage = Path(person.stage.hass.directory, ".storage")
    stored = json.loads((storage / "core.config_entries").read_text())["data"]
    entry = next(each for each in stored["entries"] if each["domain"] == DOMAIN)
    token = entry["data"]["token"]["refresh_token"]
    await person.open(INTEGRATION)
    await open_menu(person, entry_row(person), "Delete")
    await person.see(f"Delete {EMAIL}?")
    await person.look("delete-account")
    await _delete(person)

    async def gone() -> bool:
        return not await person.stage.hass.command("config_entries/get", domain=DOMAIN)

    await wait_until("the account is gone", gone)
    await entry_row(person).wait_for(state="detached")
    await person.look("account-deleted")
    revoked = (await person.stage.zoho("GET", "state"))["revoked"]
    person.check("the access is revoked at Zoho", held=token in revoked)
    person.expect("no entity is left", await _entities(person), [])
    person.expect("no repair issue is left", await issues(person), [])
    files = [path.name for path in storage.glob(f"{DOMAIN}*")]
    person.expect("no file is left", files, [])

    async def forgotten() -> bool:
        return token not in (storage / "core.config_entries").read_text()

    await wait_until("the token is gone from the disk", forgotten)


STEPS = [
    Step("Delete a recipient", _delete_recipient),
    Step("Delete the account", _delete_account),
]
