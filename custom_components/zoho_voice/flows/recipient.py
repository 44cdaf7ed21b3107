"""Add and change recipients."""

from typing import Any, cast

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.data_entry_flow import section
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
    TimeSelector,
)
from homeassistant.util import slugify
import voluptuous as vol

from ..calls.phone_number import PhoneNumberError, parse_phone_number, parse_sender_id
from ..calls.recipients import subentries_of
from ..const import (
    CONF_KEEP_TRYING,
    CONF_PHONE_NUMBERS,
    CONF_QUIET_ACTION,
    CONF_QUIET_FROM,
    CONF_QUIET_UNTIL,
    CONF_SENDER_ID,
    QUIET_REFUSE,
    QUIET_WAIT,
)

SECTION_QUIET_HOURS = "quiet_hours"
_QUIET_HOURS: dict[str, Any] = {
    CONF_QUIET_FROM: TimeSelector(),
    CONF_QUIET_UNTIL: TimeSelector(),
    CONF_QUIET_ACTION: SelectSelector(
        SelectSelectorConfig(
            options=[QUIET_WAIT, QUIET_REFUSE], translation_key=CONF_QUIET_ACTION
        )
    ),
}
_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_PHONE_NUMBERS): TextSelector(
            TextSelectorConfig(type=TextSelectorType.TEL, multiple=True)
        ),
        vol.Optional(CONF_SENDER_ID): TextSelector(),
        vol.Optional(SECTION_QUIET_HOURS): section(
            vol.Schema(
                {vol.Optional(key): field for key, field in _QUIET_HOURS.items()}
            ),
            {"collapsed": True},
        ),
    }
)


class RecipientFlow(ConfigSubentryFlow):
    """Ask for a recipient's name and numbers."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a recipient."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            name, data = self._check(user_input, errors, placeholders)
            if not errors:
                return self.async_create_entry(title=name, data=data)
        return self._show("user", user_input, errors, placeholders)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a recipient."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            name, data = self._check(user_input, errors, placeholders)
            if not errors:
                return self.async_update_and_abort(
                    self._get_entry(), subentry, title=name, data=data
                )
        else:
            user_input = {
                CONF_NAME: subentry.title,
                **subentry.data,
                SECTION_QUIET_HOURS: {
                    key: subentry.data[key]
                    for key in _QUIET_HOURS
                    if key in subentry.data
                },
            }
        return self._show("reconfigure", user_input, errors, placeholders)

    def _show(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        errors: dict[str, str],
        placeholders: dict[str, str],
    ) -> SubentryFlowResult:
        """Show the form with what was entered so far."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(_SCHEMA, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    def _check(
        self,
        user_input: dict[str, Any],
        errors: dict[str, str],
        placeholders: dict[str, str],
    ) -> tuple[str, dict[str, Any]]:
        """Return a recipient's name and data; fill in what is wrong."""
        country = self.hass.config.country
        name = user_input[CONF_NAME].strip()
        if not name:
            errors[CONF_NAME] = "empty_name"
        elif self._is_taken(name):
            errors[CONF_NAME] = "name_taken"
        numbers: list[str] = []
        for written in user_input[CONF_PHONE_NUMBERS]:
            placeholders["number"] = written
            try:
                number = parse_phone_number(written, country)
            except PhoneNumberError as err:
                errors[CONF_PHONE_NUMBERS] = cast(str, err.translation_key)
                break
            if number in numbers:
                errors[CONF_PHONE_NUMBERS] = "number_given_twice"
                break
            numbers.append(number)
        else:
            if not numbers:
                errors[CONF_PHONE_NUMBERS] = "no_numbers"
        data: dict[str, Any] = {CONF_PHONE_NUMBERS: numbers}
        if sender_id := user_input.get(CONF_SENDER_ID):
            try:
                data[CONF_SENDER_ID] = parse_sender_id(sender_id, country)
            except PhoneNumberError as err:
                errors[CONF_SENDER_ID] = cast(str, err.translation_key)
        data |= self._check_quiet_hours(user_input.get(SECTION_QUIET_HOURS, {}), errors)
        return name, data

    def _check_quiet_hours(
        self, user_input: dict[str, str], errors: dict[str, str]
    ) -> dict[str, str]:
        """Return the quiet hours, if there are any; fill in what is wrong."""
        times = {
            key: cv.time(user_input[key]).isoformat()
            for key in (CONF_QUIET_FROM, CONF_QUIET_UNTIL)
            if user_input.get(key)
        }
        if not times:
            return {}
        if len(times) == 1:
            errors[SECTION_QUIET_HOURS] = "quiet_hours_incomplete"
        elif times[CONF_QUIET_FROM] == times[CONF_QUIET_UNTIL]:
            errors[SECTION_QUIET_HOURS] = "quiet_hours_without_end"
        action = user_input.get(CONF_QUIET_ACTION, QUIET_WAIT)
        if action == QUIET_WAIT and not self._get_entry().options.get(CONF_KEEP_TRYING):
            errors[SECTION_QUIET_HOURS] = "quiet_hours_need_outbox"
        return {**times, CONF_QUIET_ACTION: action}

    def _is_taken(self, name: str) -> bool:
        """Return if another recipient has the name, or one that makes its action."""
        own_id = (
            self._reconfigure_subentry_id if self.source == SOURCE_RECONFIGURE else None
        )
        return any(
            slugify(subentry.title) == slugify(name)
            for _, subentry in subentries_of(self.hass)
            if subentry.subentry_id != own_id
        )
