"""What became of an SMS, and what was answered: a delivery report and a reply."""

import asyncio

from scripts.lib.hass import HassError

from .set_up import ALICE, DOMAIN
from .stage import Stage
from .step import Play, Step

_ALERT = "The freezer is warming up."
_QUESTION = "There is water in the cellar."
_CHOICES = ["on my way", "call the plumber"]
_REPLY = "2, please!"


async def _deliver(stage: Stage, step: Step) -> None:
    """Send, and wait until the phone has it."""
    data = {"recipients": ["Alice"], "message": _ALERT, "wait_for_delivery": 60}
    step.called = {"action": "send_sms", "data": data}
    stage.texts.add(_ALERT)
    answer = await stage.action(f"{DOMAIN}.send_sms", data, {}, response=True)
    (row,) = answer["messages"]
    states = {
        state["entity_id"]: state["state"]
        for state in await stage.hass.rest("GET", "/api/states")
        if state["entity_id"] == "sensor.alice_last_delivery"
    }
    step.got = {"state": row["state"], **states}
    step.expect("the response says that it was delivered", row["state"], "delivered")
    step.expect("so does the recipient's sensor", [*states.values()], ["delivered"])


async def _ask(stage: Stage, step: Step) -> None:
    """Ask, and let the phone answer."""
    data = {
        "recipients": ["Alice"],
        "message": _QUESTION,
        "choices": _CHOICES,
        "timeout": {"seconds": 90},
    }
    step.called = {"action": "ask", "data": data, "the phone answers": _REPLY}
    stage.texts |= {_QUESTION, _REPLY}
    asking = asyncio.create_task(stage.action(f"{DOMAIN}.ask", data, {}, response=True))
    for _ in range(300):
        if (await step.received()).sent or asking.done():
            break
        await asyncio.sleep(0.1)
    else:
        raise HassError("the question was not sent")
    await stage.zoho("POST", "receive", {"from": ALICE, "text": _REPLY})
    answer = await asking
    step.got = {key: answer[key] for key in ("answered", "choice", "name", "text")}
    (sms,) = (await step.received()).sent
    step.check(
        "the SMS says how to answer",
        held=sms["message"].endswith("Reply 1: on my way, 2: call the plumber"),
        otherwise=sms["message"],
    )
    step.expect(
        "the answer is understood",
        (answer["choice"], answer["name"]),
        ("call the plumber", "Alice"),
    )


REPLIES = [
    Play("An SMS is delivered, and Home Assistant knows", _deliver),
    Play("A question is asked and answered by SMS", _ask),
]
