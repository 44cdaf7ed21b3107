"""How recipients become requests, and what is said when some of them fail."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import cast
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.account import Account
from custom_components.zoho_voice.errors import SendError
from custom_components.zoho_voice.recipient import Recipient
from custom_components.zoho_voice.sending.dispatch import (
    Sending,
    async_send,
    async_send_jointly,
)
from custom_components.zoho_voice.sending.spending import Limits
from custom_components.zoho_voice.zoho.client import ZohoVoiceClient
from custom_components.zoho_voice.zoho.errors import (
    CannotConnectError,
    RejectedError,
    TimedOutError,
    ZohoError,
)
from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE, BOB, CAROL, SENDER_ID, recipient

SMS = Sms(message="Hello", data_coding=DataCoding.ENGLISH)
OTHER_SENDER = "ZohoVoice"


class RecordingClient:
    """Take messages as Zoho does, without a network; fail as told, by number."""

    def __init__(self, failing: dict[str, ZohoError] | None = None) -> None:
        self.requests: list[tuple[str, tuple[str, ...]]] = []
        self.most_at_once = 0
        self._under_way = 0
        self._failing = failing or {}

    async def async_authorize(self) -> None:
        pass

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


class HeldClient(RecordingClient):
    """Answer when it is told to."""

    def __init__(self, failing: dict[str, ZohoError] | None = None) -> None:
        super().__init__(failing)
        self.release = asyncio.Event()
        self.authorized = asyncio.Event()
        self.authorized.set()

    async def async_authorize(self) -> None:
        await self.authorized.wait()

    async def async_send_sms(
        self, sms: Sms, sender_id: str, numbers: Sequence[str]
    ) -> list[Receipt]:
        receipts = asyncio.ensure_future(
            super().async_send_sms(sms, sender_id, numbers)
        )
        await self.release.wait()
        return await receipts

    async def wait_for_request(self) -> None:
        while not self.requests:
            await asyncio.sleep(0)


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
    assert client.most_at_once == min(len(client.requests), 4)


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
        asyncio.create_task(async_send_jointly(account, SMS, recipient, "call"))
        for recipient in recipients
    ]


async def test_joint_recipients_share_a_request() -> None:
    client = RecordingClient()
    account = account_of(client)
    await asyncio.gather(
        *join(account, Recipient((ALICE,)), Recipient((BOB, ALICE))),
        async_send_jointly(account, SMS, Recipient((CAROL,)), "another call"),
    )
    assert client.requests == [(SENDER_ID, (ALICE, BOB)), (SENDER_ID, (CAROL,))]


@pytest.mark.parametrize("gone", [0, 1])
async def test_joint_caller_that_is_gone_before_the_start_gets_nothing_sent(
    gone: int,
) -> None:
    client = RecordingClient()
    account = account_of(client)
    tasks = join(account, Recipient((ALICE,)), Recipient((BOB,)))
    await asyncio.sleep(0)
    tasks[gone].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[gone], asyncio.CancelledError)
    assert results[1 - gone] is None
    assert client.requests == [(SENDER_ID, ([BOB, ALICE][gone],))]
    await asyncio.gather(*join(account, Recipient((CAROL,))))
    assert client.requests[-1] == (SENDER_ID, (CAROL,))


async def test_nothing_is_sent_when_all_joint_callers_are_gone() -> None:
    client = RecordingClient()
    account = account_of(client)
    tasks = join(account, Recipient((ALICE,)), Recipient((BOB,)))
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert client.requests == []
    await asyncio.gather(*join(account, Recipient((CAROL,))))
    assert client.requests == [(SENDER_ID, (CAROL,))]


@pytest.mark.parametrize("gone", [0, 1])
async def test_joint_caller_that_is_gone_during_the_request_does_not_stop_it(
    gone: int,
) -> None:
    client = HeldClient()
    account = account_of(client)
    told: list[str] = []
    recipients = Recipient((ALICE,), subentry_id="a"), Recipient((BOB,))
    account.on_sent["a"] = lambda: told.append("a")
    tasks = join(account, *recipients)
    await client.wait_for_request()
    tasks[gone].cancel()
    client.release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[gone], asyncio.CancelledError)
    assert results[1 - gone] is None
    assert client.requests == [(SENDER_ID, (ALICE, BOB))]
    assert told == ["a"]


async def test_joint_caller_that_is_gone_leaves_what_has_not_started() -> None:
    client = HeldClient()
    account = account_of(client)
    everybody = [Recipient((f"+1480555{n:04}",)) for n in range(45)]
    tasks = join(account, *everybody)
    await client.wait_for_request()
    assert len(client.requests) == 4
    tasks[0].cancel()
    tasks[44].cancel()
    await asyncio.sleep(0)
    client.release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    sent = [number for _, numbers in client.requests for number in numbers]
    assert sent == [recipient.numbers[0] for recipient in everybody[:44]]


async def test_joint_caller_that_is_gone_takes_a_request_of_its_own_along() -> None:
    client = HeldClient()
    account = account_of(client)
    everybody = [Recipient((f"+1480555{n:04}",)) for n in range(41)]
    tasks = join(account, *everybody)
    await client.wait_for_request()
    assert len(client.requests) == 4
    tasks[40].cancel()
    await asyncio.sleep(0)
    client.release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[:40] == [None] * 40
    assert len(client.requests) == 4
    # It took no slot with it.
    await asyncio.gather(*join(account, *everybody))
    assert client.most_at_once == 4


async def test_joint_caller_that_is_gone_while_the_same_text_is_sent_gets_nothing() -> (
    None
):
    client = HeldClient()
    account = account_of(client)
    account.repeats.seconds = 60
    first = join(account, Recipient((ALICE,)))
    await client.wait_for_request()
    second = [
        asyncio.create_task(async_send_jointly(account, SMS, recipient, "another call"))
        for recipient in (Recipient((ALICE, BOB)), Recipient((CAROL,)))
    ]
    for _ in range(5):
        await asyncio.sleep(0)
    second[0].cancel()
    await asyncio.sleep(0)
    client.release.set()
    results = await asyncio.gather(*first, *second, return_exceptions=True)
    assert [type(result) for result in results] == [
        type(None),
        asyncio.CancelledError,
        type(None),
    ]
    assert client.requests == [(SENDER_ID, (ALICE,)), (SENDER_ID, (CAROL,))]


async def test_caller_that_is_gone_starts_no_more_requests_and_stops_none() -> None:
    client = HeldClient()
    account = account_of(client)
    told: list[str] = []
    account.on_sent = {"a": lambda: told.append("a"), "b": lambda: told.append("b")}
    alice = Recipient(tuple(f"+1480555{n:04}" for n in range(40)), subentry_id="a")
    bob = Recipient((BOB,), subentry_id="b")
    task = asyncio.create_task(async_send(SMS, {account: [alice, bob]}))
    await client.wait_for_request()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    client.release.set()
    await account.async_wait()
    assert [numbers for _, numbers in client.requests] == [
        alice.numbers[n : n + 10] for n in range(0, 40, 10)
    ]
    assert told == ["a"]


async def test_caller_that_is_gone_while_a_token_is_renewed_gets_nothing_sent() -> None:
    client = HeldClient()
    client.authorized.clear()
    account = account_of(client)
    task = asyncio.create_task(async_send(SMS, {account: [Recipient((ALICE,))]}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    client.authorized.set()
    await account.async_wait()
    assert client.requests == []


async def test_unloading_starts_no_request_and_waits_for_the_others() -> None:
    client = HeldClient()
    account = account_of(client)
    everybody = Recipient(tuple(f"+1480555{n:04}" for n in range(50)))
    sending = asyncio.create_task(async_send(SMS, {account: [everybody]}))
    await client.wait_for_request()
    unloading = asyncio.create_task(account.async_unload())
    await asyncio.sleep(0)
    assert not unloading.done()
    client.release.set()
    await unloading
    with pytest.raises(SendError) as caught:
        await sending
    assert caught.value.translation_key == "partly_sent"
    assert caught.value.sent_to == frozenset(everybody.numbers[:40])
    assert len(client.requests) == 4
    with pytest.raises(SendError) as caught:
        await async_send(SMS, {account: [Recipient((ALICE,))]})
    assert caught.value.translation_key == "account_unloaded"


async def test_unloading_waits_no_longer_than_a_request_may_take() -> None:
    client = HeldClient()
    account = account_of(client)
    task = asyncio.create_task(async_send(SMS, {account: [Recipient((ALICE,))]}))
    await client.wait_for_request()
    with patch("custom_components.zoho_voice.account.REQUEST_TIMEOUT", 0):
        await account.async_unload()
    assert not task.done()
    client.release.set()
    (sent,) = await task
    assert sent.receipt.number == ALICE


async def test_what_is_not_zohos_fault_is_not_hidden() -> None:
    client = RecordingClient({ALICE: cast(ZohoError, ZeroDivisionError())})
    account = account_of(client)
    with pytest.raises(ZeroDivisionError):
        await async_send(SMS, {account: [Recipient((ALICE,))]})
    for task in join(account, Recipient((ALICE,)), Recipient((BOB,))):
        with pytest.raises(ZeroDivisionError):
            await task


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
        "throttled",
        "throttled_for",  # those that asked when the account held off already
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


class MoodyClient(RecordingClient):
    """Answer to each request as told, after some turns of the loop."""

    def __init__(self, answers: list[tuple[int, ZohoError | None]]) -> None:
        super().__init__()
        self.answers = answers
        self.accepted: list[tuple[str, str]] = []
        self.unclear: list[tuple[str, str]] = []

    async def async_send_sms(
        self, sms: Sms, sender_id: str, numbers: Sequence[str]
    ) -> list[Receipt]:
        turns, err = self.answers.pop(0) if self.answers else (0, None)
        for _ in range(turns):
            await asyncio.sleep(0)
        sent = [(sms.message, number) for number in numbers]
        if err is None:
            self.accepted += sent
            return [Receipt(number, {}) for number in numbers]
        if isinstance(err, TimedOutError):
            self.unclear += sent
        raise err


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.lists(
                st.sampled_from([ALICE, BOB, CAROL]),
                min_size=1,
                max_size=3,
                unique=True,
            ),
            st.none() | st.integers(0, 8),  # after how many turns the caller goes
        ),
        max_size=8,
    ),
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from(
                [None, RejectedError("1"), CannotConnectError(), TimedOutError()]
            ),
        ),
        max_size=8,
    ),
    st.integers(1, 8),
    st.integers(1, 4),
    st.sampled_from([0, 60]),
)
def test_calls_of_the_same_moment_keep_all_limits_and_leave_no_trace(
    calls: list[tuple[str, list[str], int | None]],
    answers: list[tuple[int, ZohoError | None]],
    per_hour: int,
    flood_limit: int,
    repeat_seconds: float,
) -> None:
    client = MoodyClient(answers)

    async def run() -> tuple[Account, list[object]]:
        account = account_of(client)
        account.guard.limits = Limits(per_hour)
        account.brake.limit = flood_limit
        account.repeats.seconds = repeat_seconds

        async def call(text: str, numbers: list[str], turns: int | None) -> object:
            sms = Sms(message=text, data_coding=DataCoding.ENGLISH)
            sending = asyncio.create_task(
                Sending(sms, {account: [Recipient(tuple(numbers))]}).async_send()
            )
            if turns is not None:
                for _ in range(turns):
                    await asyncio.sleep(0)
                sending.cancel()
            return await sending

        results = await asyncio.gather(
            *(call(*each) for each in calls), return_exceptions=True
        )
        await account.async_wait()
        await asyncio.sleep(0)
        return account, results

    account, results = asyncio.run(run())
    for result in results:
        assert isinstance(result, list | SendError | asyncio.CancelledError)
    went = [*client.accepted, *client.unclear]
    # Neither a place that is held for ever, nor one that is given twice.
    assert account.guard.spent_last_hour == len(went) <= per_hour
    assert account.sendings == set()
    for number in (ALICE, BOB, CAROL):
        got = [text for text, to in went if to == number]
        assert len(account.brake._times.get(number, ())) == len(got) <= flood_limit
        if repeat_seconds:
            assert len(got) == len(set(got))
            for text in "abc":
                sms = Sms(message=text, data_coding=DataCoding.ENGLISH)
                expected = (
                    None if text not in got else (text, number) in client.accepted
                )
                assert account.repeats.find(number, sms) is expected
