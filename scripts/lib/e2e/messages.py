"""Messages to and from Zoho's side, while a person uses the frontend."""

from typing import Any

from scripts.lib.demo.set_up import DOMAIN
from scripts.lib.hass import CommandError

from .person import Person
from .waiting import wait_until


async def receive(person: Person, number: str, text: str) -> None:
    """Let somebody write an SMS to the account."""
    person.stage.texts |= {number.lstrip("+"), text}
    await person.stage.zoho("POST", "receive", {"from": number, "text": text})


async def send(person: Person, message: str, recipient: str, **data: Any) -> list[Any]:
    """Send a message by our own action; return what it says of each SMS."""
    person.stage.texts.add(message)
    fields = {"recipients": [recipient], "message": message, **data}
    answer = await person.stage.action(f"{DOMAIN}.send_sms", fields, {}, response=True)
    return list(answer["messages"])


async def fail_to_send(person: Person, message: str, recipient: str) -> str:
    """Send what has to fail at once; return what is said of it."""
    try:
        await send(person, message, recipient, keep_trying=False)
    except CommandError as error:
        # It may be in the log, too.
        person.stage.errors.append(error.message)
        return error.message
    person.check(f"{message!r} could not be sent", held=False)
    return ""


async def wait_sent(person: Person, message: str) -> list[str]:
    """Wait until Zoho's side has got a message in this step; return for whom."""

    async def numbers() -> list[str]:
        received = await person.received()
        return [sms["number"] for sms in received.sent if sms["message"] == message]

    return await wait_until(f"{message!r} is sent", numbers)
