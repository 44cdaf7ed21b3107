"""What waits, and callers to the same numbers, share the few slots for requests."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
import time
from typing import cast

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.zoho_voice.account import MAX_REQUESTS, Account
from custom_components.zoho_voice.recipient import Recipient
from custom_components.zoho_voice.sending.dispatch import SentSms, async_send
from custom_components.zoho_voice.sending.journal import Journal
from custom_components.zoho_voice.sending.outbox import Message, State
from custom_components.zoho_voice.zoho.client import ZohoVoiceClient
from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms

from ..conftest import SENDER_ID

BUSY = [f"+1480555010{n}" for n in range(MAX_REQUESTS)]
NUMBERS = [f"+1480555020{n}" for n in range(10)]


class Client:
    """Answer requests to the numbers that are not held."""

    def __init__(self) -> None:
        self.held = {number: asyncio.Event() for number in BUSY}
        self.sent: list[tuple[str, str]] = []

    async def async_authorize(self) -> None:
        pass

    async def async_send_sms(
        self, sms: Sms, sender_id: str, numbers: Sequence[str]
    ) -> list[Receipt]:
        self.sent += [(sms.message, number) for number in numbers]
        for number in numbers:
            if number in self.held:
                await self.held[number].wait()
        return [Receipt(number, {}) for number in numbers]


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
async def account(client: Client, tmp_path: Path) -> AsyncGenerator[Account]:
    """Return an account with a message that waits for each number."""

    async def run[**P, R](work: Callable[P, R], *args: P.args, **_: P.kwargs) -> R:
        return work(*args)

    account = Account(cast(ZohoVoiceClient, client), SENDER_ID)
    account.journal = account.outbox.store = Journal(
        tmp_path / "outbox", {"messages": account.outbox}, run
    )
    await account.outbox.async_queue(
        [
            Message(
                message_id=number,
                call_id=number,
                number=number,
                name=None,
                subentry_id=None,
                sender_id=SENDER_ID,
                sms=Sms(message="Before", data_coding=DataCoding.ENGLISH),
                created_at=time.time(),
                expires_at=time.time() + 60,
            )
            for number in NUMBERS
        ]
    )
    yield account
    await account.async_unload()


def call(
    account: Account, *numbers: str, text: str = "Hello"
) -> asyncio.Task[list[SentSms]]:
    """Send to numbers."""
    sms = Sms(message=text, data_coding=DataCoding.ENGLISH)
    return asyncio.create_task(
        async_send(sms, {account: [Recipient(numbers)]}, keep_trying=3600)
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds, if it ever does."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never holds")


async def settle() -> None:
    """Let everything go as far as it gets."""
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.mark.parametrize("come_first", [0, 1, len(NUMBERS)])
async def test_callers_and_what_waits_never_wait_for_each_other(
    account: Account, client: Client, come_first: int
) -> None:
    busy = [call(account, number) for number in BUSY]
    await until(lambda: len(client.sent) == len(BUSY))
    calls = [call(account, number) for number in NUMBERS[:come_first]]
    await settle()
    retry = asyncio.create_task(account.outbox.async_try())
    await settle()
    calls += [call(account, number) for number in NUMBERS[come_first:]]
    await settle()
    for number in BUSY:
        client.held[number].set()
        if not come_first:
            await settle()
    await until(lambda: all(task.done() for task in (*busy, *calls, retry)))
    account.outbox.wake()
    await account.outbox.async_try()
    for number in NUMBERS:
        texts = [text for text, to in client.sent if to == number]
        assert texts == ["Before", "Hello"]
    assert len(client.sent) == len(BUSY) + 2 * len(NUMBERS)


async def test_message_does_not_overtake_one_that_waits_for_another_number(
    account: Account, client: Client
) -> None:
    first, other = BUSY[0], "+14805550300"
    calls = [
        call(account, first, text="1"),
        call(account, first, other, text="2"),
        call(account, other, text="3"),
    ]
    await settle()
    assert client.sent == [("1", first)]
    client.held[first].set()
    await until(lambda: all(task.done() for task in calls))
    assert client.sent == [("1", first), ("2", first), ("2", other), ("3", other)]


async def test_what_waits_goes_on_waiting_if_it_is_not_let_wait_for_a_slot(
    account: Account, client: Client, recwarn: pytest.WarningsRecorder
) -> None:
    """Home Assistant ends, and does not wait for it."""
    busy = [call(account, number) for number in BUSY]
    await until(lambda: len(client.sent) == len(BUSY))
    retry = asyncio.create_task(account.outbox.async_try())
    await settle()
    retry.cancel()
    with pytest.raises(asyncio.CancelledError):
        await retry
    states = {message.number: message.state for message in account.outbox.waiting}
    assert {states[number] for number in NUMBERS} == {State.QUEUED}
    for number in BUSY:
        client.held[number].set()
    await asyncio.gather(*busy)
    await account.outbox.async_try()
    assert [*recwarn] == []
    assert sorted(to for text, to in client.sent if text == "Before") == NUMBERS


async def test_what_is_cleared_before_there_is_a_slot_is_not_sent(
    account: Account, client: Client
) -> None:
    busy = [call(account, number) for number in BUSY]
    await until(lambda: len(client.sent) == len(BUSY))
    retry = asyncio.create_task(account.outbox.async_try())
    await settle()
    cleared = await account.outbox.async_clear({NUMBERS[0], NUMBERS[5]})
    assert len(cleared) == 2
    for number in BUSY:
        client.held[number].set()
    await until(lambda: all(task.done() for task in (*busy, retry)))
    assert sorted(to for text, to in client.sent if text == "Before") == [
        number for number in NUMBERS if number not in {NUMBERS[0], NUMBERS[5]}
    ]


async def test_what_expires_before_there_is_a_slot_is_not_sent(
    account: Account, client: Client, freezer: FrozenDateTimeFactory
) -> None:
    busy = [call(account, number) for number in BUSY]
    await until(lambda: len(client.sent) == len(BUSY))
    retry = asyncio.create_task(account.outbox.async_try())
    await settle()
    freezer.tick(60)
    for number in BUSY:
        client.held[number].set()
    await until(lambda: all(task.done() for task in (*busy, retry)))
    await account.outbox.async_try()
    assert "Before" not in {text for text, _ in client.sent}
    assert {message.state for message in account.outbox.reports} == {State.EXPIRED}
    assert len(account.outbox.reports) == len(NUMBERS)
