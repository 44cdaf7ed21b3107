"""The action `zoho_voice.ask`."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.zoho_voice.services import ask as ask_module
from custom_components.zoho_voice.tracking.questions import async_get_questions
from sandbox import FaultKind, Sandbox

from ..common import add_other_account
from ..conftest import ALICE, BOB, CAROL, DAVE, recipient

NOBODY = {
    "choice": None,
    "recipient": None,
    "name": None,
    "text": None,
    "log_id": None,
    "answered_at": None,
}


def begin(hass: HomeAssistant, **data: Any) -> asyncio.Task[dict[str, Any]]:
    """Ask, and leave the caller waiting."""
    return hass.async_create_task(
        hass.services.async_call(
            "zoho_voice",
            "ask",
            {
                "message": "Water in the cellar!",
                "recipients": "Alice",
                "choices": ["on my way", "call the plumber"],
                **data,
            },
            blocking=True,
            return_response=True,
        )
    )


async def until_sent(sandbox: Sandbox, count: int = 1) -> None:
    """Wait until so many SMS were sent."""
    async with asyncio.timeout(10):
        while len(sandbox.sent) < count:
            await asyncio.sleep(0.01)


async def look(entry: MockConfigEntry) -> None:
    """Look into the message log."""
    await entry.runtime_data.coordinator.async_refresh()


async def reply(
    entry: MockConfigEntry, sandbox: Sandbox, number: str, text: str
) -> str:
    """Answer, and let it be noticed; return the log id."""
    sms = sandbox.receive(number, text)
    await look(entry)
    return sms.log_id


@pytest.mark.clock
async def test_first_answer_is_returned(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = begin(hass, title="Leak", recipients=["Night shift", "Alice"])
    await until_sent(sandbox, 3)
    assert {sms.message for sms in sandbox.sent} == {
        "Leak\nWater in the cellar!\nReply 1: on my way, 2: call the plumber"
    }
    log_id = await reply(account, sandbox, CAROL, "2, please")
    assert await asking == {
        "answered": True,
        "choice": "call the plumber",
        "recipient": CAROL,
        "name": "Night shift",
        "text": "2, please",
        "log_id": log_id,
        "answered_at": dt_util.utcnow().isoformat(),
        "not_sent": [],
        "error": None,
    }
    assert not async_get_questions(hass).is_open


async def test_entity_of_the_target_is_asked(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = begin(hass, recipients=[], entity_id="notify.alice", sender_id="ZohoVoice")
    await until_sent(sandbox)
    assert sandbox.sent[0].sender_id == "ZohoVoice"
    sandbox.receive(ALICE, "On my way!", "+18885550100")
    await look(account)
    assert (await asking)["choice"] == "on my way"


async def test_nobody_answers(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    response = await begin(hass, timeout={"seconds": 1})
    assert response == {"answered": False, **NOBODY, "not_sent": [], "error": None}
    assert not async_get_questions(hass).is_open


@pytest.mark.parametrize("status", ["UNDELIVERED", "FAILED"])
async def test_question_that_reached_nobody_ends_at_once(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, status: str
) -> None:
    asking = begin(hass, recipients=["Night shift"], timeout={"hours": 24})
    await until_sent(sandbox, 2)
    to_bob, to_carol = sandbox.sent
    await sandbox.report(to_bob, status)
    await look(account)
    assert not asking.done()
    await sandbox.report(to_carol, status)
    await look(account)
    assert await asking == {
        "answered": False,
        **NOBODY,
        "not_sent": [],
        "error": None,
    }
    assert not async_get_questions(hass).is_open
    assert not account.runtime_data.tracking.tracker.is_awaited


async def test_question_that_reached_somebody_waits(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = begin(hass, recipients=["Night shift"])
    await until_sent(sandbox, 2)
    to_bob, to_carol = sandbox.sent
    await sandbox.report(to_bob, "UNDELIVERED")
    await sandbox.report(to_carol, "DELIVERED")
    await look(account)
    await look(account)
    assert not asking.done()
    await reply(account, sandbox, CAROL, "1")
    assert (await asking)["choice"] == "on my way"


@pytest.mark.parametrize(
    "recipients",
    [[recipient("Alice", ALICE), recipient("Bob", BOB, sender_id="ZohoVoice")]],
)
@pytest.mark.parametrize(
    ("fault", "may_have_got_it"),
    [(FaultKind.ERROR_200, False), (FaultKind.DROP_AFTER, True)],
)
async def test_question_that_may_have_reached_somebody_waits(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    recipients: list[ConfigSubentryData],
    fault: FaultKind,
    may_have_got_it: bool,
) -> None:
    sandbox.add_fault(fault)
    asking = begin(hass, recipients=["Alice", "Bob"])
    await until_sent(sandbox, 1 + may_have_got_it)
    for sms in sandbox.sent:
        await sandbox.report(sms, "UNDELIVERED")
    for _ in range(3):
        await look(account)
    assert asking.done() is not may_have_got_it
    if may_have_got_it:
        await reply(account, sandbox, ALICE, "1")
    response = await asking
    assert response["answered"] is may_have_got_it
    assert len(response["not_sent"]) == 1


async def test_answer_that_comes_just_in_time_counts(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = begin(hass, timeout=1)
    await until_sent(sandbox)
    sandbox.receive(ALICE, "1")
    # Nothing but the end of the time makes it look.
    assert (await asking)["choice"] == "on my way"


async def test_what_came_before_the_question_is_no_answer(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.receive(ALICE, "1")
    asking = begin(hass)
    await until_sent(sandbox)
    await look(account)
    assert not asking.done()
    await reply(account, sandbox, ALICE, "2")
    assert (await asking)["choice"] == "call the plumber"


@pytest.mark.parametrize("options", [{"incoming_interval": 0}])
async def test_account_that_asks_for_no_incoming_sms_does_so_for_an_answer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    options: dict[str, Any],
) -> None:
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    for _ in range(2):
        sandbox.sent.clear()
        sandbox.receive(ALICE, "1")
        asking = begin(hass)
        await until_sent(sandbox)
        await look(entry)
        assert not asking.done()
        await reply(entry, sandbox, ALICE, "call the plumber")
        assert (await asking)["choice"] == "call the plumber"


async def test_questions_to_one_phone_are_told_apart(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    first = begin(hass)
    await until_sent(sandbox)
    second = begin(hass, message="Smoke!", choices=["yes", "no"])
    await until_sent(sandbox, 2)
    assert sandbox.sent[1].message == "Smoke!\nReply 3: yes, 4: no"
    await reply(account, sandbox, ALICE, "2")
    await reply(account, sandbox, ALICE, "3")
    assert (await first)["choice"] == "call the plumber"
    assert (await second)["choice"] == "yes"


async def test_question_survives_a_reload(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = begin(hass)
    await until_sent(sandbox)
    await hass.config_entries.async_reload(account.entry_id)
    await reply(account, sandbox, ALICE, "1")
    assert (await asking)["choice"] == "on my way"


async def test_stop_is_no_answer(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = begin(hass, choices=["stop the pump", "wait"])
    await until_sent(sandbox)
    await reply(account, sandbox, ALICE, "STOP")
    assert not asking.done()
    assert ALICE in account.runtime_data.tracking.opt_outs
    await reply(account, sandbox, ALICE, "stop the pump")
    assert (await asking)["choice"] == "stop the pump"


async def test_question_ends_with_its_caller(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    asking = begin(hass)
    await until_sent(sandbox)
    assert async_get_questions(hass).is_open
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not async_get_questions(hass).is_open


async def test_log_is_looked_at_often_while_a_question_is_open(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    coordinator = account.runtime_data.coordinator
    await look(account)
    assert coordinator.update_interval.total_seconds() == 60
    asking = begin(hass)
    await until_sent(sandbox)
    assert coordinator.update_interval.total_seconds() == 15
    await reply(account, sandbox, ALICE, "1")
    await asking
    await look(account)
    assert coordinator.update_interval.total_seconds() == 60


async def test_those_who_opted_out_are_not_asked(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await look(account)
    await reply(account, sandbox, ALICE, "STOP")
    asking = begin(hass, recipients=["Alice", "Night shift"])
    await until_sent(sandbox, 2)
    await reply(account, sandbox, BOB, "1")
    response = await asking
    assert response["recipient"] == BOB
    assert response["not_sent"] == [{"recipient": ALICE, "name": "Alice"}]
    assert "STOP" in response["error"]
    assert [sms.number for sms in sandbox.sent] == [BOB, CAROL]


async def test_error_if_nobody_was_asked(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.ERROR_200, code="ZVSMS-4027")
    with pytest.raises(HomeAssistantError) as caught:
        await begin(hass)
    assert caught.value.translation_key == "bad_request"
    assert not async_get_questions(hass).is_open


async def test_account_that_is_unloaded_meanwhile_does_not_keep_others_from_asking(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    other = add_other_account(hass, sandbox, account, "Dave")
    assert await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    sandbox.reads.clear()
    sandbox.add_fault(FaultKind.READ_LATE, seconds=0.2, times=2)
    asking = begin(hass, recipients=["Alice", "Dave"])
    while len(sandbox.reads) < 2:
        await asyncio.sleep(0.001)
    assert await hass.config_entries.async_unload(account.entry_id)
    await until_sent(sandbox)
    assert other.runtime_data.coordinator.update_interval.total_seconds() == 15
    await reply(other, sandbox, DAVE, "1")
    response = await asking
    assert (response["choice"], response["name"]) == ("on my way", "Dave")
    assert response["not_sent"] == [{"recipient": ALICE, "name": "Alice"}]
    assert [sms.number for sms in sandbox.sent] == [DAVE]


async def test_error_if_no_answer_can_be_read(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    token = sandbox.issue_token(["ZohoVoice.sms.CREATE", "AaaServer.profile.READ"])
    data = {**entry.data, "token": {**entry.data["token"], **token}}
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    for _ in range(2):
        with pytest.raises(ServiceValidationError) as caught:
            await begin(hass)
        assert caught.value.translation_key == "cannot_receive"
    assert sandbox.requests == []
    # That it is not allowed was known the second time.
    assert len(sandbox.reads) == 1


async def test_zoho_is_left_alone_for_a_question_too_when_it_is_too_much(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.READ_TOO_MANY_REQUESTS)
    await look(account)
    reads = len(sandbox.reads)
    asking = begin(hass, timeout=1)
    await until_sent(sandbox)
    assert (await asking)["answered"] is False
    assert len(sandbox.reads) == reads


async def test_question_is_asked_though_the_log_can_not_be_reached_now(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ask_module, "LOOK_TIMEOUT", 0.01)
    sandbox.answer_seconds = 0.2
    asking = begin(hass)
    await until_sent(sandbox)
    sandbox.answer_seconds = 0.0
    await reply(account, sandbox, ALICE, "1")
    assert (await asking)["answered"]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"choices": ["wait", "STOP"]}, "choice_means_stop"),
        ({"choices": ["Yes", "no", "yes!"]}, "choice_given_twice"),
        ({"choices": ["2", "many"]}, "choice_is_number"),
        ({"message": "x" * 990}, "message_too_long"),
        ({"recipients": []}, "no_recipients"),
        ({"recipients": "Nobody"}, "unknown_recipient"),
        ({"sender_id": "+1"}, "invalid_sender_id"),
    ],
)
async def test_wrong_input_is_refused_before_anything_is_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    data: dict[str, Any],
    key: str,
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await begin(hass, **data)
    assert caught.value.translation_key == key
    assert sandbox.requests == []
    asking = begin(hass)
    await until_sent(sandbox)
    assert "Reply 1:" in sandbox.sent[0].message
    asking.cancel()


@pytest.mark.parametrize(
    "data",
    [
        {"choices": []},
        {"choices": [" "]},
        {"choices": [f"choice {name}" for name in "abcdefghij"]},
        {"timeout": 0},
        {"timeout": {"hours": 25}},
    ],
)
async def test_values_of_another_kind_are_refused_by_the_schema(
    hass: HomeAssistant, account: MockConfigEntry, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await begin(hass, **data)


@pytest.mark.parametrize(
    "recipients", [[recipient("Alice", ALICE)], [recipient("Alice", ALICE, BOB)]]
)
async def test_language_without_a_translation_is_answered_in_english(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    recipients: list[ConfigSubentryData],
) -> None:
    hass.config.language = "eo"
    asking = begin(hass, choices="ja")
    await until_sent(sandbox)
    assert sandbox.sent[0].message.endswith("\nReply 1: ja")
    await reply(account, sandbox, ALICE, "Ja!")
    assert (await asking)["choice"] == "ja"
