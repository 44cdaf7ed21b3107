"""Triggers of automations: what became of an SMS, and what somebody wrote."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast, override

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.const import (
    ATTR_CONFIG_ENTRY_ID,
    ATTR_ENTITY_ID,
    ATTR_NAME,
    ATTR_STATE,
    CONF_FOR,
    CONF_OPTIONS,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .calls.recipients import accounts_of
from .const import ATTR_RECIPIENTS, DOMAIN
from .sending.outbox import Message
from .tracking.signals import (
    SIGNAL_ACCEPTED,
    SIGNAL_DELIVERY,
    SIGNAL_GAVE_UP,
    SIGNAL_INCOMING,
)
from .tracking.tracker import IncomingSms, TrackedSms
from .zoho.message_log import FINAL_STATES, DeliveryState

CONF_MATCH = "match"
CONF_TEXT = "text"
MATCH_CONTAINS = "contains"
MATCH_IS = "is"

_NOT_DELIVERED = (DeliveryState.UNDELIVERED, DeliveryState.FAILED)
_RECIPIENTS: dict[vol.Marker, Any] = {
    vol.Optional(ATTR_RECIPIENTS, default=[]): cv.entities_domain(NOTIFY_DOMAIN),
}


class _SmsTrigger(Trigger):
    """Follow the SMS of some recipients, or of everybody."""

    _options_schema: dict[vol.Marker, Any] = _RECIPIENTS

    @override
    @classmethod
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Validate the options."""
        schema = vol.Schema(
            {vol.Optional(CONF_OPTIONS, default={}): cls._options_schema}
        )
        return cast(ConfigType, schema(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take the options."""
        super().__init__(hass, config)
        self._options = config.options or {}

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: Any = None
    ) -> CALLBACK_TYPE:
        """Run the action at each SMS that the trigger is about.

        Home Assistant 2026.6 gives no `did_not_trigger`.
        """
        return self._listen(run_action)

    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow what the trigger is about; return how to stop."""
        raise NotImplementedError

    def _concerns(self, subentry_id: str | None) -> bool:
        """Return if an SMS is of a recipient that was chosen, or anybody's will do."""
        if not (chosen := self._options[ATTR_RECIPIENTS]):
            return True
        registry = er.async_get(self._hass)
        return subentry_id is not None and any(
            (entity := registry.async_get(entity_id)) is not None
            and entity.config_subentry_id == subentry_id
            for entity_id in chosen
        )

    def _describe(self, entry_id: str, sms: TrackedSms | Message | IncomingSms) -> Any:
        """Return what all triggers say of an SMS."""
        return {
            ATTR_CONFIG_ENTRY_ID: entry_id,
            "number": sms.number,
            ATTR_NAME: sms.name,
            ATTR_ENTITY_ID: er.async_get(self._hass).async_get_entity_id(
                NOTIFY_DOMAIN, DOMAIN, sms.subentry_id or ""
            ),
        }

    def _describe_delivery(self, entry_id: str, sms: TrackedSms) -> dict[str, Any]:
        """Return what the triggers say of an SMS that was sent; times are in UTC."""
        return {
            **self._describe(entry_id, sms),
            "log_id": sms.log_id,
            ATTR_STATE: sms.state,
            "status": sms.status,
            "description": sms.description,
            "submitted_at": _time(sms.submitted_at),
            "seconds": round(sms.changed_at - sms.submitted_at, 1),
        }


class SmsReceivedTrigger(_SmsTrigger):
    """Trigger when somebody writes."""

    _options_schema = {
        **_RECIPIENTS,
        vol.Optional(CONF_TEXT, default=[]): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(CONF_MATCH, default=MATCH_CONTAINS): vol.In(
            [MATCH_CONTAINS, MATCH_IS]
        ),
    }

    @override
    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow incoming SMS."""

        @callback
        def take(entry_id: str, sms: IncomingSms) -> None:
            if not self._concerns(sms.subentry_id) or not self._matches(sms.text):
                return
            run_action(
                {
                    **self._describe(entry_id, sms),
                    "known": sms.known,
                    "text": sms.text,
                    "log_id": sms.log_id,
                    "received_at": _time(sms.received_at),
                    "segments": sms.segments,
                },
                f"SMS from {sms.name or 'somebody'}",
            )

        return async_dispatcher_connect(self._hass, SIGNAL_INCOMING, take)

    def _matches(self, text: str) -> bool:
        """Return if a text is, or contains, one of those that were chosen."""
        wanted = [option.strip().casefold() for option in self._options[CONF_TEXT]]
        written = text.strip().casefold()
        if self._options[CONF_MATCH] == MATCH_IS:
            return not wanted or written in wanted
        return not wanted or any(option in written for option in wanted)


class SmsDeliveredTrigger(_SmsTrigger):
    """Trigger when an SMS was delivered."""

    @override
    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow delivery reports."""

        @callback
        def take(entry_id: str, sms: TrackedSms) -> None:
            if sms.state is DeliveryState.DELIVERED and self._concerns(sms.subentry_id):
                run_action(
                    self._describe_delivery(entry_id, sms),
                    f"SMS delivered to {sms.name or 'somebody'}",
                )

        return async_dispatcher_connect(self._hass, SIGNAL_DELIVERY, take)


class SmsNotDeliveredTrigger(_SmsTrigger):
    """Trigger when an SMS is reported not to be delivered, or not reported in time."""

    _options_schema = {
        **_RECIPIENTS,
        vol.Optional(CONF_FOR): cv.positive_time_period,
    }

    @override
    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow delivery reports, and the time until they come."""
        waiting: dict[tuple[str | None, str], CALLBACK_TYPE] = {}

        @callback
        def tell(entry_id: str, sms: TrackedSms) -> None:
            run_action(
                self._describe_delivery(entry_id, sms),
                f"SMS not delivered to {sms.name or 'somebody'}",
            )

        @callback
        def start(entry_id: str, sms: TrackedSms) -> None:
            if CONF_FOR not in self._options or not self._concerns(sms.subentry_id):
                return
            key = sms.log_id, sms.number

            @callback
            def give_up(_: datetime) -> None:
                del waiting[key]
                tell(entry_id, sms)

            due = dt_util.utc_from_timestamp(sms.submitted_at) + self._patience
            waiting[key] = async_track_point_in_utc_time(self._hass, give_up, due)

        @callback
        def take(entry_id: str, sms: TrackedSms) -> None:
            late = CONF_FOR in self._options
            if sms.state in FINAL_STATES:
                if stop := waiting.pop((sms.log_id, sms.number), None):
                    late = False
                    stop()
                if (
                    sms.state in _NOT_DELIVERED
                    and not late
                    and self._concerns(sms.subentry_id)
                ):
                    tell(entry_id, sms)

        for account in accounts_of(self._hass):
            for sms in account.tracker.unsettled:
                start(account.entry_id, sms)
        stops = [
            async_dispatcher_connect(self._hass, SIGNAL_ACCEPTED, start),
            async_dispatcher_connect(self._hass, SIGNAL_DELIVERY, take),
        ]

        @callback
        def stop() -> None:
            for stop in (*stops, *waiting.values()):
                stop()

        return stop

    @property
    def _patience(self) -> timedelta:
        """Return how long to wait for a report."""
        return cast(timedelta, self._options[CONF_FOR])


class MessageGaveUpTrigger(_SmsTrigger):
    """Trigger when a message that waited was not sent for certain."""

    @override
    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow the outbox."""

        @callback
        def take(entry_id: str, message: Message) -> None:
            if self._concerns(message.subentry_id):
                run_action(
                    {
                        **self._describe(entry_id, message),
                        "message_id": message.message_id,
                        ATTR_STATE: message.state,
                        "reason": message.reason,
                        "created_at": _time(message.created_at),
                    },
                    f"SMS to {message.name or 'somebody'} {message.state}",
                )

        return async_dispatcher_connect(self._hass, SIGNAL_GAVE_UP, take)


def _time(timestamp: float) -> str:
    """Return a time in seconds since the epoch as ISO 8601, in UTC."""
    return dt_util.utc_from_timestamp(timestamp).isoformat()


_TRIGGERS: dict[str, type[Trigger]] = {
    "message_gave_up": MessageGaveUpTrigger,
    "sms_delivered": SmsDeliveredTrigger,
    "sms_not_delivered": SmsNotDeliveredTrigger,
    "sms_received": SmsReceivedTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:  # noqa: ARG001
    """Return the triggers by their name."""
    return _TRIGGERS
