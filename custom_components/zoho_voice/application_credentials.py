"""Zoho's OAuth 2.0, bound to a data center."""

from typing import Any, Self, override

from homeassistant.components.application_credentials import (
    AuthImplementation,
    AuthorizationServer,
    ClientCredential,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    MY_AUTH_CALLBACK_PATH,
)
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .connection.session import async_get_session
from .zoho.data_center import DATA_CENTERS, DataCenter
from .zoho.token import async_request_token, async_revoke_token

#: What the sign-in asks for: to send, to read what became of it, and who signed in.
SCOPES = ("ZohoVoice.sms.CREATE", "ZohoVoice.sms.READ", "AaaServer.profile.READ")

_API_CONSOLE_URL = "https://api-console.zoho.com"
# Zoho asks for the homepage of the client, but makes no use of it.
_HOMEPAGE_URL = "https://www.home-assistant.io"


class ZohoOAuth2Implementation(AuthImplementation):
    """Sign in at one of Zoho's accounts servers."""

    def __init__(
        self,
        hass: HomeAssistant,
        auth_domain: str,
        credential: ClientCredential,
        data_center: DataCenter,
    ) -> None:
        """Bind a client to a data center."""
        super().__init__(
            hass,
            auth_domain,
            credential,
            AuthorizationServer(
                authorize_url=f"{data_center.accounts_url}/oauth/v2/auth",
                token_url=f"{data_center.accounts_url}/oauth/v2/token",
            ),
        )
        self._credential = credential
        self._data_center = data_center

    def at(self, data_center: DataCenter) -> Self:
        """Return the same client at another data center."""
        return type(self)(self.hass, self.domain, self._credential, data_center)

    @property
    @override
    def extra_authorize_data(self) -> dict[str, str]:
        """Ask for a refresh token, which Zoho gives only with both of these."""
        return {
            "access_type": "offline",
            "prompt": "consent",
            "scope": ",".join(SCOPES),
        }

    @override
    async def _token_request(self, data: dict[str, str]) -> dict[str, Any]:
        """Request a token as Zoho means it. Raises the errors of `zoho.token`."""
        return await async_request_token(
            async_get_session(self.hass),
            self._data_center,
            {
                **data,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
        )

    async def async_revoke(self, refresh_token: str) -> None:
        """Revoke a refresh token. Raises the errors of `zoho.token`."""
        await async_revoke_token(
            async_get_session(self.hass), self._data_center, refresh_token
        )


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> ZohoOAuth2Implementation:
    """Return Zoho's OAuth 2.0; which data center becomes known later, by `at`."""
    return ZohoOAuth2Implementation(hass, auth_domain, credential, DATA_CENTERS["us"])


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the credentials dialog has to name."""
    if "my" in hass.config.components:
        redirect_uri = MY_AUTH_CALLBACK_PATH
    else:
        try:
            base = get_url(hass, prefer_external=True)
        except NoURLAvailableError:
            base = "http://HOME-ASSISTANT:8123"
        redirect_uri = f"{base}{AUTH_CALLBACK_PATH}"
    return {
        "api_console_url": _API_CONSOLE_URL,
        "homepage_url": _HOMEPAGE_URL,
        "redirect_uri": redirect_uri,
    }
