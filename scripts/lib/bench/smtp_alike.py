"""Core's `smtp` as it would be if it registered of each recipient what we do."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from homeassistant.components import smtp
from homeassistant.components.event import EventEntity
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.components.smtp import SmtpConfigEntry, notify
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.loader import (
    DATA_COMPONENTS,
    DATA_MISSING_PLATFORMS,
    async_get_loaded_integration,
)
from homeassistant.util import slugify

from .mail import SMTP

ALIKE = f"{SMTP}, registered alike"
_MORE = (Platform.EVENT, Platform.SENSOR)


class _Sensor(SensorEntity):
    """What became of the last message to a recipient."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_options = ["sent", "delivered"]  # noqa: RUF012


class _Event(EventEntity):
    """What a recipient answered."""

    _attr_event_types = ["received"]  # noqa: RUF012


@contextmanager
def registered_alike(hass: HomeAssistant) -> Generator[None]:
    """Let `smtp` register of each recipient what we do.

    That is a device, its subentry, a notify, an event and a sensor entity, and a
    classic action.
    """

    def platform(new: Callable[[SmtpConfigEntry, ConfigSubentry], Entity]) -> Any:
        async def set_up(
            hass: HomeAssistant,
            entry: SmtpConfigEntry,
            async_add_entities: AddConfigEntryEntitiesCallback,
        ) -> None:
            server = dr.async_get(hass).async_get_or_create(
                config_entry_id=entry.entry_id,
                entry_type=DeviceEntryType.SERVICE,
                identifiers={(SMTP, entry.entry_id)},
                manufacturer="Bench",
                model="Server",
                name=entry.title,
            )
            for subentry_id, subentry in entry.subentries.items():
                entity = new(entry, subentry)
                entity._attr_device_info = DeviceInfo(  # noqa: SLF001
                    entry_type=DeviceEntryType.SERVICE,
                    identifiers={(SMTP, subentry_id)},
                    manufacturer="Bench",
                    model="Recipient",
                    name=subentry.title,
                    via_device_id=server.id,
                )
                async_add_entities([entity], config_subentry_id=subentry_id)

        return set_up

    def mail(entry: SmtpConfigEntry, subentry: ConfigSubentry) -> Entity:
        entity = notify.MailNotifyEntity(entry, subentry, entry.runtime_data)
        entity._attr_name = None  # noqa: SLF001  it has the device's
        return entity

    def other(kind: type[_Sensor | _Event]) -> Any:
        def new(_: SmtpConfigEntry, subentry: ConfigSubentry) -> Entity:
            entity = kind()
            entity._attr_has_entity_name = True  # noqa: SLF001
            entity._attr_should_poll = False  # noqa: SLF001
            entity._attr_translation_key = kind.__name__  # noqa: SLF001
            entity._attr_unique_id = f"{subentry.subentry_id}_{kind}"  # noqa: SLF001
            return entity

        return SimpleNamespace(async_setup_entry=platform(new), PARALLEL_UPDATES=0)

    targets = property(lambda self: {slugify(it): it for it in self.recipients})
    modules = {f"{SMTP}.event": other(_Event), f"{SMTP}.sensor": other(_Sensor)}
    integration = async_get_loaded_integration(hass, SMTP)
    files = integration._top_level_files | {"event.py", "sensor.py"}  # noqa: SLF001
    with (
        patch.object(integration, "_top_level_files", files),
        patch.object(smtp, "PLATFORMS", [Platform.NOTIFY, *_MORE]),
        patch.object(notify, "async_setup_entry", platform(mail)),
        patch.object(notify.MailNotificationService, "targets", targets),
        patch.dict(hass.data[DATA_COMPONENTS], modules),
        # Home Assistant remembers what there is no file of.
        patch.dict(hass.data[DATA_MISSING_PLATFORMS], clear=True),
    ):
        yield
