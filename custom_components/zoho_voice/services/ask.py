"""The action `zoho_voice.ask`: send a question, and wait for the first answer."""

import asyncio
from collections.abc import Collection, Mapping, Set as AbstractSet
from datetime import timedelta
from typing import Any

from homeassistant.components.notify.const import ATTR_MESSAGE, ATTR_TITLE
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_NAME
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
from homeassistant.util.async_ import create_eager_task
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..account import Account
from ..calls.message import async_compose
from ..calls.phone_number import parse_sender_id
from ..calls.prepare import validate_targets
from ..calls.recipients import async_find_recipients
from ..calls.target import take_entity_ids
from ..const import (
    ATTR_CHOICES,
    ATTR_RECIPIENT,
    ATTR_RECIPIENTS,
    ATTR_TIMEOUT,
    CONF_SENDER_ID,
    DOMAIN,
)
from ..errors import SendError, validation_error
from ..sending.dispatch import Sending
from ..tracking.coordinator import MessageLogCoordinator
from ..tracking.opt_outs import is_stop
from ..tracking.questions import Answer, async_get_questions, plain_text
from ..tracking.signals import SIGNAL_INCOMING
from ..tracking.tracker import IncomingSms
from ..zoho.message_log import DeliveryState

SERVICE_ASK = "ask"
#: How many choices a question may have: one digit is enough to reply.
MAX_CHOICES = 9
#: How long to wait for an answer, unless the call says otherwise.
DEFAULT_TIMEOUT = timedelta(minutes=10)
MIN_TIMEOUT = timedelta(seconds=1)
MAX_TIMEOUT = timedelta(hours=24)
#: How long a look into the message log may hold up a question, or its end (seconds).
LOOK_TIMEOUT = 10.0
#: What means that nobody can answer.
NOT_DELIVERED = {DeliveryState.UNDELIVERED, DeliveryState.FAILED}

ASK_SCHEMA = vol.Schema(
    {
        **cv.ENTITY_SERVICE_FIELDS,
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_TITLE): cv.string,
        vol.Required(ATTR_CHOICES): vol.All(
            cv.ensure_list,
            [vol.All(cv.string, str.strip, vol.Length(min=1))],
            vol.Length(min=1, max=MAX_CHOICES),
        ),
        vol.Optional(ATTR_TIMEOUT, default=DEFAULT_TIMEOUT): vol.All(
            cv.positive_time_period, vol.Range(min=MIN_TIMEOUT, max=MAX_TIMEOUT)
        ),
        vol.Optional(ATTR_RECIPIENTS, default=[]): validate_targets,
        vol.Optional(CONF_SENDER_ID): cv.string,
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
    }
)


@callback
def async_setup_ask(hass: HomeAssistant) -> None:
    """Register the action, and let incoming SMS be answers."""
    hass.services.async_register(
        DOMAIN, SERVICE_ASK, _async_ask, ASK_SCHEMA, SupportsResponse.ONLY
    )

    @callback
    def async_take(_: str, sms: IncomingSms) -> None:
        """Take what somebody wrote, unless they want no more SMS."""
        if not is_stop(sms.message, hass.config.language):
            async_get_questions(hass).take(
                sms.number, sms.name, sms.message, sms.log_id, sms.received_at
            )

    async_dispatcher_connect(hass, SIGNAL_INCOMING, async_take)


async def _async_ask(call: ServiceCall) -> ServiceResponse:
    """Ask, and return who answered what first."""
    hass = call.hass
    fields = dict(call.data)
    choices = _validate_choices(hass, fields[ATTR_CHOICES])
    recipients = await async_find_recipients(
        hass,
        fields[ATTR_RECIPIENTS],
        entity_ids=take_entity_ids(hass, fields),
        config_entry_id=fields.get(ATTR_CONFIG_ENTRY_ID),
        keep_trying=0,
    )
    if sender_id := fields.get(CONF_SENDER_ID):
        sender_id = parse_sender_id(sender_id, hass.config.country)
    await _async_catch_up(recipients)
    if not any(_can_receive(account) for account in recipients):
        raise validation_error("cannot_receive")
    numbers = {
        number: recipient.name
        for found in recipients.values()
        for recipient in found
        for number in recipient.numbers
    }
    answer: asyncio.Future[Answer] = hass.loop.create_future()
    questions = async_get_questions(hass)
    message: str = fields[ATTR_MESSAGE]
    question = questions.ask(choices, numbers, answer, hass.loop.time(), message)
    error: SendError | None = None
    try:
        reply_with = await _async_reply_with(hass, question.numbered)
        text = f"{message}\n{reply_with}"
        sms = await async_compose(hass, text, fields.get(ATTR_TITLE))
        _reconsider(recipients)
        sending = Sending(sms, recipients, sender_id, keep_trying=0)
        try:
            sent_to = {sent.receipt.number for sent in await sending.async_send()}
        except SendError as err:
            if not err.sent_to:
                raise
            error = err
            sent_to = {*err.sent_to}
        seconds = fields[ATTR_TIMEOUT].total_seconds()
        await _async_wait(answer, sending, sent_to, seconds)
        if not answer.done():
            await _async_catch_up(recipients)
    except HomeAssistantError as err:
        if not isinstance(err, SendError):
            questions.withdraw(question)
        raise
    finally:
        questions.close(question, hass.loop.time())
    return _response(numbers, answer.result() if answer.done() else None, error)


async def _async_wait(
    answer: asyncio.Future[Answer],
    sending: Sending,
    sent_to: AbstractSet[str],
    seconds: float,
) -> None:
    """Wait for an answer, until the time is up or the question reached nobody."""
    lost = create_eager_task(_async_wait_until_lost(sending, sent_to, seconds))
    try:
        ends: list[asyncio.Future[Any]] = [answer, lost]
        await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        lost.cancel()


async def _async_wait_until_lost(
    sending: Sending, sent_to: AbstractSet[str], seconds: float
) -> None:
    """Return when it is known that the question reached nobody, or else never."""
    states = await sending.async_wait_for_delivery(seconds)
    if not (sent_to <= states.keys() and NOT_DELIVERED.issuperset(states.values())):
        await asyncio.get_running_loop().create_future()


def _validate_choices(hass: HomeAssistant, choices: list[str]) -> list[str]:
    """Return the choices if answers can be told apart, from STOP, too."""
    known: set[str] = set()
    for choice in choices:
        plain = plain_text(choice)
        if is_stop(choice, hass.config.language):
            raise validation_error("choice_means_stop", choice=choice)
        if plain.isdecimal():
            raise validation_error("choice_is_number", choice=choice)
        if plain in known:
            raise validation_error("choice_given_twice", choice=choice)
        known.add(plain)
    return choices


def _can_receive(account: Account) -> bool:
    """Return if answers to an account can be read."""
    return account.coordinator is not None and account.coordinator.can_read


async def _async_catch_up(accounts: Collection[Account]) -> None:
    """Read what came in by now."""
    looks = [one.async_catch_up(LOOK_TIMEOUT) for one in _coordinators(accounts)]
    await asyncio.gather(*looks)


@callback
def _reconsider(accounts: Collection[Account]) -> None:
    """Let the message logs be looked at more often."""
    for coordinator in _coordinators(accounts):
        coordinator.async_reconsider()


@callback
def _coordinators(accounts: Collection[Account]) -> list[MessageLogCoordinator]:
    """Return what reads the message logs of the accounts that are loaded."""
    return [account.coordinator for account in accounts if account.coordinator]


async def _async_reply_with(hass: HomeAssistant, numbered: Mapping[int, str]) -> str:
    """Return the line that says how to answer, in Home Assistant's language."""
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    choices = ", ".join(f"{number}: {choice}" for number, choice in numbered.items())
    return texts[f"component.{DOMAIN}.exceptions.reply_with.message"].format(
        choices=choices
    )


def _response(
    numbers: Mapping[str, str | None], answer: Answer | None, error: SendError | None
) -> JsonObjectType:
    """Return who answered what, and who was not asked; times are in UTC."""
    response: dict[str, Any] = {
        "answered": answer is not None,
        "choice": None,
        ATTR_RECIPIENT: None,
        ATTR_NAME: None,
        "text": None,
        "log_id": None,
        "answered_at": None,
        "not_sent": [
            {ATTR_RECIPIENT: number, ATTR_NAME: name}
            for number, name in numbers.items()
            if error and number not in error.sent_to
        ],
        "error": str(error) if error else None,
    }
    if answer:
        response |= {
            "choice": answer.choice,
            ATTR_RECIPIENT: answer.number,
            ATTR_NAME: answer.name or numbers.get(answer.number),
            "text": answer.text,
            "log_id": answer.log_id,
            "answered_at": dt_util.utc_from_timestamp(answer.received_at).isoformat(),
        }
    return response
