"""Download the diagnostics, and search them for what is private."""

import json
from pathlib import Path

from scripts.lib.demo.set_up import DOMAIN, EMAIL, SENDER_ID

from .account import entry_row, open_menu
from .person import Person
from .set_up import INTEGRATION
from .step import Step

MESSAGE = "Nobody is to know of this"


async def _download(person: Person) -> None:
    target = {"entity_id": "notify.alice"}
    await person.stage.action("notify.send_message", {"message": MESSAGE}, target)
    await person.open(INTEGRATION)
    async with person.page.expect_download() as downloading:
        await open_menu(person, entry_row(person), "Download diagnostics")
    download = await downloading.value
    name = download.suggested_filename
    person.check("the file is called after us", held=DOMAIN in name, otherwise=name)
    text = Path(await download.path()).read_text()
    data = json.loads(text)["data"]
    person.expect("it tells the state of the account", data["state"], "loaded")
    person.expect("it tells of the recipients", len(data["recipients"]), 2)
    person.check("it tells of requests", held=bool(data["requests"]["outcomes"]))
    stage = person.stage
    await stage.received()
    stored = json.loads(
        Path(stage.hass.directory, ".storage", "core.config_entries").read_text()
    )["data"]["entries"]
    entry = next(each for each in stored if each["domain"] == DOMAIN)["data"]
    token = entry["token"]
    private = {
        *stage.secrets,
        *stage.texts,
        token["access_token"],
        token["refresh_token"],
        entry["webhook_id"],
        SENDER_ID.lstrip("+"),
        EMAIL,
        MESSAGE,
        "Alice",
        "Night shift",
    }
    found = [each for each in private if each in json.dumps(data)]
    person.expect("nothing private is in it", found, [])


STEPS = [Step("Download diagnostics", _download)]
