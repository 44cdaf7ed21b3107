"""The codes and tokens of the accounts server, and how long they last."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
import secrets
import time
from typing import Any

from .models import SCOPES, Account, Limits

# Voice calls must never go here: a name that cannot be resolved tells at once.
API_DOMAIN = "https://www.zohoapis.invalid"

AUTHORIZATION_PREFIX = "Zoho-oauthtoken "


class TokenError(Exception):
    """A token request is refused; the first argument is Zoho's error."""


class ThrottledError(Exception):
    """The refresh token has brought too many access tokens lately."""


@dataclass(slots=True, eq=False)
class Grant:
    """What an account allowed the client, with or without a refresh token."""

    account: Account
    scopes: frozenset[str]
    refresh_token: str | None
    alive: bool = True
    issued: deque[float] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class _Code:
    account: Account
    scopes: frozenset[str]
    redirect_uri: str
    with_refresh_token: bool
    expires_at: float


def _new_token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


class TokenStore:
    """Everything the accounts server gave out."""

    def __init__(self, limits: Limits) -> None:
        """Start with nothing given out."""
        self._limits = limits
        self._codes: dict[str, _Code] = {}
        self._grants: dict[str, Grant] = {}
        self._access: dict[str, tuple[Grant, float]] = {}

    def new_code(
        self,
        account: Account,
        scopes: Iterable[str],
        redirect_uri: str,
        *,
        with_refresh_token: bool,
    ) -> str:
        """Return a code for what was just accepted."""
        code = _new_token()
        self._codes[code] = _Code(
            account=account,
            scopes=frozenset(scopes),
            redirect_uri=redirect_uri,
            with_refresh_token=with_refresh_token,
            expires_at=time.time() + self._limits.code_seconds,
        )
        return code

    def exchange(
        self, code: str, redirect_uri: str, *, with_refresh_token: bool = True
    ) -> dict[str, Any]:
        """Return the token reply for a code, which is used up by that."""
        known = self._codes.pop(code, None)
        if known is None or known.expires_at <= time.time():
            raise TokenError("invalid_code")
        if known.redirect_uri != redirect_uri:
            raise TokenError("invalid_redirect_uri")
        grant = self._new_grant(
            known.account,
            known.scopes,
            with_refresh_token=known.with_refresh_token and with_refresh_token,
        )
        grant.issued.append(time.time())
        return self._reply(grant, with_refresh_token=True)

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Return the token reply for a refresh token."""
        if (grant := self._grants.get(refresh_token)) is None:
            raise TokenError("invalid_code")
        now = time.time()
        while grant.issued and grant.issued[0] <= now - self._limits.throttle_seconds:
            grant.issued.popleft()
        if len(grant.issued) >= self._limits.throttle_tokens:
            raise ThrottledError
        grant.issued.append(now)
        return self._reply(grant, with_refresh_token=False)

    def issue(
        self, account: Account, scopes: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Return a token reply as if the account had just signed in."""
        grant = self._new_grant(
            account,
            frozenset(SCOPES if scopes is None else scopes),
            with_refresh_token=True,
        )
        return self._reply(grant, with_refresh_token=True)

    def find_grant(self, authorization: str | None) -> Grant | None:
        """Return what an Authorization header allows, None if nothing."""
        if authorization is None or not authorization.startswith(AUTHORIZATION_PREFIX):
            return None
        token = authorization[len(AUTHORIZATION_PREFIX) :]
        if (known := self._access.get(token)) is None:
            return None
        grant, expires_at = known
        if not grant.alive or expires_at <= time.time():
            del self._access[token]
            return None
        return grant

    def revoke(self, refresh_token: str) -> bool:
        """Kill a refresh token and its access tokens, False if it is not known."""
        if (grant := self._grants.pop(refresh_token, None)) is None:
            return False
        grant.alive = False
        return True

    def revoke_all(self) -> None:
        """Kill every refresh token and every access token."""
        for refresh_token in list(self._grants):
            self.revoke(refresh_token)
        self.expire_access_tokens()

    def expire_access_tokens(self) -> None:
        """Let every access token end now."""
        self._access.clear()

    def _new_grant(
        self, account: Account, scopes: frozenset[str], *, with_refresh_token: bool
    ) -> Grant:
        if not with_refresh_token:
            return Grant(account, scopes, None)
        own = [
            refresh_token
            for refresh_token, grant in self._grants.items()
            if grant.account.zuid == account.zuid
        ]
        if len(own) >= self._limits.refresh_tokens:
            self.revoke(own[0])
        refresh_token = _new_token()
        grant = self._grants[refresh_token] = Grant(account, scopes, refresh_token)
        return grant

    def _reply(self, grant: Grant, *, with_refresh_token: bool) -> dict[str, Any]:
        access_token = _new_token()
        seconds = self._limits.access_token_seconds
        self._access[access_token] = (grant, time.time() + seconds)
        reply: dict[str, Any] = {"access_token": access_token}
        if with_refresh_token and grant.refresh_token is not None:
            reply["refresh_token"] = grant.refresh_token
        return reply | {
            "api_domain": API_DOMAIN,
            "token_type": "Bearer",
            "expires_in": int(seconds),
        }
