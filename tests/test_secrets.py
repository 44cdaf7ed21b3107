"""Nothing private leaves the integration but to Zoho and to whoever asked.

All that can be done is done here, well and badly, with every word that is said above
debug written down: by the integration and by Home Assistant. Then it is searched.
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import timedelta
import json
import logging
from pathlib import Path
import re
import time
import traceback
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.const import EVENT_CALL_SERVICE, MATCH_ALL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import JSONEncoder
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.zoho_voice import accounts
from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.zoho_voice.sending import journal
from custom_components.zoho_voice.zoho import client, token
from sandbox import Account, FaultKind, Sandbox

from .conftest import TRANSLATIONS, placeholders_in, recipient
from .test_config_flow import Person

# Not those of other tests: the texts give these as examples.
ERIN = "+14805550144"
FRANK = "+442079460958"
STRANGER = "+14805550166"
SENDER = "+18885550177"
OTHER_SENDER = "+18885550188"
NUMBERS = (ERIN, FRANK, STRANGER, SENDER, OTHER_SENDER)

TITLE = "Confidential heading"
TEXT = "Water in the cellar of Erin"
CALLBACK_SECRET = "zapikey-1003-secret"
CALLBACK = f"https://example.com/callback?zapikey={CALLBACK_SECRET}"

#: What stands between the digits of a number as people and Zoho write it.
BETWEEN = re.compile(r"[\s()./~\-\u00a0\u2010-\u2015\u2212]+")


class Ear:
    """Write down what is said, and know what must not be."""

    def __init__(
        self, hass: HomeAssistant, caplog: pytest.LogCaptureFixture, sandbox: Sandbox
    ) -> None:
        self._hass = hass
        self._caplog = caplog
        self._sandbox = sandbox
        #: What was said, each with where.
        self.heard: list[tuple[str, str]] = []
        self._private = {
            "client secret": sandbox.client_secret,
            "title": TITLE,
            "text": TEXT,
            "callback": CALLBACK_SECRET,
            **{f"number …{number[-4:]}": number[-10:] for number in NUMBERS},
        }
        hass.bus.async_listen(MATCH_ALL, self._hear_event)

    @callback
    def _hear_event(self, event: Event) -> None:
        # What an action is called with is in the hands of the caller.
        if event.event_type != EVENT_CALL_SERVICE:
            self.hear("event", event.as_dict())

    def hear(self, where: str, what: Any) -> None:
        """Write something down."""
        text = (
            what
            if isinstance(what, str)
            else json.dumps(what, cls=JSONEncoder, ensure_ascii=False)
        )
        self.heard.append((where, text))

    def hear_error(self, err: BaseException) -> None:
        """Write an error down as it is shown, and as a log would show it."""
        self.hear("error", f"{err} {err!r}")
        self.hear("traceback", "".join(traceback.format_exception(err)))
        if isinstance(err, HomeAssistantError):
            self.hear("placeholders", err.translation_placeholders or {})

    def hear_all(self) -> None:
        """Write down what can be read now: states, repairs, the log."""
        for state in self._hass.states.async_all():
            self.hear("state", state.as_dict())
        for issue in ir.async_get(self._hass).issues.values():
            if issue.domain != DOMAIN:
                continue
            placeholders = issue.translation_placeholders or {}
            self.hear("issue", [issue.issue_id, issue.data, placeholders])
            texts = TRANSLATIONS["issues"][issue.translation_key]
            shown = [texts["title"], texts.get("description", "")]
            for step in texts.get("fix_flow", {}).get("step", {}).values():
                shown += [text for text in step.values() if isinstance(text, str)]
            for text in shown:
                given = {
                    name: placeholders.get(name, "") for name in placeholders_in(text)
                }
                self.hear("text of an issue", text.format(**given))
        formatter = logging.Formatter()
        for record in self._caplog.records:
            # Home Assistant's server writes no log of its requests; that of tests does.
            if record.name == "aiohttp.access":
                continue
            own = DOMAIN in record.name
            if record.levelno >= (logging.DEBUG if own else logging.INFO):
                text = formatter.format(record)
                self.hear("own log" if own else "log", f"{record.name} {text}")

    @property
    def private(self) -> dict[str, str]:
        """Return what must not be heard, with all tokens that there were."""
        tokens = self._sandbox.tokens
        given = {*tokens._codes, *tokens._grants, *tokens._access}
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            given |= {entry.data["token"]["access_token"]}
        return self._private | {f"token {secret}": secret for secret in given}

    def search(self) -> list[str]:
        """Return what was heard and should not have been."""
        found = []
        private = self.private
        for where, text in self.heard:
            together = BETWEEN.sub("", text)
            found += [
                f"{name} in {where}: {text}"
                for name, secret in private.items()
                if secret in text or (secret.isdecimal() and secret in together)
            ]
        return found

    def said(self, where: str) -> str:
        """Return all that was said somewhere."""
        return "\n".join(text for place, text in self.heard if place == where)


@pytest.fixture
def recipients() -> list[Any]:
    """Return recipients with and without a sender ID of their own."""
    return [recipient("Erin", ERIN), recipient("Shift", FRANK, sender_id=OTHER_SENDER)]


@pytest.fixture
def entry(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, tmp_path: Path
) -> MockConfigEntry:
    """Return an account with numbers of its own, which keeps what it can't send."""
    hass.config.config_dir = str(tmp_path)
    sandbox.sender_ids |= {SENDER, OTHER_SENDER}
    hass.config_entries.async_update_entry(
        entry,
        data={**entry.data, "sender_id": SENDER},
        options={"flood_limit": 0, "keep_trying": 3600},
    )
    return entry


@pytest.fixture
async def ear(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, sandbox: Sandbox
) -> AsyncGenerator[Ear]:
    """Return what listens up to the end, and finds nothing private then."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    ear = Ear(hass, caplog, sandbox)
    yield ear
    await hass.async_block_till_done(wait_background_tasks=True)
    ear.hear_all()
    assert ear.search() == []


@pytest.fixture
async def person(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    current_request_with_host: None,
    sandbox: Sandbox,
    credentials: None,
) -> Person:
    """Return a person in front of a browser."""
    assert await async_setup_component(hass, "notify", {})
    return Person(hass, await hass_client_no_auth(), sandbox)


WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "entity": ("notify", "send_message", {"entity_id": "notify.erin", "title": TITLE}),
    "action": (
        DOMAIN,
        "send_sms",
        {"recipients": ["Erin", "(480) 555-0166"], "status_callback": CALLBACK},
    ),
    "classic": (
        "notify",
        DOMAIN,
        {"target": [ERIN, "Shift"], "data": {"status_callback": CALLBACK}},
    ),
}


async def send(hass: HomeAssistant, ear: Ear, way: str, **changes: Any) -> bool:
    """Send in one of the ways; return if that went well."""
    domain, action, data = WAYS[way]
    try:
        await hass.services.async_call(
            domain, action, {"message": TEXT, **data, **changes}, blocking=True
        )
    except (HomeAssistantError, vol.Invalid) as err:
        ear.hear_error(err)
        return False
    return True


def sign_in_anew(hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox) -> None:
    """Give the account another token, and close the dialogs that ask for one."""
    reply = {**sandbox.issue_token(), "expires_at": time.time() + 3600}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": reply})
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])


async def wait(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float
) -> None:
    """Let time pass."""
    freezer.tick(timedelta(**time))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(**time))
    await hass.async_block_till_done(wait_background_tasks=True)


def echo(entry: MockConfigEntry, way: str) -> str:
    """Return words of Zoho that repeat all that it was asked with."""
    words = f"No {TEXT} to +1 480-555-0144, {FRANK} or (480) 555-0166 from {SENDER}"
    words += f" with {entry.data['token']['access_token']}"
    return f"{TITLE}\n{words}" if way == "entity" else f"{words}, see {CALLBACK}"


SEND_FAULTS = [kind for kind in FaultKind if kind.endpoint.name == "SEND"]
TOKEN_FAULTS = [
    kind
    for kind in FaultKind
    if kind.endpoint.name == "TOKEN" and kind is not FaultKind.NO_REFRESH_TOKEN
]


@pytest.mark.parametrize("way", WAYS)
async def test_sending(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, ear: Ear, way: str
) -> None:
    assert await send(hass, ear, way)
    account.runtime_data.keep_trying = 0.0
    with (
        patch.object(client, "REQUEST_TIMEOUT", 0.2),
        patch.object(token, "TIMEOUT", 0.2),
    ):
        for kind in [*SEND_FAULTS, *TOKEN_FAULTS]:
            sign_in_anew(hass, account, sandbox)
            await hass.config_entries.async_reload(account.entry_id)
            account.runtime_data.keep_trying = 0.0
            if kind in TOKEN_FAULTS:
                sandbox.expire_access_tokens()
            sandbox.add_fault(kind, times=None, seconds=1, message=echo(account, way))
            assert not await send(hass, ear, way)
            sandbox.clear_faults()
    for refused in ("accounts", "voice"):
        await sandbox.refuse(refused)
        sandbox.expire_access_tokens()
        assert not await send(hass, ear, way)
        await sandbox.listen(refused)
    assert "…0144" in ear.said("error")


@pytest.mark.parametrize(
    ("way", "changes"),
    [
        ("action", {"recipients": f"Erin {ERIN}"}),
        ("action", {"recipients": "+1 480 555 0144 0144 0144"}),
        ("action", {"recipients": "notify.14805550144"}),
        ("action", {"entity_id": "notify.14805550144"}),
        ("action", {"message": TEXT * 50}),
        ("action", {"sender_id": f"{SENDER}{SENDER}"}),
        ("action", {"status_callback": f"no-url?{CALLBACK_SECRET}"}),
        ("action", {"scheduled_time": "2030-01-01 10:00", "time_zone": ERIN}),
        ("classic", {"target": f"Erin {ERIN}"}),
        ("classic", {"data": {ERIN: 1}}),
        ("classic", {"data": {"status_callback": f"no-url?{CALLBACK_SECRET}"}}),
    ],
)
async def test_wrong_calls(
    hass: HomeAssistant,
    account: MockConfigEntry,
    ear: Ear,
    way: str,
    changes: dict[str, Any],
) -> None:
    assert not await send(hass, ear, way, **changes)


async def test_what_is_too_much(
    hass: HomeAssistant, account: MockConfigEntry, ear: Ear
) -> None:
    hass.config_entries.async_update_entry(
        account, options={"flood_limit": 1, "segments_per_hour": 3}
    )
    await hass.config_entries.async_reload(account.entry_id)
    assert await send(hass, ear, "entity")
    assert not await send(hass, ear, "entity")
    assert not await send(hass, ear, "action", recipients=[FRANK], message=TEXT * 30)
    ear.hear_all()
    assert "…0144" in ear.said("text of an issue")


async def test_automations_and_scripts(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, ear: Ear
) -> None:
    actions = [
        {
            "action": f"{domain}.{action}",
            "data": {"message": TEXT, **data},
            "continue_on_error": True,
        }
        for domain, action, data in WAYS.values()
    ]
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": "Alarm",
                "triggers": {"trigger": "event", "event_type": "alarm"},
                "actions": actions,
            }
        },
    )
    assert await async_setup_component(
        hass,
        "script",
        {"script": {"alarm": {"sequence": actions[0] | {"continue_on_error": False}}}},
    )
    await hass.async_block_till_done()
    account.runtime_data.keep_trying = 0.0
    sandbox.add_fault(FaultKind.ERROR_200, times=None, message=f"{TEXT} {FRANK}")
    hass.bus.async_fire("alarm")
    await hass.async_block_till_done(wait_background_tasks=True)
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call("script", "alarm", blocking=True)
    assert len(sandbox.requests) > 3
    ear.hear_all()
    assert "…0144" in ear.said("log")


async def test_outbox(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    ear: Ear,
) -> None:
    async def look() -> None:
        ear.hear_all()
        found = await async_get_config_entry_diagnostics(hass, account)
        ear.hear("diagnostics", found)

    for ends in (None, FaultKind.DROP_AFTER, FaultKind.ERROR_200):
        await sandbox.refuse()
        for way in WAYS:
            assert await send(hass, ear, way)
        await look()
        await sandbox.listen()
        if ends:
            sandbox.add_fault(ends, times=None, message=echo(account, "action"))
            # The message log would clear up what is unclear.
            sandbox.add_fault(FaultKind.READ_SERVER_ERROR, times=None)
        await wait(hass, freezer, minutes=10)
        sandbox.clear_faults()
        await look()
    await sandbox.refuse()
    for way in WAYS:
        assert await send(hass, ear, way)
    await wait(hass, freezer, hours=2)
    await look()
    with patch.object(journal, "write_utf8_file_atomic", side_effect=WriteError):
        for way in WAYS:
            assert not await send(hass, ear, way)
    assert {
        issue_id.rpartition("_")[0] for _, issue_id in ir.async_get(hass).issues
    } >= {
        "messages_expired",
        "messages_refused",
    }
    assert "messages_unclear" in ear.said("issue")

    await hass.config_entries.async_unload(account.entry_id)
    hass.data[accounts._ACCOUNTS].pop(account.entry_id).stop()
    file = Path(hass.config.path(".storage", f"{DOMAIN}.{account.entry_id}"))
    content = file.read_text()
    assert TEXT in content
    file.write_text(content[:-9])
    assert await hass.config_entries.async_setup(account.entry_id)
    await look()
    assert "damaged" in ear.said("text of an issue")
    assert "…0144" in ear.said("text of an issue")
    assert "…0144" in ear.said("event")


async def test_dialogs(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, ear: Ear
) -> None:
    sandbox.sender_ids |= {SENDER}
    flow = hass.config_entries.flow

    def hear(result: Any) -> Any:
        ear.hear(
            "dialog", [result.get("errors"), result.get("description_placeholders")]
        )
        return result

    for kind in (*TOKEN_FAULTS, FaultKind.NO_REFRESH_TOKEN, FaultKind.USER_INFO_ERROR):
        result = await person.go_to_zoho()
        sandbox.add_fault(kind, seconds=1, message=sandbox.client_secret)
        with patch.object(token, "TIMEOUT", 0.2):
            result = hear(await person.sign_in(result))
        assert result["type"] is FlowResultType.ABORT
    hear(await person.sign_in(await person.go_to_zoho(), "reject"))

    result = await person.go_to_sender()
    for kind in SEND_FAULTS:
        sandbox.add_fault(
            kind, times=None, seconds=1, message=f"No SMS to {STRANGER} by {SENDER}"
        )
        with patch.object(client, "REQUEST_TIMEOUT", 0.2):
            result = hear(
                await person.submit(result, sender_id=SENDER, test_number=STRANGER)
            )
        assert result["errors"]
        sandbox.clear_faults()
        await sandbox.listen()
    result = await person.submit(result, sender_id=SENDER, test_number=STRANGER)
    entry = result["result"]
    await hass.async_block_till_done(wait_background_tasks=True)

    subentries = hass.config_entries.subentries
    _, flow_id = result["next_flow"]
    for number in (f"{ERIN}0144", ERIN):
        # The form may show what was just entered in it.
        await subentries.async_configure(
            flow_id, {"name": "Erin", "phone_numbers": [number]}
        )
        await hass.async_block_till_done(wait_background_tasks=True)
    [subentry_id] = entry.subentries
    result = await subentries.async_init(
        (entry.entry_id, "recipient"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id},
    )
    await subentries.async_configure(
        result["flow_id"], {"name": "Erin", "phone_numbers": [ERIN, FRANK]}
    )
    options = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        options["flow_id"], {"outbox": {"keep_trying": {"hours": 1}}}
    )
    await hass.async_block_till_done(wait_background_tasks=True)

    for changes in (
        {"sender_id": OTHER_SENDER, "test_number": STRANGER},
        {"sender_id": SENDER},
    ):
        result = await flow.async_init(
            DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
        )
        result = hear(await person.submit(result, **changes))
        if result["type"] is FlowResultType.FORM:
            flow.async_abort(result["flow_id"])
        await hass.async_block_till_done(wait_background_tasks=True)

    sandbox.revoke_refresh_tokens()
    assert await send(hass, ear, "entity")
    for zuid, decision in (
        ("20002", "accept"),
        ("10001", "reject"),
        ("10001", "accept"),
    ):
        sandbox.account = Account(zuid=zuid)
        entry.async_start_reauth(hass)
        await hass.async_block_till_done()
        [result] = flow.async_progress()
        result = await person.sign_in(await person.submit(result), decision)
        hear(result)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert result["reason"] == "reauth_successful"
    assert await send(hass, ear, "entity")
    ear.hear_all()

    await sandbox.refuse("accounts")
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("sender_id", [SENDER, "Company"])
async def test_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
    ear: Ear,
    sender_id: str,
) -> None:
    hass.config_entries.async_update_entry(
        account, data={**account.data, "sender_id": sender_id}
    )
    found = await get_diagnostics_for_config_entry(hass, hass_client, account)
    assert found["sender_id_is_number"] is (sender_id == SENDER)
    # Its ports may hold any digits.
    del found["data_center"]
    ear.hear("diagnostics", found)
    text = json.dumps(found)
    unneeded = {
        sandbox.client_id,
        sandbox.account.email,
        sandbox.account.zuid,
        "Erin",
        "Shift",
        sender_id,
        # Not even the end of a number that a mask would leave.
        *(number[-4:] for number in NUMBERS),
    }
    assert {word for word in unneeded if word in text} == set()


PLANTED: Iterable[Callable[[HomeAssistant, str], None]] = [
    lambda hass, secret: logging.getLogger("homeassistant").info(secret),
    lambda hass, secret: logging.getLogger(f"custom_components.{DOMAIN}").debug(secret),
    lambda hass, secret: hass.states.async_set("sensor.planted", "on", {"a": [secret]}),
    lambda hass, secret: hass.bus.async_fire("planted", {"a": {"b": secret}}),
    lambda hass, secret: ir.async_create_issue(
        hass,
        DOMAIN,
        "planted",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="messages_expired",
        translation_placeholders={"count": "1", "account": "a", "messages": secret},
    ),
]


@pytest.mark.parametrize("plant", PLANTED)
async def test_search_finds_what_is_private(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    plant: Callable[[HomeAssistant, str], None],
) -> None:
    ear = Ear(hass, caplog, sandbox)
    for secret in (
        account.data["token"]["refresh_token"],
        account.data["token"]["access_token"],
        sandbox.client_secret,
        f"It says {TEXT}.",
        "tel:+1-480-555-0144",
        "(480) 555 0166",
        "18885550177",
        "+44 (0)20 7946 0958",
    ):
        caplog.clear()
        ear.heard.clear()
        plant(hass, secret)
        await hass.async_block_till_done()
        ear.hear_all()
        assert ear.search(), secret
