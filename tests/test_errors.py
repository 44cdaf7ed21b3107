"""What is said when some of the requests of a call fail."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.errors import SendError
from custom_components.zoho_voice.recipient import Recipient
from custom_components.zoho_voice.sending.dispatch import async_send
from custom_components.zoho_voice.zoho.errors import (
    CannotConnectError,
    ConnectionLostError,
    RejectedError,
)

from .conftest import ALICE, BOB, CAROL
from .sending.test_dispatch import SMS, RecordingClient, account_of


async def test_every_request_is_tried_and_the_error_names_who_got_what(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    client = RecordingClient(
        {
            BOB: ConnectionLostError("ServerDisconnectedError"),
            CAROL: RejectedError("ZVSMS-4038", "no SMS to +1 480-555-0122"),
        }
    )
    recipients = [
        Recipient((BOB,), "Bob", "S1"),
        Recipient((ALICE,), "Alice", "S2"),
        Recipient((CAROL,), None, "S3"),
    ]
    with pytest.raises(SendError) as caught:
        await async_send(SMS, {account_of(client): recipients})
    assert len(client.requests) == 3
    assert caught.value.translation_key == "partly_sent"
    said = str(caught.value)
    assert "Sent to Alice (…0100)." in said
    assert "The SMS to Bob (…0111) may have been sent" in said
    assert "Zoho refused the SMS to …0122: no SMS to …0122 (ZVSMS-4038)" in said
    assert "480" not in said


async def test_requests_that_fail_alike_share_one_sentence(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    people = [f"+1480555{n:04}" for n in range(1000, 1025)]
    client = RecordingClient(dict.fromkeys(people, CannotConnectError("Refused")))
    with pytest.raises(SendError) as caught:
        await async_send(SMS, {account_of(client): [Recipient(tuple(people))]})
    assert caught.value.translation_key == "cannot_connect"
    said = str(caught.value)
    assert said.count("Nothing was sent") == 1
    assert all(f"…{number[-4:]}" in said for number in people)


async def test_all_fail_in_different_ways(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    client = RecordingClient({ALICE: CannotConnectError(), BOB: ConnectionLostError()})
    recipients = [Recipient((ALICE,), sender_id="A"), Recipient((BOB,), sender_id="B")]
    with pytest.raises(SendError) as caught:
        await async_send(SMS, {account_of(client): recipients})
    assert caught.value.translation_key == "several_failures"
    said = str(caught.value)
    assert "Nothing was sent to …0100" in said
    assert "The SMS to …0111 may have been sent" in said
