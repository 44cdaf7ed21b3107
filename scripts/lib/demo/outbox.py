"""The outbox: Zoho away, a message kept, Home Assistant killed, it is sent once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from scripts.lib.hass import HassError
from scripts.lib.sandbox import CLIENT_ID

from .set_up import ALICE, DOMAIN
from .stage import Record, Stage
from .step import Play, Step

OPTIONS_FLOW = "/api/config/config_entries/options/flow"
MESSAGE = "The alarm went off in the garage."
STATES = "/api/states"


async def _switch_on(stage: Stage, step: Step) -> None:
    """Set the option, and wait until Home Assistant has stored all it has to know."""
    rest = stage.hass.rest
    flow = await rest("POST", OPTIONS_FLOW, {"handler": stage.entry_id})
    form = {"outbox": {"keep_trying": {"hours": 1}}}
    step.called = {f"form {flow['step_id']} of the account's options": form}
    result = await rest("POST", f"{OPTIONS_FLOW}/{flow['flow_id']}", form)
    step.got = {"type": result["type"]}
    step.expect("the option is set", result["type"], "create_entry")
    await stage.hass.wait_stored("auth", stage.hass.tokens["refresh_token"])
    await stage.hass.wait_stored("core.config_entries", '"keep_trying"')
    await stage.hass.wait_stored("application_credentials", CLIENT_ID)


async def _keep(stage: Stage, step: Step) -> None:
    """Send while Zoho refuses connections."""
    data = {"recipients": ["Alice"], "message": MESSAGE}
    step.called = {"sandbox": "refuses connections", "action": "send_sms", "data": data}
    stage.texts.add(MESSAGE)
    # It is told once that the log can't be read either.
    stage.errors.append("Could not read the message log of Zoho Voice")
    await stage.zoho("POST", "faults", {"kind": "refuse"})
    answer = await stage.action(f"{DOMAIN}.send_sms", data, {}, response=True)
    (row,) = answer["messages"]
    step.got = {key: row[key] for key in ("recipient", "status", "message_id")}
    step.expect("the action did not fail: it is kept", row["status"], "QUEUED")
    step.expect(
        "it has an id by which it is found in the outbox",
        [kept["message_id"] for kept in await _waiting(stage)],
        [row["message_id"]],
    )
    step.expect("Zoho received nothing", (await step.received()).requests, [])


async def _kill(stage: Stage, step: Step) -> None:
    """Kill Home Assistant, without a chance to write anything, and start it."""
    before = await _waiting(stage)
    step.called = {"signal": "SIGKILL", "then": "start Home Assistant again"}
    await stage.hass.kill()
    await stage.hass.start()
    await stage.hass.wait_running()
    after = await _waiting(stage)
    step.got = {"zoho_voice.get_outbox": {"waiting": after}}
    step.expect("the message still waits, as it was", after, before)
    step.expect("there was one", len(after), 1)


async def _send(stage: Stage, step: Step) -> None:
    """Let Zoho be there again, and wait for the next try."""
    step.called = {"sandbox": "takes connections again"}
    await stage.zoho("DELETE", "faults")

    async def is_empty() -> bool:
        return not await _waiting(stage)

    await _until(is_empty, "the message was not sent")
    sensors = {
        state["entity_id"]: state["state"]
        for state in await stage.hass.rest("GET", STATES)
        if state["entity_id"].endswith("_sms_waiting")
    }
    step.got = sensors
    received = await step.received()
    step.expect(
        "Zoho has the message, once",
        [(sms["number"], sms["message"]) for sms in received.sent],
        [(ALICE, MESSAGE)],
    )
    step.expect("nothing waits any more", [*sensors.values()], ["0"])


async def _waiting(stage: Stage) -> list[Record]:
    """Return what waits in the outbox."""
    outbox = await stage.action(f"{DOMAIN}.get_outbox", {}, {}, response=True)
    waiting: list[Any] = outbox["waiting"]
    return waiting


async def _until(condition: Callable[[], Awaitable[bool]], failure: str) -> None:
    """Wait until something holds."""
    for _ in range(300):
        if await condition():
            return
        await asyncio.sleep(0.1)
    raise HassError(failure)


OUTBOX = [
    Play("Let the account keep what does not reach Zoho", _switch_on, vital=True),
    Play("Zoho is away: the message is kept", _keep, vital=True),
    Play("Home Assistant is killed and started: it still waits", _kill, vital=True),
    Play("Zoho is back: the message is sent, once", _send),
]
