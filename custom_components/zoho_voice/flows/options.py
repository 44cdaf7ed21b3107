"""The options of an account."""

from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
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
from ..sending.outbox import MAX_AGE

#: The shortest time for which an account can keep what does not reach Zoho (seconds).
MIN_KEEP_TRYING = 300
#: How often incoming SMS can be asked for at most (seconds).
MIN_INCOMING_INTERVAL = 15


def _number(unit: str, maximum: int) -> NumberSelector:
    """Return the selector of a number; 0 is off."""
    return NumberSelector(
        NumberSelectorConfig(
            min=0,
            max=maximum,
            mode=NumberSelectorMode.BOX,
            unit_of_measurement=unit,
        )
    )


_NUMBERS = {
    CONF_SEGMENTS_PER_HOUR: _number("segments", 1_000_000),
    CONF_SEGMENTS_PER_DAY: _number("segments", 1_000_000),
    CONF_REPEAT_SECONDS: _number("s", 86_400),
    CONF_FLOOD_LIMIT: _number("messages", 10_000),
    CONF_FLOOD_MINUTES: _number("min", 1440),
    CONF_INCOMING_INTERVAL: _number("s", 86_400),
}
_DEFAULTS = {
    CONF_FLOOD_LIMIT: DEFAULT_FLOOD_LIMIT,
    CONF_FLOOD_MINUTES: DEFAULT_FLOOD_MINUTES,
    CONF_INCOMING_INTERVAL: DEFAULT_INCOMING_INTERVAL,
}
_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_KEEP_TRYING): DurationSelector(
            DurationSelectorConfig(enable_second=False)
        ),
        **{vol.Optional(key): selector for key, selector in _NUMBERS.items()},
        vol.Optional(CONF_SHOW_TEXT, default=True): BooleanSelector(),
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
            shown = {**_DEFAULTS, **self.config_entry.options}
            if seconds := shown.get(CONF_KEEP_TRYING):
                shown[CONF_KEEP_TRYING] = _as_duration(seconds)
        else:
            data: dict[str, Any] = {
                key: int(user_input[key])
                for key in _NUMBERS
                if user_input.get(key) or (key in user_input and key in _DEFAULTS)
            }
            time = timedelta(**user_input.get(CONF_KEEP_TRYING, {})).total_seconds()
            if time and not MIN_KEEP_TRYING <= time <= MAX_AGE:
                errors[CONF_KEEP_TRYING] = "keep_trying_out_of_range"
            elif time:
                data[CONF_KEEP_TRYING] = time
            if 0 < data.get(CONF_INCOMING_INTERVAL, 0) < MIN_INCOMING_INTERVAL:
                errors[CONF_INCOMING_INTERVAL] = "incoming_interval_too_short"
            if not user_input[CONF_SHOW_TEXT]:
                data[CONF_SHOW_TEXT] = False
            if not errors:
                return self.async_create_entry(data=data)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(_SCHEMA, shown),
            errors=errors,
        )


def _as_duration(seconds: float) -> dict[str, int]:
    """Return a time as its selector shows it."""
    minutes = int(seconds) // 60
    return {"hours": minutes // 60, "minutes": minutes % 60, "seconds": 0}
