"""What waits, what was sent, and what became of it, as sensors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import Account, ZohoVoiceConfigEntry
from .entity import AccountEntity, RecipientEntity
from .zoho.message_log import DeliveryState

# Nothing is asked for.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription(SensorEntityDescription):
    """Describe a sensor of an account, and where its value is."""

    value: Callable[[Account], float | None]


_SENSORS = (
    AccountSensorDescription(
        key="messages_waiting",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda account: len(account.outbox.waiting),
    ),
    AccountSensorDescription(
        key="messages_sent",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda account: account.tracking.tracker.counters.messages,
    ),
    AccountSensorDescription(
        key="segments_sent",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda account: account.tracking.tracker.counters.segments,
    ),
    AccountSensorDescription(
        key="undelivered",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda account: account.tracking.tracker.counters.undelivered,
    ),
    AccountSensorDescription(
        key="last_delivery_time",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value=lambda account: account.tracking.tracker.counters.delivery_seconds,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001
    entry: ZohoVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of the account, and one for each recipient."""
    async_add_entities(AccountSensor(entry, description) for description in _SENSORS)
    for subentry_id in entry.runtime_data.recipients:
        async_add_entities(
            [LastDeliverySensor(entry, subentry_id, "last_delivery")],
            config_subentry_id=subentry_id,
        )


class AccountSensor(AccountEntity, SensorEntity):
    """Count something of an account."""

    entity_description: AccountSensorDescription

    def __init__(
        self, entry: ZohoVoiceConfigEntry, description: AccountSensorDescription
    ) -> None:
        """Start with the value as it is."""
        super().__init__(entry, description.key)
        self.entity_description = description
        self._attr_native_value = description.value(self._account)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the account."""
        self._account.listeners.append(self._async_changed)
        self._account.tracking.listeners.append(self._async_changed)

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Follow no more."""
        self._account.listeners.remove(self._async_changed)
        self._account.tracking.listeners.remove(self._async_changed)

    @callback
    def _async_changed(self, *_: Any) -> None:
        """Take note of the value."""
        value = self.entity_description.value(self._account)
        if value != self._attr_native_value:
            self._attr_native_value = value
            self.async_write_ha_state()


class LastDeliverySensor(RecipientEntity, SensorEntity):
    """Show what became of the last SMS to a recipient."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_options = [*DeliveryState]  # noqa: RUF012

    def __init__(self, entry: ZohoVoiceConfigEntry, subentry_id: str, key: str) -> None:
        """Start with the state as it is."""
        super().__init__(entry, subentry_id, key)
        self._attr_native_value = self._value

    @property
    def _value(self) -> DeliveryState | None:
        """Return the state of the last SMS."""
        return self._account.tracking.tracker.last_state(self._subentry_id)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the recipient."""
        self._account.tracking.on_delivery[self._subentry_id] = self._async_changed

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Follow no more."""
        self._account.tracking.on_delivery.pop(self._subentry_id, None)

    @callback
    def _async_changed(self) -> None:
        """Take note of the state."""
        if (value := self._value) != self._attr_native_value:
            self._attr_native_value = value
            self.async_write_ha_state()
