"""Delivery reports and incoming SMS, as events of the account and its recipients."""

from typing import override

from homeassistant.components.event import EventEntity
from homeassistant.const import ATTR_NAME, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .account import ZohoVoiceConfigEntry
from .calls.phone_number import mask
from .const import ATTR_RECIPIENT, CONF_SHOW_TEXT
from .entity import AccountEntity, RecipientEntity
from .tracking.coordinator import MessageLogCoordinator
from .tracking.signals import SIGNAL_DELIVERY, SIGNAL_INCOMING
from .tracking.tracker import IncomingSms, TrackedSms
from .zoho.message_log import DeliveryState

# Nothing is asked for.
PARALLEL_UPDATES = 0

_RECEIVED = "received"


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001
    entry: ZohoVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of the account, and one for each recipient."""
    async_add_entities(
        [DeliveryEvent(entry, "delivery"), IncomingEvent(entry, "incoming")]
    )
    for subentry_id in entry.runtime_data.recipients:
        async_add_entities(
            [ReplyEvent(entry, subentry_id, "reply")], config_subentry_id=subentry_id
        )


class DeliveryEvent(AccountEntity, EventEntity):
    """Tell what became of the SMS of an account.

    It is available as long as Zoho tells, one way or the other.
    """

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_event_types = [  # noqa: RUF012
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.UNDELIVERED,
        DeliveryState.FAILED,
        DeliveryState.UNKNOWN,
    ]

    @property
    @override
    def available(self) -> bool:
        """Return if delivery reports can come."""
        return self._coordinator.is_available or self._account.tracking.is_called_back

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the delivery reports."""
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_DELIVERY, self._async_take)
        )
        self.async_on_remove(
            self._coordinator.async_add_listener(self.async_write_ha_state)
        )
        self._account.tracking.on_url = self.async_write_ha_state

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Follow no more."""
        self._account.tracking.on_url = lambda: None

    @callback
    def _async_take(self, entry_id: str, sms: TrackedSms) -> None:
        """Tell of a delivery report."""
        if entry_id == self._entry.entry_id and sms.state in self.event_types:
            self._trigger_event(
                sms.state,
                {
                    ATTR_RECIPIENT: sms.name or mask(sms.number),
                    "log_id": sms.log_id,
                    "status": sms.status,
                    "description": sms.description,
                    "seconds": sms.seconds,
                },
            )
            self.async_write_ha_state()


class _ReceivedEvent(EventEntity):
    """Tell of what somebody wrote.

    It is available as long as the message log can be read. What is private stays out
    of the recorder's database.
    """

    _attr_event_types = [_RECEIVED]  # noqa: RUF012
    _unrecorded_attributes = frozenset({"number", "text"})
    _coordinator: MessageLogCoordinator
    _entry: ZohoVoiceConfigEntry

    @property
    @override
    def available(self) -> bool:
        """Return if the message log can be read."""
        return self._coordinator.is_available

    @override
    async def async_added_to_hass(self) -> None:
        """Follow whether the message log can be read."""
        self.async_on_remove(
            self._coordinator.async_add_listener(self.async_write_ha_state)
        )

    @callback
    def _async_take(self, sms: IncomingSms) -> None:
        """Tell of an incoming SMS."""
        attributes = {
            "number": sms.number,
            ATTR_NAME: sms.name,
            "known": sms.subentry_id is not None,
            "received_at": dt_util.utc_from_timestamp(sms.received_at).isoformat(),
            "segments": sms.segments,
            "log_id": sms.log_id,
        }
        if self._entry.options.get(CONF_SHOW_TEXT, True):
            attributes["text"] = sms.message
        self._trigger_event(_RECEIVED, attributes)
        self.async_write_ha_state()


class IncomingEvent(AccountEntity, _ReceivedEvent):
    """Tell of all SMS to an account."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow incoming SMS."""
        await super().async_added_to_hass()

        @callback
        def take(entry_id: str, sms: IncomingSms) -> None:
            if entry_id == self._entry.entry_id:
                self._async_take(sms)

        self.async_on_remove(async_dispatcher_connect(self.hass, SIGNAL_INCOMING, take))


class ReplyEvent(RecipientEntity, _ReceivedEvent):
    """Tell of the SMS of one recipient."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what the recipient writes."""
        await super().async_added_to_hass()
        self._account.tracking.on_reply[self._subentry_id] = self._async_take

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Follow no more."""
        self._account.tracking.on_reply.pop(self._subentry_id, None)
