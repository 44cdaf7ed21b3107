"""Add and change recipients."""

from typing import Any, cast

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util import slugify
import voluptuous as vol

from ..calls.phone_number import PhoneNumberError, parse_phone_number, parse_sender_id
from ..calls.recipients import subentries_of
from ..const import CONF_PHONE_NUMBERS, CONF_SENDER_ID

_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_PHONE_NUMBERS): TextSelector(
            TextSelectorConfig(type=TextSelectorType.TEL, multiple=True)
        ),
        vol.Optional(CONF_SENDER_ID): TextSelector(),
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
            user_input = {CONF_NAME: subentry.title, **subentry.data}
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
        return name, data

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
