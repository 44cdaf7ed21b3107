"""What all actions share: check everything, send, and tell the entities."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.zoho_voice.calls.prepare import DELIVERY_SCHEMA, async_prepare
from custom_components.zoho_voice.errors import SendError
from sandbox import FaultKind, Sandbox

from ..conftest import ALICE, BOB, CAROL, recipient


async def deliver(hass: HomeAssistant, *entity_ids: str, **fields: object) -> None:
    data = vol.Schema(DELIVERY_SCHEMA)(fields)
    sending = await async_prepare(hass, "Hello", None, data, entity_ids=entity_ids)
    await sending.async_send()


def last_sent(hass: HomeAssistant, name: str) -> str:
    return hass.states.get(f"notify.{name}").state


async def test_entities_take_note_of_what_reaches_their_recipients(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    await deliver(hass, "notify.alice", recipients=[BOB])
    assert last_sent(hass, "alice") != "unknown"
    assert last_sent(hass, "night_shift") == "unknown"


@pytest.mark.parametrize(
    "recipients", [[recipient("Alice", ALICE), recipient("Bob", BOB, sender_id="Own")]]
)
async def test_only_entities_that_got_it_take_note_when_a_part_failed(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    with pytest.raises(SendError, match="Only some"):
        await deliver(hass, recipients=["Alice", "Bob"])
    assert [sms.number for sms in sandbox.sent] == [ALICE]
    assert last_sent(hass, "alice") != "unknown"
    assert last_sent(hass, "bob") == "unknown"


async def test_no_entity_takes_note_when_the_outcome_is_unknown(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.DROP_AFTER)
    with pytest.raises(SendError, match="may have been sent"):
        await deliver(hass, "notify.alice")
    assert last_sent(hass, "alice") == "unknown"


async def test_recipient_whose_entity_is_disabled_can_be_written_to(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    entity_registry: er.EntityRegistry,
) -> None:
    entity_registry.async_update_entity(
        "notify.alice", disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.async_block_till_done()
    await deliver(hass, recipients=["Alice", "Night shift"])
    assert [sms.number for sms in sandbox.sent] == [ALICE, BOB, CAROL]
    assert hass.states.get("notify.alice") is None
    assert last_sent(hass, "night_shift") != "unknown"


@pytest.mark.parametrize(
    "fields",
    [
        {"recipients": [ALICE, "12"]},
        {"recipients": ALICE, "sender_id": "?!"},
        {"recipients": ALICE, "time_zone": "UTC"},
    ],
)
async def test_everything_is_checked_before_anything_is_sent(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    fields: dict[str, object],
) -> None:
    with pytest.raises(ServiceValidationError):
        await deliver(hass, **fields)
    assert sandbox.requests == []
