"""Core's `smtp` as it would be if it registered of each recipient what we do."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from homeassistant.components.smtp import SmtpConfigEntry, notify as smtp
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import slugify

from .mail import SMTP

ALIKE = f"{SMTP}, registered alike"


@contextmanager
def registered_alike() -> Generator[None]:
    """Let `smtp` give each recipient a device, its subentry and a classic action."""

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
            entity = smtp.MailNotifyEntity(entry, subentry, entry.runtime_data)
            entity._attr_name = None  # noqa: SLF001  it has the device's
            entity._attr_device_info = DeviceInfo(  # noqa: SLF001
                entry_type=DeviceEntryType.SERVICE,
                identifiers={(SMTP, subentry_id)},
                manufacturer="Bench",
                model="Recipient",
                name=subentry.title,
                via_device_id=server.id,
            )
            async_add_entities([entity], config_subentry_id=subentry_id)

    targets = property(lambda self: {slugify(it): it for it in self.recipients})
    with (
        patch.object(smtp, "async_setup_entry", set_up),
        patch.object(smtp.MailNotificationService, "targets", targets),
    ):
        yield
