"""Access tokens for Zoho's client: the account's own, or the one of a sign-in."""

from asyncio import Task, shield

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    OAuth2Session,
)

from ..zoho.errors import SignInError, ThrottledError, ZohoError

#: What Zoho calls an access token it refuses.
_REFUSED = "INVALID_OAUTHTOKEN"
#: How long Zoho is not asked again once it refused to renew a token (seconds).
REFUSAL_PAUSE = 60.0


class AccountTokens:
    """Give the tokens of an entry, renewed when due or when Zoho refuses one.

    Zoho grants 10 tokens in 10 minutes (zoho-voice-api.md section 4), so however many
    calls need a new one, they share one request, and its failure.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        implementation: AbstractOAuth2Implementation,
    ) -> None:
        """Keep what a renewal needs."""
        self._hass = hass
        self._entry = entry
        self._session = OAuth2Session(hass, entry, implementation)
        self._renewal: Task[ZohoError | None] | None = None
        self._renewed_in_vain: str | None = None
        self._refusal: SignInError | ThrottledError | None = None
        self._refused_until = 0.0

    @property
    def _access_token(self) -> str:
        """Return the token at hand, which may be dead."""
        access_token: str = self._session.token[CONF_ACCESS_TOKEN]
        return access_token

    async def async_get(self) -> str:
        """Return an access token that is valid as far as is known."""
        if not self._session.valid_token:
            self._hold_off()
            if self._renewal is None or self._renewal.done():
                self._renewal = self._hass.async_create_task(
                    self._async_renew(), f"renew the token of {self._entry.entry_id}"
                )
            # A caller that is cancelled must not take the token from the others.
            if err := await shield(self._renewal):
                raise err
        return self._access_token

    async def async_renew(self, refused: str) -> str:
        """Return another token than the one Zoho refused.

        Raises SignInError if that one had just been renewed for the same reason.
        """
        if refused == self._renewed_in_vain:
            self._entry.async_start_reauth(self._hass)
            raise SignInError(_REFUSED)
        if refused == self._access_token:
            self._hass.config_entries.async_update_entry(
                self._entry,
                data={
                    **self._entry.data,
                    CONF_TOKEN: {**self._session.token, "expires_at": 0},
                },
            )
        return await self.async_get()

    @callback
    def _hold_off(self) -> None:
        """Raise what Zoho said last if it is not to be asked again yet."""
        left = self._refused_until - self._hass.loop.time()
        if left <= 0 or self._refusal is None:
            return
        if isinstance(self._refusal, ThrottledError):
            raise ThrottledError(self._refusal.code, self._refusal.message, left)
        # The person may have closed the dialog, or signed in with another account.
        self._entry.async_start_reauth(self._hass)
        raise self._refusal.with_traceback(None)

    @callback
    def sign_in_refused(self, refused: str) -> None:
        """Ask the person to sign in again."""
        self._renewed_in_vain = refused
        self._entry.async_start_reauth(self._hass)

    async def _async_renew(self) -> ZohoError | None:
        """Renew the token; ask the person to sign in again if Zoho refuses to.

        Returns the error instead of raising it: `shield` logs one that is raised when
        a caller was cancelled.
        """
        try:
            await self._session.async_ensure_token_valid()
        except ZohoError as err:
            if isinstance(err, SignInError | ThrottledError):
                self._refusal = err
                self._refused_until = self._hass.loop.time() + REFUSAL_PAUSE
            if isinstance(err, SignInError):
                self._entry.async_start_reauth(self._hass)
            return err
        return None


class SignInTokens:
    """Give the token of a sign-in that is no entry yet."""

    def __init__(self, access_token: str) -> None:
        """Keep the token."""
        self._access_token = access_token

    async def async_get(self) -> str:
        """Return the token."""
        return self._access_token

    async def async_renew(self, refused: str) -> str:  # noqa: ARG002
        """Say that there is no other. Raises SignInError."""
        raise SignInError(_REFUSED)

    @callback
    def sign_in_refused(self, refused: str) -> None:
        """Do nothing: the person is signing in just now."""
