"""The recipients as notify entities, and the classic action `notify.zoho_voice`."""

from collections import Counter
from contextvars import ContextVar
from typing import Any, override

from homeassistant.components.notify import (  # type: ignore[attr-defined]
    NotifyEntity,
    NotifyEntityFeature,
)
from homeassistant.components.notify.const import ATTR_DATA, ATTR_TARGET, ATTR_TITLE
from homeassistant.components.notify.legacy import BaseNotificationService
from homeassistant.core import Context, HomeAssistant, ServiceCall, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType
from homeassistant.util import slugify
import voluptuous as vol

from .account import ZohoVoiceConfigEntry
from .calls.message import async_compose
from .calls.phone_number import mask_numbers
from .calls.prepare import DELIVERY_SCHEMA, async_prepare
from .calls.recipients import subentries_of
from .const import ATTR_RECIPIENTS
from .entity import RecipientEntity
from .errors import validation_error
from .sending.dispatch import async_send_jointly

# An account limits its requests itself.
PARALLEL_UPDATES = 0

_DATA_SCHEMA = vol.Schema(DELIVERY_SCHEMA)

# Home Assistant does not pass it on to the classic action.
_context: ContextVar[Context | None] = ContextVar("context", default=None)


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001
    entry: ZohoVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up one entity for each recipient."""
    for subentry_id in entry.runtime_data.recipients:
        async_add_entities(
            [RecipientNotifyEntity(entry, subentry_id)], config_subentry_id=subentry_id
        )


class RecipientNotifyEntity(RecipientEntity, NotifyEntity):
    """Write to one recipient."""

    _attr_name = None
    _attr_supported_features = NotifyEntityFeature.TITLE
    _attr_translation_key = "recipient"

    def __init__(self, entry: ZohoVoiceConfigEntry, subentry_id: str) -> None:
        """Be the recipient's main entity."""
        super().__init__(entry, subentry_id)
        self._waiting = 0

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what other actions send to the recipient."""
        self._account.on_sent[self._subentry_id] = self._async_take_note

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Follow no more."""
        self._account.on_sent.pop(self._subentry_id, None)

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send an SMS to all numbers of the recipient."""
        sms = await async_compose(self.hass, message, title)
        call = self._context.id if self._context else object()
        self._waiting += 1
        try:
            await async_send_jointly(
                self._account, sms, self._recipient, call, self._context
            )
        finally:
            self._waiting -= 1

    @callback
    def _async_take_note(self) -> None:
        """Remember when an SMS was sent.

        Of its own Home Assistant does so afterwards, unless the entity is gone then.
        """
        if not self._waiting or self._account.client is None:
            self._async_record_notification()


async def async_get_service(
    hass: HomeAssistant,
    config: ConfigType,  # noqa: ARG001
    discovery_info: DiscoveryInfoType | None = None,
) -> ZohoVoiceNotificationService | None:
    """Return the classic action; there is one, and it is not set up in YAML."""
    return None if discovery_info is None else ZohoVoiceNotificationService(hass)


class ZohoVoiceNotificationService(BaseNotificationService):
    """Send to numbers and recipients of all accounts, whatever state they are in."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Be ready to name the targets before the action is set up."""
        self.hass = hass

    @property
    @override
    def targets(self) -> dict[str, str]:
        """Return the recipients that get an action of their own, by its name.

        `alert:` and notify groups in YAML can pass no target. Names that make the
        same action are told apart by an id: an action must never pass from one
        recipient to another because one of them is removed.
        """
        slugs = [
            (slugify(subentry.title), subentry.subentry_id)
            for _, subentry in subentries_of(self.hass)
        ]
        count = Counter(slug for slug, _ in slugs)
        return {
            slug if count[slug] == 1 else f"{slug}_{subentry_id}": subentry_id
            for slug, subentry_id in slugs
        }

    @override
    async def _async_notify_message_service(self, service: ServiceCall) -> None:
        """Remember who called."""
        _context.set(service.context)
        await super()._async_notify_message_service(service)

    @override
    async def async_send_message(self, message: str, **kwargs: Any) -> None:
        """Send to `target`, or to `data.recipients` where there can be no target."""
        try:
            fields = _DATA_SCHEMA(kwargs.get(ATTR_DATA) or {})
        except vol.Invalid as err:
            raise validation_error(
                "invalid_data", error=mask_numbers(str(err))
            ) from None
        fields[ATTR_RECIPIENTS] = [
            *kwargs.get(ATTR_TARGET, []),
            *fields[ATTR_RECIPIENTS],
        ]
        sending = await async_prepare(
            self.hass,
            message,
            kwargs.get(ATTR_TITLE),
            fields,
            context=_context.get(),
        )
        await sending.async_send()
