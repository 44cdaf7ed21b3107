"""The options of an account."""

from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.helpers.selector import DurationSelector, DurationSelectorConfig
import voluptuous as vol

from .const import CONF_KEEP_TRYING
from .outbox import MAX_AGE

#: The shortest time for which an account can keep what does not reach Zoho (seconds).
MIN_KEEP_TRYING = 300

_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_KEEP_TRYING): DurationSelector(
            DurationSelectorConfig(enable_second=False)
        )
    }
)


class ZohoVoiceOptionsFlow(OptionsFlowWithReload):
    """Ask how an account is to behave."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options; what is left empty is off."""
        errors: dict[str, str] = {}
        if user_input is None:
            seconds = self.config_entry.options.get(CONF_KEEP_TRYING)
            shown = {CONF_KEEP_TRYING: _as_duration(seconds)} if seconds else {}
        else:
            shown = user_input
            seconds = timedelta(**user_input.get(CONF_KEEP_TRYING, {})).total_seconds()
            if not seconds:
                return self.async_create_entry(data={})
            if MIN_KEEP_TRYING <= seconds <= MAX_AGE:
                return self.async_create_entry(data={CONF_KEEP_TRYING: seconds})
            errors[CONF_KEEP_TRYING] = "keep_trying_out_of_range"
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(_SCHEMA, shown),
            errors=errors,
        )


def _as_duration(seconds: float) -> dict[str, int]:
    """Return a time as its selector shows it."""
    minutes = int(seconds) // 60
    return {"hours": minutes // 60, "minutes": minutes % 60, "seconds": 0}
