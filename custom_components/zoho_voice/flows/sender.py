"""Who sends: the form for the sender ID, and the repair of one that is refused."""

from collections.abc import Mapping
from typing import Any, cast

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..account import Account
from ..accounts import async_get_account
from ..calls.message import async_compose
from ..calls.phone_number import PhoneNumberError, parse_phone_number, parse_sender_id
from ..const import CONF_SENDER_ID, CONF_TEST_NUMBER, DOMAIN
from ..recipient import Recipient
from ..sending.dispatch import async_send
from ..zoho.client import ZohoVoiceClient

SENDER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SENDER_ID): TextSelector(),
        vol.Optional(CONF_TEST_NUMBER): TextSelector(
            TextSelectorConfig(type=TextSelectorType.TEL)
        ),
    }
)

_TEST_MESSAGE = "Home Assistant can send SMS through Zoho Voice. This is a test."


async def async_check_sender(
    hass: HomeAssistant,
    client: ZohoVoiceClient,
    user_input: Mapping[str, Any],
    errors: dict[str, str],
) -> tuple[str, HomeAssistantError | None]:
    """Return the sender ID of a form, and why the test SMS failed, if it did.

    Fills in what is wrong with the fields.
    """
    country = hass.config.country
    sender_id = ""
    number = None
    try:
        sender_id = parse_sender_id(user_input[CONF_SENDER_ID], country)
    except PhoneNumberError as err:
        errors[CONF_SENDER_ID] = cast(str, err.translation_key)
    try:
        if written := user_input.get(CONF_TEST_NUMBER):
            number = parse_phone_number(written, country)
    except PhoneNumberError as err:
        errors[CONF_TEST_NUMBER] = cast(str, err.translation_key)
    if number is None or errors:
        return sender_id, None
    try:
        await async_send(
            await async_compose(hass, _TEST_MESSAGE),
            {Account(client, sender_id): [Recipient((number,))]},
        )
    except HomeAssistantError as err:
        return sender_id, err
    return sender_id, None


class SenderRepairFlow(RepairsFlow):
    """Change a sender ID of which Zoho refused an SMS, or say that it is right."""

    def __init__(self, entry: ConfigEntry, subentry_id: str | None) -> None:
        """Keep whose sender ID it is: that of a recipient, or of the account."""
        subentry = entry.subentries.get(subentry_id or "")
        self._entry = entry
        self._sender_id: str = {**entry.data, **(subentry.data if subentry else {})}[
            CONF_SENDER_ID
        ]

    async def async_step_init(
        self,
        user_input: dict[str, str] | None = None,  # noqa: ARG002
    ) -> RepairsFlowResult:
        """Begin; what Home Assistant passes is no input."""
        return await self.async_step_sender()

    async def async_step_sender(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for the sender ID, and send a test SMS if wanted."""
        client = async_get_account(self.hass, self._entry).client
        if client is None:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        placeholders = {**((issue and issue.translation_placeholders) or {})}
        if user_input is not None:
            sender_id, failure = await async_check_sender(
                self.hass, client, user_input, errors
            )
            if failure:
                errors["base"] = "test_failed"
                placeholders["error"] = str(failure)
            if not errors:
                self._async_save(sender_id)
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="sender",
            data_schema=self.add_suggested_values_to_schema(
                SENDER_SCHEMA, user_input or {CONF_SENDER_ID: self._sender_id}
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    @callback
    def _async_save(self, sender_id: str) -> None:
        """Replace the sender ID wherever the account uses it."""
        async_get_account(self.hass, self._entry).forget_refusal(self._sender_id)
        if sender_id == self._sender_id:
            return
        entries = self.hass.config_entries
        change = {CONF_SENDER_ID: sender_id}
        for subentry in [*self._entry.subentries.values()]:
            if subentry.data.get(CONF_SENDER_ID) == self._sender_id:
                entries.async_update_subentry(
                    self._entry, subentry, data={**subentry.data, **change}
                )
        if self._entry.data[CONF_SENDER_ID] == self._sender_id:
            entries.async_update_entry(self._entry, data={**self._entry.data, **change})
            entries.async_schedule_reload(self._entry.entry_id)
