"""What waits to be sent, as a sensor of the account."""

from collections.abc import Sequence
from typing import override

from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import ZohoVoiceConfigEntry
from .const import DOMAIN
from .sending.outbox import Message

# Nothing is asked for.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001
    entry: ZohoVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the account's sensor."""
    async_add_entities([MessagesWaitingSensor(entry)])


class MessagesWaitingSensor(SensorEntity):
    """Count the messages that wait to be sent."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_translation_key = "messages_waiting"

    def __init__(self, entry: ZohoVoiceConfigEntry) -> None:
        """Belong to the account's device."""
        self._account = entry.runtime_data
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})
        self._attr_unique_id = f"{entry.entry_id}_messages_waiting"
        self._attr_native_value = len(self._account.outbox.waiting)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the outbox."""
        self._account.listeners.append(self._async_changed)

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Follow no more."""
        self._account.listeners.remove(self._async_changed)

    @callback
    def _async_changed(self, _: Sequence[Message]) -> None:
        """Take note of what waits now."""
        count = len(self._account.outbox.waiting)
        if count != self._attr_native_value:
            self._attr_native_value = count
            self.async_write_ha_state()
