"""The sensors: what they count, and that nothing of it is lost."""

from collections import Counter
from unittest.mock import patch

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.zoho.message_log import DeliveryState
from sandbox import Sandbox

from .common import send, start_again
from .conftest import ALICE, TRANSLATIONS, Look, recipient


def sensor(hass: HomeAssistant, unique_id: str) -> State:
    """Return the state of a sensor."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, unique_id)
    state = hass.states.get(entity_id or "")
    assert state
    return state


@pytest.fixture
def enabled(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Enable the sensor that is not by default."""
    er.async_get(hass).async_get_or_create(
        "sensor", DOMAIN, f"{entry.entry_id}_last_delivery_time", disabled_by=None
    )


async def test_what_was_sent_is_counted(
    hass: HomeAssistant,
    enabled: None,
    account: MockConfigEntry,
    sandbox: Sandbox,
    look: Look,
) -> None:
    def counted() -> dict[str, str]:
        return {
            key: sensor(hass, f"{account.entry_id}_{key}").state
            for key in (
                "messages_sent",
                "segments_sent",
                "undelivered",
                "last_delivery_time",
            )
        }

    await look(seconds=6)
    assert counted() == {
        "messages_sent": "0",
        "segments_sent": "0",
        "undelivered": "0",
        "last_delivery_time": STATE_UNKNOWN,
    }
    await send(hass, recipients=["Alice", "Night shift"], message="W" * 161)
    await look()
    assert counted()["messages_sent"] == "3"
    assert counted()["segments_sent"] == "6"
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await sandbox.report(sandbox.sent[1], "UNDELIVERED")
    await sandbox.report(sandbox.sent[2], "FAILED")
    await look()
    expected = {
        "messages_sent": "3",
        "segments_sent": "6",
        "undelivered": "2",
        "last_delivery_time": "122.0",
    }
    assert counted() == expected
    await start_again(hass, account)
    assert counted() == expected


async def test_each_recipient_has_the_last_state(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, look: Look
) -> None:
    alice, shift = (f"{key}_last_delivery" for key in account.subentries)
    await look(seconds=6)
    assert sensor(hass, alice).state == STATE_UNKNOWN
    await send(hass)
    await account.runtime_data.async_wait()
    assert sensor(hass, alice).state == "queued"
    for status, state in (("SENT", "sent"), ("DELIVERED", "delivered")):
        await sandbox.report(sandbox.sent[0], status)
        await look()
        assert sensor(hass, alice).state == state
    assert sensor(hass, shift).state == STATE_UNKNOWN
    await start_again(hass, account)
    assert sensor(hass, alice).state == "delivered"


async def test_state_that_is_the_same_is_written_once(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, look: Look
) -> None:
    await look(seconds=6)
    written: list[State] = []
    for message in ("One", "Another"):
        await send(hass, message=message)
        await account.runtime_data.async_wait()
        written.append(sensor(hass, f"{next(iter(account.subentries))}_last_delivery"))
    assert [state.state for state in written] == ["queued"] * 2
    assert written[0].last_reported == written[1].last_reported


async def test_sensor_that_is_disabled_misses_nothing(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, look: Look
) -> None:
    last = f"{next(iter(account.subentries))}_last_delivery"
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id("sensor", DOMAIN, last)
    registry.async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.config_entries.async_reload(account.entry_id)
    await send(hass)
    await account.runtime_data.async_wait()
    assert hass.states.get(entity_id) is None
    registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(account.entry_id)
    assert sensor(hass, last).state == "queued"


async def test_sensors_say_what_they_are(
    hass: HomeAssistant, enabled: None, account: MockConfigEntry
) -> None:
    def kind(unique_id: str) -> tuple[object, ...]:
        attributes = sensor(hass, unique_id).attributes
        return tuple(
            attributes.get(key)
            for key in ("device_class", "state_class", "unit_of_measurement")
        )

    texts = TRANSLATIONS["entity"]["sensor"]
    for key in ("messages_sent", "segments_sent", "undelivered"):
        assert kind(f"{account.entry_id}_{key}") == (
            None,
            SensorStateClass.TOTAL_INCREASING,
            texts[key]["unit_of_measurement"],
        )
    assert kind(f"{account.entry_id}_last_delivery_time") == (
        SensorDeviceClass.DURATION,
        SensorStateClass.MEASUREMENT,
        "s",
    )
    last = f"{next(iter(account.subentries))}_last_delivery"
    assert kind(last) == (SensorDeviceClass.ENUM, None, None)
    assert sensor(hass, last).attributes["options"] == [*DeliveryState]
    assert {*texts["last_delivery"]["state"]} == {*DeliveryState}


class TestMany:
    """A thousand recipients: none costs anything while another is written to."""

    @pytest.fixture
    def recipients(self) -> list[ConfigSubentryData]:
        """Return many recipients."""
        return [
            recipient("Alice", ALICE),
            *(
                recipient(f"Number {number}", f"+1480555{number:04}")
                for number in range(1000, 1200)
            ),
        ]

    async def test_only_whom_it_is_about_is_told(
        self,
        hass: HomeAssistant,
        account: MockConfigEntry,
        sandbox: Sandbox,
        look: Look,
    ) -> None:
        await look(seconds=6)
        write = Entity._async_write_ha_state
        with patch.object(Entity, "_async_write_ha_state", autospec=True) as writes:
            writes.side_effect = write
            await send(hass)
            await sandbox.report(sandbox.sent[0], "DELIVERED")
            sandbox.receive(ALICE, "Thanks")
            await look()
            await look()
        written = Counter(call.args[0].entity_id for call in writes.mock_calls)
        assert {entity_id for entity_id in written if "number" in entity_id} == set()
        assert written["sensor.alice_last_delivery"] == 2
        assert written["event.alice_reply"] == 1
        assert written.total() < 12
