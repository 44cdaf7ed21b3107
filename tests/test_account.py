"""How recipients become requests, and what is said when some of them fail."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import cast

from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.account import (
    MAX_REQUESTS,
    Account,
    Recipient,
    async_send,
)
from custom_components.zoho_voice.zoho.client import ZohoVoiceClient
from custom_components.zoho_voice.zoho.errors import (
    ZohoError,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms
from sandbox import FaultKind, Sandbox

from .conftest import ALICE, BOB, CAROL, SENDER_ID, recipient

SMS = Sms(message="Hello", data_coding=DataCoding.ENGLISH)
OTHER_SENDER = "ZohoVoice"


class RecordingClient:
    """Take messages as Zoho does, without a network; fail as told, by number."""

    def __init__(self, failing: dict[str, ZohoError] | None = None) -> None:
        self.requests: list[tuple[str, tuple[str, ...]]] = []
        self.most_at_once = 0
        self._under_way = 0
        self._failing = failing or {}

    async def async_send_sms(
        self, sms: Sms, sender_id: str, numbers: Sequence[str]
    ) -> list[Receipt]:
        self.requests.append((sender_id, tuple(numbers)))
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        await asyncio.sleep(0)
        self._under_way -= 1
        for number in numbers:
            if number in self._failing:
                raise self._failing[number]
        return [Receipt(number, {}) for number in numbers]


def account_of(client: RecordingClient, **recipients: Recipient) -> Account:
    return Account(cast(ZohoVoiceClient, client), SENDER_ID, recipients)


numbers = st.integers(min_value=0, max_value=60).map(lambda n: f"+148055501{n:02}")
recipient_lists = st.lists(
    st.builds(
        Recipient,
        numbers=st.lists(numbers, max_size=25).map(tuple),
        name=st.none() | st.sampled_from(["Alice", "Bob"]),
        sender_id=st.none() | st.just(OTHER_SENDER),
    ),
    max_size=6,
)


@given(st.lists(recipient_lists, min_size=1, max_size=3), st.none() | st.just("Own"))
def test_every_number_gets_one_sms_in_order_and_no_request_has_more_than_ten(
    lists: list[list[Recipient]], sender_id: str | None
) -> None:
    clients = [RecordingClient() for _ in lists]
    accounts = [account_of(client) for client in clients]
    sent = asyncio.run(
        async_send(SMS, dict(zip(accounts, lists, strict=True)), sender_id)
    )

    wanted = list(
        dict.fromkeys(
            number for group in lists for member in group for number in member.numbers
        )
    )
    assert [item.receipt.number for item in sent] == wanted

    requested = [request for client in clients for request in client.requests]
    assert all(1 <= len(batch) <= 10 for _, batch in requested)
    counts = Counter(number for _, batch in requested for number in batch)
    assert counts == Counter(wanted)

    first: dict[str, str] = {}
    for group in lists:
        for member in group:
            for number in member.numbers:
                first.setdefault(number, sender_id or member.sender_id or SENDER_ID)
    for sender, batch in requested:
        assert {first[number] for number in batch} == {sender}
        assert list(batch) == [number for number in wanted if number in batch]


@given(st.integers(min_value=1, max_value=100))
def test_requests_are_as_few_and_as_parallel_as_may_be(count: int) -> None:
    client = RecordingClient()
    everybody = Recipient(tuple(f"+1480555{n:04}" for n in range(count)))
    asyncio.run(async_send(SMS, {account_of(client): [everybody]}))
    assert len(client.requests) == -(-count // 10)
    assert client.most_at_once == min(len(client.requests), MAX_REQUESTS)


async def test_a_bare_number_has_the_name_of_the_recipient_that_holds_it() -> None:
    account = account_of(
        RecordingClient(),
        a=Recipient((ALICE,), "Alice", subentry_id="a"),
        b=Recipient((ALICE, BOB), "Family", subentry_id="b"),
    )
    sent = await async_send(SMS, {account: [Recipient((BOB, ALICE, CAROL))]})
    assert [(item.receipt.number, item.name) for item in sent] == [
        (BOB, "Family"),
        (ALICE, "Alice"),
        (CAROL, None),
    ]


def join(account: Account, *recipients: Recipient) -> list[asyncio.Task[None]]:
    return [
        asyncio.create_task(account.async_send_jointly(SMS, recipient, "call"))
        for recipient in recipients
    ]


async def test_joint_recipients_share_a_request() -> None:
    client = RecordingClient()
    account = account_of(client)
    await asyncio.gather(
        *join(account, Recipient((ALICE,)), Recipient((BOB, ALICE))),
        account.async_send_jointly(SMS, Recipient((CAROL,)), "another call"),
    )
    assert client.requests == [(SENDER_ID, (ALICE, BOB)), (SENDER_ID, (CAROL,))]


@pytest.mark.parametrize("steps", [1, 2])
async def test_joint_recipient_that_is_cancelled_does_not_stop_the_others(
    steps: int,
) -> None:
    client = RecordingClient()
    tasks = join(account_of(client), Recipient((ALICE,)), Recipient((BOB,)))
    for _ in range(steps):
        await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0] is None
    assert isinstance(results[1], asyncio.CancelledError)
    assert client.requests == [(SENDER_ID, (ALICE, BOB))]


@pytest.mark.parametrize("steps", [1, 2])
async def test_nobody_takes_a_cancelled_joint_message_for_sent(steps: int) -> None:
    client = RecordingClient()
    account = account_of(client)
    tasks = join(account, Recipient((ALICE,)), Recipient((BOB,)))
    for _ in range(steps):
        await asyncio.sleep(0)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    await asyncio.gather(*join(account, Recipient((CAROL,))))
    assert client.requests[-1] == (SENDER_ID, (CAROL,))


async def test_what_is_not_zohos_fault_is_not_hidden() -> None:
    client = RecordingClient({ALICE: cast(ZohoError, ZeroDivisionError())})
    with pytest.raises(ZeroDivisionError):
        await async_send(SMS, {account_of(client): [Recipient((ALICE,))]})


async def test_two_accounts_send_with_their_own_sender() -> None:
    clients = RecordingClient(), RecordingClient()
    first = account_of(clients[0])
    second = Account(cast(ZohoVoiceClient, clients[1]), OTHER_SENDER)
    await async_send(
        SMS, {first: [Recipient((ALICE,))], second: [Recipient((BOB, ALICE))]}
    )
    assert clients[0].requests == [(SENDER_ID, (ALICE,))]
    assert clients[1].requests == [(OTHER_SENDER, (BOB,))]


async def test_a_hundred_calls_with_an_expired_token_ask_for_one_token(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.expire_access_tokens()
    await asyncio.gather(
        *(
            hass.services.async_call(
                "zoho_voice",
                "send_sms",
                {"recipients": f"+1480555{n:04}", "message": "Hello"},
                blocking=True,
            )
            for n in range(1000, 1100)
        )
    )
    assert len(sandbox.token_requests) == 1
    assert {sms.number for sms in sandbox.sent} == {
        f"+1480555{n:04}" for n in range(1000, 1100)
    }
    assert len(sandbox.sent) == 100


async def test_a_hundred_calls_share_a_failed_renewal(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.expire_access_tokens()
    sandbox.add_fault(FaultKind.TOKEN_THROTTLED, times=None)
    results = await asyncio.gather(
        *(
            hass.services.async_call(
                "zoho_voice",
                "send_sms",
                {"recipients": f"+1480555{n:04}", "message": "Hello"},
                blocking=True,
            )
            for n in range(1000, 1100)
        ),
        return_exceptions=True,
    )
    assert {getattr(error, "translation_key", None) for error in results} == {
        "throttled"
    }
    assert len(sandbox.token_requests) == 1
    assert sandbox.sent == []


@pytest.mark.parametrize(
    "recipients", [[recipient("Alice", ALICE, sender_id=OTHER_SENDER)]]
)
async def test_the_recipients_own_sender_is_used_unless_the_call_names_one(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    for data in ({}, {"sender_id": "1 888 555 0100"}):
        await hass.services.async_call(
            "zoho_voice",
            "send_sms",
            {"entity_id": "notify.alice", "message": "Hello", **data},
            blocking=True,
        )
    assert [sms.sender_id for sms in sandbox.sent] == [OTHER_SENDER, SENDER_ID]
