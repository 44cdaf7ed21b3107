"""Each repair issue, brought about at Zoho's side or on disk, read, and mended."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

from scripts.lib.demo.set_up import ALICE, DOMAIN, SENDER_ID, TEST_NUMBER
from scripts.lib.hass import CommandError

from .account import entry_row, open_menu
from .messages import fail_to_send, receive, send, wait_sent
from .person import Person
from .reauth import accept
from .set_up import INTEGRATION
from .step import Step
from .waiting import wait_loaded, wait_until

REPAIRS = "/config/repairs"
OPTIONS = "/api/config/config_entries/options/flow"
_KEEP_TRYING = {"keep_trying": {"hours": 1}}


@dataclass(frozen=True)
class _Journal:
    """A file of the account, and the titles of the issues about it."""

    name: str
    suffix: str
    damaged: str
    blocked: str


_JOURNALS = [
    _Journal("outbox", "", "The kept SMS cannot be read", "SMS cannot be kept"),
    _Journal(
        "tracking",
        ".tracking",
        "Delivery records cannot be read",
        "Delivery reports cannot be kept",
    ),
]


async def issues(person: Person) -> list[str]:
    """Return which issues of ours are shown."""
    result = await person.stage.hass.command("repairs/list_issues")
    return [
        issue["translation_key"]
        for issue in result["issues"]
        if issue["domain"] == DOMAIN and not issue["ignored"]
    ]


async def open_issue(person: Person, key: str, title: str) -> None:
    """Wait for an issue, and click on it."""

    async def shown() -> bool:
        return key in await issues(person)

    await wait_until(f"there is an issue {key}", shown)
    await person.open(REPAIRS)
    item = person.page.locator("ha-config-repairs ha-list-item-button")
    await person.click(item.filter(has_text=title).first)


async def wait_gone(person: Person, key: str) -> None:
    """Wait until an issue is no longer there."""

    async def gone() -> bool:
        return key not in await issues(person)

    await wait_until(f"the issue {key} is gone", gone)


async def confirm(person: Person, key: str) -> None:
    """Read what the issue says, submit, and see that it is gone."""
    await person.look(f"issue-{key}")
    await person.press("Submit")
    await wait_gone(person, key)


async def set_options(person: Person, **sections: Any) -> None:
    """Change options of the account; those that are not given are as by default."""
    entry = await wait_loaded(person)
    rest = person.stage.hass.rest
    flow = await rest("POST", OPTIONS, {"handler": entry["entry_id"]})
    form = {
        "outbox": _KEEP_TRYING,
        "brakes": {"repeat_seconds": 0},
        "incoming": {"incoming_interval": 15},
        **sections,
    }
    result = await rest("POST", f"{OPTIONS}/{flow['flow_id']}", form)
    person.expect("the options are set", result["type"], "create_entry")
    await wait_loaded(person)


async def _faults(person: Person, *faults: dict[str, Any]) -> None:
    for fault in faults:
        await person.stage.zoho("POST", "faults", fault)


async def _refuse_sender(person: Person) -> None:
    await set_options(person)
    settings = {"sender_ids": ["+18885550111"]}
    await person.stage.zoho("POST", "settings", settings)
    await fail_to_send(person, "Is the sender ID right?", "Alice")
    await open_issue(person, "sender_id_refused", "Zoho may not accept a sender ID")
    await person.see("Zoho refused an SMS from …0100")
    await person.look("issue-sender_id_refused")
    await person.fill("Send a test SMS to", TEST_NUMBER)
    await person.press("Submit")
    await person.see("The test SMS was not confirmed.")
    await person.look("issue-sender_id_refused-again")
    await person.stage.zoho("POST", "settings", {"sender_ids": [SENDER_ID]})
    await person.press("Submit")
    await wait_gone(person, "sender_id_refused")
    received = await person.received()
    person.expect("only the test SMS was sent", received.numbers, [TEST_NUMBER])


async def _keep_too_long(person: Person) -> None:
    person.stage.errors.append("Could not read the message log of Zoho Voice")
    await _faults(person, {"kind": "refuse"})
    rows = await send(
        person, "Dinner is ready", "Alice", keep_trying_for={"seconds": 1}
    )
    person.expect("it is kept", [row["status"] for row in rows], ["QUEUED"])
    await open_issue(person, "messages_expired", "SMS were not sent in time")
    await person.see("Alice (…0111)")
    await confirm(person, "messages_expired")
    await person.stage.zoho("DELETE", "faults")
    received = await person.received()
    person.expect("it is not sent later", received.numbers, [])


async def _lose_connection(person: Person) -> None:
    """Keep two: of one it stays unclear if it was sent, the other one is refused.

    If Zoho had accepted it, the message log would soon settle that.
    """
    await _faults(person, {"kind": "refuse"})
    answers = await asyncio.gather(
        send(person, "The door is open", "Alice"),
        send(person, "The window is open", "Night shift"),
    )
    rows = [row for answer in answers for row in answer]
    statuses = {row["status"] for row in rows}
    person.expect("they are kept", statuses, {"QUEUED"})
    error = {"kind": "error_400", "code": "ZVSMS-4027", "message": "Bad Request"}
    await _faults(
        person, {"kind": "drop_before"}, error, {"kind": "refuse", "seconds": 0}
    )
    await open_issue(person, "messages_unclear", "SMS may have been sent")
    await confirm(person, "messages_unclear")
    await open_issue(person, "messages_refused", "SMS were refused")
    await confirm(person, "messages_refused")
    await person.stage.zoho("DELETE", "faults")


async def _close_guard(person: Person) -> None:
    await set_options(person, spending={"segments_per_hour": 1})
    await _call_script(person, "Watch the door, please")
    await open_issue(person, "spending_guard", "The spending limit is reached")
    await person.see("Alert Alice: 1")
    await person.look("issue-spending_guard")
    await person.open(INTEGRATION)
    await person.press("Configure", within=entry_row(person))
    limit = person.page.get_by_role("spinbutton", name="Segments per hour")
    await person.type(limit.first, "100")
    await person.press("Submit")
    await person.see("Options successfully saved.")
    await wait_gone(person, "spending_guard")


async def _exceed_limit(person: Person) -> None:
    await set_options(person, spending={"segments_per_hour": 1})
    await _call_script(person, "Watch the door, please. " * 10)
    title = "An SMS exceeds the spending limit"
    await open_issue(person, "spending_limit", title)
    await person.look("issue-spending_limit")
    await set_options(person)
    await wait_gone(person, "spending_limit")


async def _flood(person: Person) -> None:
    await set_options(person, brakes={"flood_limit": 1, "repeat_seconds": 0})
    await _call_script(person, "Watch the window")
    await _call_script(person, "Watch the window again")
    await open_issue(person, "flood_brake", "Too many SMS to one number")
    await person.see("Alert Alice → Alice (…0111)")
    await person.look("issue-flood_brake")
    await set_options(person)
    await wait_gone(person, "flood_brake")


async def _call_script(person: Person, message: str) -> None:
    """Let a script send what may have to fail."""
    person.stage.texts.add(message)
    action = {
        "action": "notify.send_message",
        "target": {"entity_id": "notify.alice"},
        "data": {"message": "{{ message }}"},
    }
    script = {"alias": "Alert Alice", "sequence": [action]}
    hass = person.stage.hass
    await hass.rest("POST", "/api/config/script/config/alert_alice", script)

    async def there() -> bool:
        services = await hass.command("get_services")
        return "alert_alice" in services["script"]

    await wait_until("the script is there", there)
    try:
        await person.stage.action("script.alert_alice", {"message": message}, {})
    except CommandError as error:
        # It is in the log, too.
        person.stage.errors += [error.message, "Alert Alice: Error executing script"]


async def _refuse_callback(person: Person) -> None:
    hass = person.stage.hass
    await person.stage.zoho("POST", "settings", {"accept_callbacks": False})
    url = "https://home.example.com"
    await hass.command("config/core/update", external_url=url)
    await send(person, "The garage is open", "Alice")
    title = "Zoho does not accept the webhook of Home Assistant"
    await open_issue(person, "callback_refused", title)
    await person.see(url)
    await person.look("issue-callback_refused")
    await person.stage.zoho("POST", "settings", {"accept_callbacks": True})
    await person.open(INTEGRATION)
    await open_menu(person, entry_row(person), "Reload")
    await wait_gone(person, "callback_refused")
    await hass.command("config/core/update", external_url=None)
    numbers = await wait_sent(person, "The garage is open")
    person.expect("the SMS was sent, once", numbers, [ALICE])


async def _lose_scope(person: Person) -> None:
    await _faults(person, {"kind": "read_missing_scope", "times": None})
    await send(person, "Are you there?", "Alice")
    await open_issue(person, "cannot_read", "Home Assistant cannot read SMS")
    await person.look("issue-cannot_read")
    await person.stage.zoho("DELETE", "faults")
    await person.press("Submit")
    await person.open(INTEGRATION)
    await person.press("Reconfigure")
    await accept(person)
    await person.close_dialog()
    await wait_gone(person, "cannot_read")


async def _opt_out(person: Person) -> None:
    await receive(person, ALICE, "STOP")
    # It is the name of what Alice did, too.
    person.stage.texts.discard("STOP")
    title = "Alice (…0111) does not want any more SMS"
    await open_issue(person, "opted_out", title)
    await person.see("Sending to somebody who opted out")
    await person.look("issue-opted_out")
    said = await fail_to_send(person, "Good night", "Alice")
    person.check("the error says why", held="STOP" in said, otherwise=said)
    agreed = re.compile("They agreed: allow SMS again")
    await person.click(person.page.get_by_text(agreed).first)
    await wait_gone(person, "opted_out")
    await send(person, "Good morning", "Alice")
    received = await person.received()
    person.expect("it can be sent again", received.numbers, [ALICE])


async def _restart(person: Person, change: Callable[[], None]) -> None:
    """Change something on disk while Home Assistant is down."""
    hass = person.stage.hass
    # What it says of the lost connection is nothing of ours.
    await person.page.goto("about:blank")
    # Just after its start, it may have to wait for what it asks the internet.
    await hass.stop(grace=90)
    change()
    await hass.start()
    await hass.wait_running()


async def _damage_files(person: Person) -> None:
    files = await _files(person)
    await _restart(person, lambda: _overwrite(files))
    for path, journal in files.items():
        key = f"{journal.name}_damaged"
        await open_issue(person, key, journal.damaged)
        aside = _aside(path)
        await person.see(aside.name)
        person.check("the file is kept", held=aside.exists())
        await confirm(person, key)
    await send(person, "The door is closed", "Alice")
    received = await person.received()
    person.expect("SMS are sent as before", received.numbers, [ALICE])


async def _block_files(person: Person) -> None:
    """Put something in the way that cannot be renamed, and take it away."""
    files = await _files(person)

    def block() -> None:
        for path in files:
            path.unlink()
            path.mkdir()
            _aside(path).unlink(missing_ok=True)
            _aside(path).symlink_to("nowhere")

    def clear() -> None:
        for path in files:
            path.rmdir()
            _aside(path).unlink()

    # The log says what cannot be written down.
    person.stage.errors.append(": blocked")
    await _restart(person, block)
    for path, journal in files.items():
        await open_issue(person, f"{journal.name}_blocked", journal.blocked)
        await person.see(path.name)
        await person.look(f"issue-{journal.name}_blocked")
    await _restart(person, clear)
    for journal in files.values():
        await wait_gone(person, f"{journal.name}_blocked")


async def _files(person: Person) -> dict[Path, _Journal]:
    """Return the files of the account."""
    entry = await wait_loaded(person)
    storage = Path(person.stage.hass.directory, ".storage")
    return {
        storage / f"{DOMAIN}.{entry['entry_id']}{journal.suffix}": journal
        for journal in _JOURNALS
    }


def _aside(path: Path) -> Path:
    """Return where a damaged file is put."""
    return path.with_name(f"{path.name}.damaged")


def _overwrite(files: Iterable[Path]) -> None:
    """Damage files, and what is beside them."""
    for path in files:
        path.write_text("{")
        path.with_name(f"{path.name}.recent").unlink(missing_ok=True)


STEPS = [
    Step("A sender ID that Zoho refuses", _refuse_sender),
    Step("SMS that were not sent in time", _keep_too_long),
    Step("SMS that may have been sent, and SMS that were refused", _lose_connection),
    Step("The spending limit is reached", _close_guard),
    Step("An SMS that exceeds the spending limit", _exceed_limit),
    Step("Too many SMS to one number", _flood),
    Step("A webhook that Zoho does not accept", _refuse_callback),
    Step("A sign-in without permission to read", _lose_scope),
    Step("Somebody who answers STOP", _opt_out),
    Step("Files that cannot be read", _damage_files),
    Step("Files that cannot be put aside", _block_files),
]
