"""Triggers of automations: what became of an SMS, and what somebody wrote."""

from abc import abstractmethod
from datetime import datetime
from typing import Any, cast, override

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.const import (
    ATTR_CONFIG_ENTRY_ID,
    ATTR_ENTITY_ID,
    ATTR_NAME,
    ATTR_STATE,
    CONF_FOR,
    CONF_MATCH,
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

from .accounts import async_find_account
from .calls.recipients import accounts_of
from .const import ATTR_RECIPIENTS, DOMAIN
from .sending.outbox import Message
from .tracking.signals import (
    SIGNAL_DELIVERY,
    SIGNAL_GAVE_UP,
    SIGNAL_INCOMING,
)
from .tracking.tracker import IncomingSms, Key, TrackedSms
from .zoho.message_log import DeliveryState

type AnySms = TrackedSms | IncomingSms | Message

CONF_TEXT = "text"
MATCH_CONTAINS = "contains"
MATCH_IS = "is"

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

    @abstractmethod
    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow what the trigger is about; return how to stop."""

    def _concerns(self, entry_id: str, sms: AnySms) -> bool:
        """Return if an SMS is of a recipient that was chosen, or anybody's will do."""
        if not (chosen := self._options[ATTR_RECIPIENTS]):
            return True
        return self._find_entity_id(entry_id, sms) in chosen

    def _find_entity_id(self, entry_id: str, sms: AnySms) -> str | None:
        """Return the entity of an SMS's recipient, also if it was sent to a number."""
        subentry_id = sms.subentry_id
        if subentry_id is None and (
            account := async_find_account(self._hass, entry_id)
        ):
            known = account.tracking.find_recipient(sms.number)
            subentry_id = known and known[1]
        return subentry_id and er.async_get(self._hass).async_get_entity_id(
            NOTIFY_DOMAIN, DOMAIN, subentry_id
        )

    def _describe(self, entry_id: str, sms: AnySms) -> dict[str, Any]:
        """Return what all triggers say of an SMS."""
        return {
            ATTR_CONFIG_ENTRY_ID: entry_id,
            "number": sms.number,
            ATTR_NAME: sms.name,
            ATTR_ENTITY_ID: self._find_entity_id(entry_id, sms),
        }

    def _describe_delivery(self, entry_id: str, sms: TrackedSms) -> dict[str, Any]:
        """Return what the triggers say of an SMS that was sent; times are in UTC."""
        return {
            **self._describe(entry_id, sms),
            "log_id": sms.log_id,
            ATTR_STATE: sms.state.value,
            "status": sms.status,
            "description": sms.description,
            "submitted_at": _time(sms.submitted_at),
            "seconds": sms.seconds,
        }


class SmsReceivedTrigger(_SmsTrigger):
    """Trigger when somebody writes."""

    _options_schema = {  # noqa: RUF012
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
            if not self._concerns(entry_id, sms) or not self._matches(sms.message):
                return
            run_action(
                {
                    **self._describe(entry_id, sms),
                    "known": sms.subentry_id is not None,
                    "text": sms.message,
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
            if sms.state is DeliveryState.DELIVERED and self._concerns(entry_id, sms):
                run_action(
                    self._describe_delivery(entry_id, sms),
                    f"SMS delivered to {sms.name or 'somebody'}",
                )

        return async_dispatcher_connect(self._hass, SIGNAL_DELIVERY, take)


class SmsNotDeliveredTrigger(_SmsTrigger):
    """Trigger when an SMS is reported not to be delivered, or not reported in time."""

    _options_schema = {  # noqa: RUF012
        **_RECIPIENTS,
        vol.Optional(CONF_FOR): cv.positive_time_period,
    }

    @override
    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow delivery reports, and the time until they come."""
        self._run_action = run_action
        self._waiting: dict[Key, CALLBACK_TYPE] = {}
        for account in accounts_of(self._hass):
            for sms in account.tracking.tracker.unsettled:
                self._wait_for_report(account.entry_id, sms)
        stop = async_dispatcher_connect(self._hass, SIGNAL_DELIVERY, self._take)

        @callback
        def stop_all() -> None:
            for each in (stop, *self._waiting.values()):
                each()

        return stop_all

    @callback
    def _take(self, entry_id: str, sms: TrackedSms) -> None:
        """Take a delivery report."""
        if not self._concerns(entry_id, sms):
            return
        if sms.state is DeliveryState.QUEUED:
            self._wait_for_report(entry_id, sms)
        if not sms.is_final:
            return
        stop = self._waiting.pop(sms.key, None)
        if stop:
            stop()
        # With a time, what is not waited for any more was told already.
        was_told = CONF_FOR in self._options and stop is None
        if sms.state is not DeliveryState.DELIVERED and not was_told:
            self._tell(entry_id, sms)

    @callback
    def _wait_for_report(self, entry_id: str, sms: TrackedSms) -> None:
        """Give up an SMS if there is no report for long."""
        if CONF_FOR not in self._options or not self._concerns(entry_id, sms):
            return
        if (account := async_find_account(self._hass, entry_id)) is None:
            return
        tracking = account.tracking

        @callback
        def give_up(_: datetime | None = None) -> None:
            latest = tracking.tracker.find(sms.key) or sms
            if latest.is_final:
                # Its report is about to be announced.
                return
            if tracking.downtime.began_at is not None:
                # It may have been reported while Home Assistant was down.
                self._waiting[sms.key] = tracking.downtime.wait(give_up)
                return
            del self._waiting[sms.key]
            self._tell(entry_id, latest)
            tracking.note_told()

        due = dt_util.utc_from_timestamp(sms.submitted_at) + self._options[CONF_FOR]
        if due > dt_util.utcnow():
            self._waiting[sms.key] = async_track_point_in_utc_time(
                self._hass, give_up, due
            )
        elif tracking.downtime.covers(due.timestamp()):
            self._waiting[sms.key] = tracking.downtime.wait(give_up)

    @callback
    def _tell(self, entry_id: str, sms: TrackedSms) -> None:
        """Run the action for an SMS."""
        self._run_action(
            self._describe_delivery(entry_id, sms),
            f"SMS not delivered to {sms.name or 'somebody'}",
        )


class MessageGaveUpTrigger(_SmsTrigger):
    """Trigger when a message that waited was not sent for certain."""

    @override
    def _listen(self, run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        """Follow the outbox."""

        @callback
        def take(entry_id: str, message: Message) -> None:
            if self._concerns(entry_id, message):
                run_action(
                    {
                        **self._describe(entry_id, message),
                        "message_id": message.message_id,
                        ATTR_STATE: message.state.value,
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
