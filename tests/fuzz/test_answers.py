"""Whatever Zoho answers, the caller is told what became of the message, and no more.

Nothing is sent again unless it was certainly refused, nothing is called sent that Zoho
did not call a success, and nothing but Home Assistant's errors is raised.
"""

from collections import defaultdict
from collections.abc import Sequence
import re
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.sending.outbox import REPORTED, Outbox

from ..conftest import examples
from .conftest import Log
from .zoho import (
    HEAVY_BODIES,
    SEND,
    SEND_REPLY,
    TOKEN,
    USER,
    USER_REPLY,
    Answer,
    AnyZoho,
    answers,
    token_reply,
)

TEXT = "Water in the cellar"
#: The ways to send to Alice and the night shift, which has two numbers.
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "entities": (
        "notify",
        "send_message",
        {"entity_id": ["notify.alice", "notify.night_shift"]},
    ),
    "action": (DOMAIN, "send_sms", {"recipients": ["Alice", "Night shift"]}),
    "classic": ("notify", DOMAIN, {"target": ["Alice", "Night shift"]}),
}
#: What says that a token, and with it the request, was refused.
DEAD = re.compile(rb"INVALID_OAUTHTOKEN|INVALID_TICKET|OAUTH_SCOPE|INVALID_OAUTHSCOPE")


def refused(answer: Answer) -> bool:
    """Return if an answer may say that nothing was accepted, so it can go again."""
    if answer.raw is not None:
        return b" 401" in answer.raw or b" 429" in answer.raw or is_dead(answer.raw)
    return answer.status in (401, 429) or is_dead(answer.body)


def is_dead(body: bytes) -> bool:
    """Return if an answer speaks of a token."""
    return DEAD.search(body) is not None


def succeeded(answer: Answer) -> bool:
    """Return if an answer may be a success."""
    if answer.raw is not None:
        return b"ZVSMS-2000" in answer.raw or b"SUCCESS" in answer.raw.upper()
    value = answer.value
    return (
        200 <= answer.status < 300
        and isinstance(value, dict)
        and (
            value.get("code") == "ZVSMS-2000"
            or str(value.get("status")).strip().upper() == "SUCCESS"
        )
    )


def certainly_succeeded(answer: Answer) -> bool:
    """Return if nobody can take an answer for anything else."""
    return (
        answer.raw is None
        and not answer.headers
        and answer.status == 200
        and succeeded(answer)
        and not is_dead(answer.body)
        and str(answer.value.get("status")).upper() in ("SUCCESS", "NONE")
    )


async def begin(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    given: dict[str, Sequence[Answer]],
    *,
    expired: bool = False,
) -> None:
    """Load the account with a new token, at a Zoho with these answers."""
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])
    zoho.reset(given)
    token = token_reply(next(zoho.count))
    token["expires_at"] = time.time() + (-1 if expired else 3600)
    hass.config_entries.async_update_entry(
        account, data={**account.data, "token": token}
    )
    await hass.config_entries.async_reload(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.state is ConfigEntryState.LOADED


async def call(hass: HomeAssistant, way: str) -> str:
    """Send in one of the ways; return the error, empty if there is none."""
    domain, action, data = WAYS[way]
    try:
        response = await hass.services.async_call(
            domain,
            action,
            {**data, "message": TEXT},
            blocking=True,
            return_response=domain == DOMAIN,
        )
    except HomeAssistantError as err:
        return str(err)
    json_bytes(response)
    return ""


def check_what_is_said(used: list[Answer], said: str, *, is_kept: bool) -> None:
    """Check that a call was told what Zoho said to its requests."""
    if is_kept:
        assert said == ""
        assert all(map(refused, used))
        return
    if said == "":
        assert succeeded(used[-1])
    elif "may have been sent" not in said:
        assert not any(map(certainly_succeeded, used))
    if used and certainly_succeeded(used[-1]):
        assert said == ""


def check_what_is_sent(zoho: AnyZoho, outbox: Outbox, *, is_kept: bool) -> None:
    """Check that nothing went again which may have been sent, and nothing is lost."""
    ended = {message.number for message in outbox.reports}
    waiting = {message.number for message in outbox.waiting}
    of_number = defaultdict(list)
    for text, numbers, answer in zoho.sent:
        assert text == TEXT
        for number in numbers:
            of_number[number].append(answer)
    for number, replies in of_number.items():
        assert all(map(refused, replies[:-1]))
        if certainly_succeeded(replies[-1]):
            assert number not in ended | waiting
        elif is_kept and not succeeded(replies[-1]):
            assert number in ended | waiting


@examples(250)
@given(
    way=st.sampled_from([*WAYS]),
    keep=st.booleans(),
    expired=st.booleans(),
    send=st.lists(answers(SEND_REPLY), min_size=1, max_size=4),
    token=st.lists(answers(token_reply(0)), max_size=1),
    user=st.lists(answers(USER_REPLY), max_size=1),
)
async def test_any_answer_to_a_message(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    way: str,
    keep: bool,
    expired: bool,
    send: list[Answer],
    token: list[Answer],
    user: list[Answer],
) -> None:
    with log:
        given = {SEND: send, TOKEN: token, USER: user}
        await begin(hass, account, zoho, given, expired=expired)
        account.runtime_data.keep_trying = 3600.0 if keep else 0.0
        outbox = account.runtime_data.outbox
        said = await call(hass, way)
        is_kept = bool(outbox.waiting)
        assert keep or not is_kept
        used = [answer for _, _, answer in zoho.sent]
        check_what_is_said(used, said, is_kept=is_kept)
        for _ in range(3):
            outbox.wake()
            async_fire_time_changed(hass, dt_util.utcnow())
            await hass.async_block_till_done(wait_background_tasks=True)
        check_what_is_sent(zoho, outbox, is_kept=is_kept)
        # What Zoho said can be written, and more can be sent.
        for state in REPORTED:
            outbox.acknowledge(state)
        await outbox.async_clear()
        json_bytes(account.as_dict())


@pytest.mark.parametrize("path", [SEND, TOKEN, USER])
async def test_answer_that_is_long_or_deep(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    path: str,
) -> None:
    with log:
        for body in HEAVY_BODIES:
            for status in (200, 400):
                given = {path: [Answer(status, body)] * 2}
                await begin(hass, account, zoho, given, expired=path == TOKEN)
                account.runtime_data.keep_trying = 0.0
                assert len(await call(hass, "action")) < 1000
