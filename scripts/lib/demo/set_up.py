"""Set the integration up as a person does: OAuth client, sign-in, sender, people."""

import asyncio
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any, override

import aiohttp
from yarl import URL

from scripts.lib.hass import HassError
from scripts.lib.sandbox import CLIENT_ID, CLIENT_SECRET

from .stage import Record, Stage
from .step import Play, Step

DOMAIN = "zoho_voice"
FLOW = "/api/config/config_entries/flow"
SUBENTRY_FLOW = "/api/config/config_entries/subentries/flow"

EMAIL = "sandbox@example.com"
_SHOWN_QUERY = ("client_id", "redirect_uri", "access_type", "prompt", "scope")
SENDER_ID = "+18885550100"
TEST_NUMBER = "+14805550199"
TEST_MESSAGE = "Home Assistant can send SMS through Zoho Voice. This is a test."

ALICE = "+14805550111"
NIGHT_SHIFT = ["+14805550112", "+14805550113"]


async def _without_client(stage: Stage, step: Step) -> None:
    """Start the set-up before there is an OAuth client."""
    step.called = {"POST": FLOW, "handler": DOMAIN}
    flow = await stage.hass.rest("POST", FLOW, {"handler": DOMAIN})
    step.got = _pick(flow, "type", "reason")
    step.expect(
        "it asks for application credentials, which makes the UI open their form",
        (flow["type"], flow.get("reason")),
        ("abort", "missing_credentials"),
    )


async def _enter_client(stage: Stage, step: Step) -> None:
    """Store the OAuth client."""
    client = {"domain": DOMAIN, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    command = "application_credentials/create"
    shown = client | {"client_secret": "…"}
    step.called = {"websocket": command, **shown}
    stored = await stage.hass.command(command, **client)
    step.got = _pick(stored, "id", "domain", "client_id")
    step.expect("it is stored", stored["client_id"], CLIENT_ID)


async def _sign_in(stage: Stage, step: Step) -> None:
    """Choose the data center, accept at the consent page, come back."""
    servers = {
        "accounts_url": stage.sandbox.accounts_url,
        "voice_url": stage.sandbox.voice_url,
    }
    rest = stage.hass.rest
    flow = await rest("POST", FLOW, {"handler": DOMAIN})
    path = f"{FLOW}/{flow['flow_id']}"
    first = flow["step_id"]
    flow = await rest("POST", path, {"data_center": "other"})
    second = flow["step_id"]
    flow = await rest("POST", path, servers)
    step.expect(
        "it asks for the data center, then for its servers, then sends to Zoho",
        [first, second, flow["type"]],
        ["user", "other", "external"],
    )
    authorize = URL(flow["url"])
    came_back = await _consent(authorize)
    flow = await _after_external_step(stage, path)
    stage.secrets.add(came_back.query["code"])
    step.called = {
        f"form {first}": {"data_center": "other"},
        f"form {second}": servers,
        "browser": {
            "open": str(authorize.with_query(None)),
            "with": {key: authorize.query[key] for key in _SHOWN_QUERY},
            "press": "Accept",
            "come back to": str(came_back.with_query(None)),
        },
    }
    step.got = _pick(flow, "type", "step_id", "description_placeholders")
    received = await step.received()
    step.expect(
        "it came back to Home Assistant's own address",
        str(came_back.with_query(None)),
        stage.hass.redirect_uri,
    )
    step.expect(
        "Zoho gave a token for the code, once",
        [(token["grant_type"], token["outcome"]) for token in received.token_requests],
        [("authorization_code", "ok")],
    )
    step.expect(
        "it knows who signed in and asks who sends",
        (flow.get("step_id"), flow.get("description_placeholders")),
        ("sender", {"account": EMAIL}),
    )
    stage.flow_id = flow["flow_id"]


async def _choose_sender(stage: Stage, step: Step) -> None:
    """Enter the sender ID, with a test SMS."""
    form = {"sender_id": SENDER_ID, "test_number": TEST_NUMBER}
    step.called = {"form sender": form}
    result = await stage.hass.rest("POST", f"{FLOW}/{stage.flow_id}", form)
    step.got = _pick(result, "type", "title", "next_flow", "errors")
    received = await step.received()
    step.expect(
        "the test SMS is on its way",
        [(sms["number"], sms["message"]) for sms in received.sent],
        [(TEST_NUMBER, TEST_MESSAGE)],
    )
    step.expect(
        "the account is set up under its e-mail address",
        (result["type"], result.get("title")),
        ("create_entry", EMAIL),
    )
    stage.entry_id = result["result"]["entry_id"]
    kind, stage.recipient_flow_id = result["next_flow"]
    step.expect(
        "the first recipient's form opens by itself", kind, "config_subentries_flow"
    )


async def _first_recipient(stage: Stage, step: Step) -> None:
    """Fill in the form that opened by itself."""
    form = {"name": "Alice", "phone_numbers": ["(480) 555-0111"]}
    step.called = {"form user of the recipient, opened by itself": form}
    await _add_recipient(stage, step, stage.recipient_flow_id, form, [ALICE])


async def _second_recipient(stage: Stage, step: Step) -> None:
    """Open the form of a recipient and fill it in."""
    form = {"name": "Night shift", "phone_numbers": NIGHT_SHIFT}
    handler = [stage.entry_id, "recipient"]
    step.called = {"POST": SUBENTRY_FLOW, "form user": form}
    flow = await stage.hass.rest("POST", SUBENTRY_FLOW, {"handler": handler})
    await _add_recipient(stage, step, flow["flow_id"], form, NIGHT_SHIFT)


async def _add_recipient(
    stage: Stage, step: Step, flow_id: str, form: Record, numbers: list[str]
) -> None:
    """Submit a recipient's form; check its entity and its action."""
    result = await stage.hass.rest("POST", f"{SUBENTRY_FLOW}/{flow_id}", form)
    slug = form["name"].lower().replace(" ", "_")
    entity_id, action = f"notify.{slug}", f"notify.{DOMAIN}_{slug}"
    appeared = await _appear(stage, entity_id, action)
    subentries = await stage.hass.command(
        "config_entries/subentries/list", entry_id=stage.entry_id
    )
    titles = [subentry["title"] for subentry in subentries]
    step.got = {**_pick(result, "type", "title", "errors"), "new": appeared}
    step.expect(
        "it is added", (result["type"], titles[-1]), ("create_entry", form["name"])
    )
    step.expect(
        "it has a notify entity and an action of its own", appeared, [entity_id, action]
    )
    stage.texts |= {number.lstrip("+") for number in numbers}


async def _appear(stage: Stage, entity_id: str, action: str) -> list[str]:
    """Wait until an entity is available and an action there; return those that are."""
    found: list[str] = []
    for _ in range(100):
        states = {
            state["entity_id"]: state["state"]
            for state in await stage.hass.rest("GET", "/api/states")
        }
        actions = await stage.hass.command("get_services")
        domain, _, name = action.partition(".")
        found = (
            [entity_id] if states.get(entity_id, "unavailable") != "unavailable" else []
        )
        found += [action] if name in actions[domain] else []
        if len(found) == len((entity_id, action)):
            break
        await asyncio.sleep(0.1)
    return found


async def _consent(authorize: URL) -> URL:
    """Accept at the consent page, as a browser; return the address it comes back to."""
    async with aiohttp.ClientSession(raise_for_status=True) as browser:
        async with browser.get(authorize) as response:
            page = _ConsentPage(await response.text())
        async with browser.post(
            authorize.join(URL(page.action)), data=page.fields, allow_redirects=False
        ) as response:
            came_back = URL(response.headers["Location"], encoded=True)
        async with browser.get(came_back):
            return came_back


async def _after_external_step(stage: Stage, path: str) -> Any:
    """Wait until the set-up goes on after the sign-in."""
    for _ in range(100):
        flow = await stage.hass.rest("GET", path)
        if not flow["type"].startswith("external"):
            return flow
        await asyncio.sleep(0.1)
    raise HassError("the set-up did not go on after the sign-in")


class _ConsentPage(HTMLParser):
    """The form whose button says Accept: where it goes and what it carries."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._form: tuple[str, dict[str, str]] = "", {}
        self.feed(page)
        if not self.action:
            raise HassError("the consent page has no button that accepts")

    @override
    def handle_starttag(
        self, tag: str, attrs: Iterable[tuple[str, str | None]]
    ) -> None:
        """Collect the fields of each form; keep the form that accepts."""
        values = {name: value or "" for name, value in attrs}
        action, fields = self._form
        if tag == "form":
            self._form = values["action"], {}
        elif tag in {"button", "input"} and "name" in values:
            fields[values["name"]] = values["value"]
            if values["value"] == "accept":
                self.action, self.fields = action, fields


def _pick(result: Record, *keys: str) -> Record:
    """Return what is worth showing of an answer."""
    return {key: result[key] for key in keys if result.get(key)}


SET_UP = [
    Play("Add the integration before there is an OAuth client", _without_client),
    Play("Enter the OAuth client", _enter_client, vital=True),
    Play("Choose the data center and sign in at Zoho", _sign_in, vital=True),
    Play("Enter the sender ID, with a test SMS", _choose_sender, vital=True),
    Play("Add the first recipient", _first_recipient, vital=True),
    Play("Add a second one, with two numbers", _second_recipient, vital=True),
]
