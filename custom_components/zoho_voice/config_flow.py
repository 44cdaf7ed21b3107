"""Sign in at Zoho, and say who sends."""

from collections.abc import Mapping
import ipaddress
import logging
from typing import Any, cast, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
    SubentryFlowContext,
)
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2FlowHandler,
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol
from yarl import URL

from .account import ZohoVoiceConfigEntry
from .accounts import async_get_account
from .application_credentials import ZohoOAuth2Implementation
from .connection.data_center import data_center_of
from .connection.session import async_get_session
from .connection.tokens import SignInTokens
from .const import (
    CONF_ACCOUNTS_URL,
    CONF_DATA_CENTER,
    CONF_SENDER_ID,
    CONF_VOICE_URL,
    DATA_CENTER_OTHER,
    DOMAIN,
    SUBENTRY_TYPE_RECIPIENT,
)
from .errors import error_key, error_placeholders
from .flows.options import ZohoVoiceOptionsFlow
from .flows.recipient import RecipientFlow
from .flows.sender import SENDER_SCHEMA, async_check_sender
from .zoho.client import ZohoVoiceClient
from .zoho.data_center import DATA_CENTERS, data_center_of_country
from .zoho.errors import OutcomeUnknownError, RejectedError, ZohoError

_LOGGER = logging.getLogger(__name__)

_OTHER_SCHEMA = vol.Schema(
    {
        vol.Required(key): TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
        for key in (CONF_ACCOUNTS_URL, CONF_VOICE_URL)
    }
)


class ZohoVoiceConfigFlow(AbstractOAuth2FlowHandler, domain=DOMAIN):
    """Set up an account: data center, sign-in at Zoho, sender ID."""

    DOMAIN = DOMAIN
    VERSION = 1

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._data: dict[str, Any] = {}
        self._title = ""
        self._unused_refresh_token: str | None = None

    @property
    @override
    def logger(self) -> logging.Logger:
        """Return the logger."""
        return _LOGGER

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what an account can hold."""
        return {SUBENTRY_TYPE_RECIPIENT: RecipientFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(
        config_entry: ZohoVoiceConfigEntry,
    ) -> ZohoVoiceOptionsFlow:
        """Return how to change the options."""
        return ZohoVoiceOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the data center: the sign-in needs to know it."""
        if user_input is None:
            if not await self._async_has_credentials():
                return await self.async_step_pick_implementation()
            return self.async_show_form(
                step_id="user",
                data_schema=vol.Schema(
                    {
                        vol.Required(
                            CONF_DATA_CENTER,
                            default=data_center_of_country(self.hass.config.country),
                        ): SelectSelector(
                            SelectSelectorConfig(
                                options=[*DATA_CENTERS, DATA_CENTER_OTHER],
                                mode=SelectSelectorMode.DROPDOWN,
                                translation_key=CONF_DATA_CENTER,
                            )
                        )
                    }
                ),
            )
        self._data = dict(user_input)
        if self._data[CONF_DATA_CENTER] == DATA_CENTER_OTHER:
            return await self.async_step_other()
        return await self.async_step_pick_implementation()

    async def async_step_other(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the servers of a data center that is not in the list."""
        errors: dict[str, str] = {}
        if user_input is not None:
            for key, value in user_input.items():
                try:
                    self._data[key] = _server_url(value)
                except vol.Invalid as err:
                    errors[key] = err.msg
            if not errors:
                return await self.async_step_pick_implementation()
        return self.async_show_form(
            step_id="other",
            data_schema=self.add_suggested_values_to_schema(_OTHER_SCHEMA, user_input),
            errors=errors,
            description_placeholders={
                "accounts_url": DATA_CENTERS["us"].accounts_url,
                "voice_url": DATA_CENTERS["us"].voice_url,
            },
        )

    @override
    async def async_step_auth(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in at the data center that was chosen."""
        if user_input is None:
            self.flow_impl = self._implementation.at(data_center_of(self._data))
        return await super().async_step_auth(user_input)

    @override
    async def async_step_authorize_rejected(
        self, data: None = None
    ) -> ConfigFlowResult:
        """Say that nothing was set up as Zoho was not allowed to."""
        return self.async_abort(
            reason="sign_in_rejected",
            description_placeholders={"error": self.external_data["error"]},
        )

    @override
    async def async_step_creation(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Exchange the code for tokens."""
        try:
            return await super().async_step_creation(user_input)
        except ZohoError as err:
            return self._abort(err)

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Find out who signed in."""
        token = data[CONF_TOKEN]
        self._unused_refresh_token = token.get("refresh_token")
        if not self._unused_refresh_token:
            return self.async_abort(reason="no_refresh_token")
        self._data |= data
        try:
            user = await self._client.async_get_user()
        except OutcomeUnknownError:
            # Nothing was to be sent, so there is nothing unknown about it.
            return self.async_abort(reason="no_answer")
        except ZohoError as err:
            return self._abort(err)
        self._title = user.email
        await self.async_set_unique_id(user.zuid)
        if self.source == SOURCE_REAUTH:
            self._abort_if_unique_id_mismatch(reason="wrong_account")
            self._unused_refresh_token = None
            return self.async_update_reload_and_abort(
                self._get_reauth_entry(), data_updates=data
            )
        self._abort_if_unique_id_configured()
        return await self.async_step_sender()

    async def async_step_sender(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the sender ID, and send a test SMS if wanted."""
        errors: dict[str, str] = {}
        placeholders = {"account": self._title}
        if user_input is not None:
            sender_id = await self._async_check_sender(
                self._client, user_input, errors, placeholders
            )
            if not errors:
                self._unused_refresh_token = None
                return self.async_create_entry(
                    title=self._title, data={**self._data, CONF_SENDER_ID: sender_id}
                )
        return self.async_show_form(
            step_id="sender",
            data_schema=self.add_suggested_values_to_schema(SENDER_SCHEMA, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the form of the first recipient."""
        subentry_result = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_TYPE_RECIPIENT),
            context=SubentryFlowContext(source=SOURCE_USER),
        )
        result["next_flow"] = (
            FlowType.CONFIG_SUBENTRIES_FLOW,
            subentry_result["flow_id"],
        )
        return result

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Start over at the same data center."""
        self._data = {
            key: value
            for key, value in entry_data.items()
            if key in (CONF_DATA_CENTER, CONF_ACCOUNTS_URL, CONF_VOICE_URL)
        }
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what is about to happen."""
        if user_input is None:
            return self.async_show_form(step_id="reauth_confirm")
        return await self.async_step_pick_implementation()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the sender ID, and send a test SMS if wanted."""
        entry: ZohoVoiceConfigEntry = self._get_reconfigure_entry()
        client = async_get_account(self.hass, entry).client
        if client is None:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        placeholders = {"account": entry.title}
        if user_input is not None:
            sender_id = await self._async_check_sender(
                client, user_input, errors, placeholders
            )
            if not errors:
                return self.async_update_reload_and_abort(
                    entry,
                    data_updates={CONF_SENDER_ID: sender_id},
                )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                SENDER_SCHEMA, user_input or entry.data
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    @callback
    @override
    def async_remove(self) -> None:
        """Give back a sign-in that led to nothing.

        Zoho keeps 20 of them a person; one more ends the oldest, which may be in use.
        """
        if self._unused_refresh_token:
            self.hass.async_create_task(
                self._async_revoke(self._unused_refresh_token), "revoke unused token"
            )

    async def _async_revoke(self, refresh_token: str) -> None:
        """Revoke a refresh token, if Zoho can be reached."""
        try:
            await self._implementation.async_revoke(refresh_token)
        except ZohoError as err:
            _LOGGER.debug("Could not revoke an unused token: %r", err)

    @property
    def _implementation(self) -> ZohoOAuth2Implementation:
        """Return the OAuth client that was picked."""
        return cast(ZohoOAuth2Implementation, self.flow_impl)

    @property
    def _client(self) -> ZohoVoiceClient:
        """Return a client for the person who just signed in."""
        return ZohoVoiceClient(
            async_get_session(self.hass),
            SignInTokens(self._data[CONF_TOKEN][CONF_ACCESS_TOKEN]),
            data_center_of(self._data),
        )

    async def _async_has_credentials(self) -> bool:
        """Return if an OAuth client was entered; without one nothing else helps."""
        try:
            return bool(await async_get_implementations(self.hass, DOMAIN))
        except ImplementationUnavailableError:
            return False

    async def _async_check_sender(
        self,
        client: ZohoVoiceClient,
        user_input: dict[str, Any],
        errors: dict[str, str],
        placeholders: dict[str, str],
    ) -> str:
        """Return the sender ID, after the test SMS; fill in what is wrong."""
        sender_id, failure = await async_check_sender(
            self.hass, client, user_input, errors
        )
        if failure:
            errors["base"] = cast(str, failure.translation_key)
            placeholders.update(failure.translation_placeholders or {})
        return sender_id

    def _abort(self, err: ZohoError) -> ConfigFlowResult:
        """Say why the sign-in did not work and what to do."""
        _LOGGER.debug("The sign-in failed: %r", err)
        return self.async_abort(
            # The codes that mean something else are about an SMS.
            reason="rejected" if isinstance(err, RejectedError) else error_key(err),
            description_placeholders={
                **error_placeholders(err),
                "accounts_url": data_center_of(self._data).accounts_url,
            },
        )


def _server_url(value: str) -> str:
    """Return a server's URL without a slash at its end.

    Raises vol.Invalid with the key of an error: the token and the messages go there,
    so it takes https unless the server is in the own network.
    """
    try:
        url = URL(value.strip())
        host = url.host or ""
        # Names that are resolved have to pass this.
        host.encode("idna")
    except ValueError as err:
        raise vol.Invalid("invalid_url") from err
    if (
        url.scheme not in ("http", "https")
        or not host
        or url.user is not None
        or url.password is not None
        or url.query
        or url.fragment
    ):
        raise vol.Invalid("invalid_url")
    if url.scheme == "http" and not _is_private(host):
        raise vol.Invalid("insecure_url")
    return str(url).rstrip("/")


def _is_private(host: str) -> bool:
    """Return if a host is this machine or one in the own network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_private
