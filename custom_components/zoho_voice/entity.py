"""What the entities have in common: they belong to an account or to a recipient."""

from typing import Any, cast, override

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity

from .account import ZohoVoiceConfigEntry
from .const import DOMAIN
from .tracking.coordinator import MessageLogCoordinator


class AccountEntity(Entity):
    """Belong to the device of an account."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: ZohoVoiceConfigEntry, key: str) -> None:
        """Take the account's place in Home Assistant."""
        self._entry = entry
        self._account = entry.runtime_data
        self._coordinator = cast(MessageLogCoordinator, self._account.coordinator)
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})
        self._attr_translation_key = key
        self._attr_unique_id = f"{entry.entry_id}_{key}"


class RecipientEntity(Entity):
    """Belong to the device of a recipient."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, entry: ZohoVoiceConfigEntry, subentry_id: str, key: str | None = None
    ) -> None:
        """Take the recipient's place in Home Assistant."""
        self._entry = entry
        self._account = entry.runtime_data
        self._coordinator = cast(MessageLogCoordinator, self._account.coordinator)
        self._subentry_id = subentry_id
        self._recipient = self._account.recipients[subentry_id]
        self._attr_unique_id = f"{subentry_id}_{key}" if key else subentry_id
        if key:
            self._attr_translation_key = key

    @property
    @override
    def device_info(self) -> DeviceInfo:
        """Describe the device; only its registration asks, so nothing is kept."""
        via: dict[str, Any] = (
            {"via_device_id": self._account.device_id}
            if (MAJOR_VERSION, MINOR_VERSION) >= (2026, 8)
            else {"via_device": (DOMAIN, self._entry.entry_id)}  # until 2026.7
        )
        device_info: DeviceInfo = DeviceInfo(
            **via,  # type: ignore[typeddict-item]
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, self._subentry_id)},
            manufacturer="Zoho",
            model="Zoho Voice",
            name=self._recipient.name,
        )
        return device_info
