"""The options of an account."""

from datetime import timedelta
import math
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    DurationSelector,
    DurationSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from ..account import DEFAULT_FLOOD_LIMIT, DEFAULT_FLOOD_MINUTES
from ..const import (
    CONF_FLOOD_LIMIT,
    CONF_FLOOD_MINUTES,
    CONF_INCOMING_INTERVAL,
    CONF_KEEP_TRYING,
    CONF_REPEAT_SECONDS,
    CONF_SEGMENTS_PER_DAY,
    CONF_SEGMENTS_PER_HOUR,
    CONF_SHOW_TEXT,
    DEFAULT_INCOMING_INTERVAL,
)
from ..recipient import recipients_of
from ..sending.outbox import MAX_AGE

#: The shortest time for which an account can keep what does not reach Zoho (seconds).
MIN_KEEP_TRYING = 300
#: How often incoming SMS can be asked for at most (seconds).
MIN_INCOMING_INTERVAL = 15
#: The only unit that is not the same in all languages.
UNIT_SEGMENTS = "segments"

SECTION_BRAKES = "brakes"
SECTION_INCOMING = "incoming"
SECTION_OUTBOX = "outbox"
SECTION_SPENDING = "spending"


class _TimeSelector(DurationSelector):
    """Ask for a time, which has to have an end."""

    def __call__(self, data: Any) -> dict[str, float]:
        """Validate what was entered."""
        try:
            return super().__call__(data)
        except OverflowError as err:
            raise vol.Invalid("expected a shorter time") from err


class _NumberSelector(NumberSelector):
    """Ask for a number, which has to be one."""

    def __call__(self, data: Any) -> float:
        """Validate what was entered."""
        value = super().__call__(data)
        if math.isnan(value):
            raise vol.Invalid("expected a number")
        return value


def _number(unit: str, maximum: int, minimum: int = 0) -> NumberSelector:
    """Return the selector of a number."""
    config = NumberSelectorConfig(
        min=minimum,
        max=maximum,
        mode=NumberSelectorMode.BOX,
        unit_of_measurement=unit,
    )
    if unit == UNIT_SEGMENTS:
        config["translation_key"] = unit
    return _NumberSelector(config)


SECTIONS: dict[str, dict[str, Any]] = {
    SECTION_OUTBOX: {
        CONF_KEEP_TRYING: _TimeSelector(DurationSelectorConfig(enable_second=False))
    },
    SECTION_SPENDING: {
        CONF_SEGMENTS_PER_HOUR: _number(UNIT_SEGMENTS, 1_000_000),
        CONF_SEGMENTS_PER_DAY: _number(UNIT_SEGMENTS, 1_000_000),
    },
    SECTION_BRAKES: {
        CONF_FLOOD_LIMIT: _number("SMS", 10_000),
        CONF_FLOOD_MINUTES: _number("min", 1440, minimum=1),
        CONF_REPEAT_SECONDS: _number("s", 86_400),
    },
    SECTION_INCOMING: {
        CONF_INCOMING_INTERVAL: _number("s", 86_400),
        CONF_SHOW_TEXT: BooleanSelector(),
    },
}
_DEFAULTS = {
    CONF_FLOOD_LIMIT: DEFAULT_FLOOD_LIMIT,
    CONF_FLOOD_MINUTES: DEFAULT_FLOOD_MINUTES,
    CONF_INCOMING_INTERVAL: DEFAULT_INCOMING_INTERVAL,
    CONF_SHOW_TEXT: True,
}
_SCHEMA = vol.Schema(
    {
        vol.Optional(name): section(
            vol.Schema({vol.Optional(key): field for key, field in fields.items()})
        )
        for name, fields in SECTIONS.items()
    }
)


class ZohoVoiceOptionsFlow(OptionsFlowWithReload):
    """Ask how an account is to behave."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options; what is left empty is off, or as it is by default."""
        errors: dict[str, str] = {}
        shown = user_input
        if user_input is None:
            shown = self._shown()
        else:
            data: dict[str, Any] = {
                key: int(value)
                for name in (SECTION_SPENDING, SECTION_BRAKES, SECTION_INCOMING)
                for key, value in user_input.get(name, {}).items()
                if key != CONF_SHOW_TEXT and (int(value) or key in _DEFAULTS)
            }
            keep_trying = user_input.get(SECTION_OUTBOX, {}).get(CONF_KEEP_TRYING, {})
            time = timedelta(**keep_trying).total_seconds()
            if time and not MIN_KEEP_TRYING <= time <= MAX_AGE:
                errors[SECTION_OUTBOX] = "keep_trying_out_of_range"
            elif time:
                data[CONF_KEEP_TRYING] = time
            elif any(
                recipient.quiet_hours and recipient.quiet_hours.waits
                for recipient in recipients_of(self.config_entry).values()
            ):
                errors[SECTION_OUTBOX] = "quiet_hours_need_outbox"
            if 0 < data.get(CONF_INCOMING_INTERVAL, 0) < MIN_INCOMING_INTERVAL:
                errors[SECTION_INCOMING] = "incoming_interval_too_short"
            if not user_input.get(SECTION_INCOMING, {}).get(CONF_SHOW_TEXT, True):
                data[CONF_SHOW_TEXT] = False
            if not errors:
                return self.async_create_entry(data=data)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(_SCHEMA, shown),
            errors=errors,
        )

    def _shown(self) -> dict[str, dict[str, Any]]:
        """Return the options as the form shows them."""
        options = {**_DEFAULTS, **self.config_entry.options}
        if seconds := options.get(CONF_KEEP_TRYING):
            options[CONF_KEEP_TRYING] = _as_duration(seconds)
        return {
            name: {key: options[key] for key in fields if key in options}
            for name, fields in SECTIONS.items()
        }


def _as_duration(seconds: float) -> dict[str, int]:
    """Return a time as its selector shows it."""
    minutes = int(seconds) // 60
    return {"hours": minutes // 60, "minutes": minutes % 60, "seconds": 0}
