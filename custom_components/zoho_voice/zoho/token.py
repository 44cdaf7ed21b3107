"""Ask Zoho for tokens, and read the replies, whose status says next to nothing.

Failures come with HTTP 200, throttling with HTTP 400 (zoho-voice-api.md section 4).
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
import re
from typing import Any

import aiohttp

from .data_center import DataCenter
from .errors import (
    AccountsServerError,
    CannotConnectError,
    RejectedError,
    SignInError,
    ThrottledError,
    UnknownClientError,
    WrongClientSecretError,
    WrongRedirectUriError,
)
from .reply import Reply, async_read_body, parse_object

_ERRORS: dict[str, type[SignInError]] = {
    "invalid_code": SignInError,
    "invalid_grant": SignInError,
    "invalid_client": UnknownClientError,
    "invalid_client_secret": WrongClientSecretError,
    "invalid_redirect_uri": WrongRedirectUriError,
}


_TOKEN = re.compile(r"[!-~]+")
#: The longest life that a token can have (seconds).
_LONGEST_LIFE = 365 * 86_400

#: How long a call to an accounts server may take (seconds).
TIMEOUT = 20.0


async def async_request_token(
    session: aiohttp.ClientSession, data_center: DataCenter, data: Mapping[str, str]
) -> dict[str, Any]:
    """Exchange a code or a refresh token for a token.

    Raises what `read_token_reply` does, or CannotConnectError.
    """
    return read_token_reply(
        *await _async_post(session, data_center, "/oauth/v2/token", data=data),
        private=data.values(),
    )


async def async_revoke_token(
    session: aiohttp.ClientSession, data_center: DataCenter, refresh_token: str
) -> None:
    """Make a refresh token, and the access tokens that came of it, worthless.

    Raises RejectedError or CannotConnectError.
    """
    status, body = await _async_post(
        session,
        data_center,
        "/oauth/v2/token/revoke",
        params={"token": refresh_token},
    )
    if status != HTTPStatus.OK or "error" in parse_object(body):
        raise RejectedError(f"HTTP {status}")


async def _async_post(
    session: aiohttp.ClientSession, data_center: DataCenter, path: str, **kwargs: Any
) -> tuple[int, bytes]:
    """Call the accounts server; whatever goes wrong on the way, no SMS was sent."""
    try:
        async with session.post(
            data_center.accounts_url + path,
            allow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            **kwargs,
        ) as response:
            return response.status, await async_read_body(response)
    except (aiohttp.ClientError, TimeoutError) as err:
        raise CannotConnectError(
            type(err).__name__, url=data_center.accounts_url
        ) from err


def read_token_reply(
    status: int, body: bytes, *, private: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the token of a reply to a code or a refresh token.

    The token holds `access_token`, `expires_in` (seconds), `token_type`, and
    `refresh_token` and `scope` when Zoho gave them. `api_domain` is left out: it is not
    for Voice.

    Raises ThrottledError, SignInError or one of its kinds, RejectedError, or
    AccountsServerError.
    """
    reply = Reply(status, parse_object(body), private)
    error = reply.words("error")
    description = reply.words("error_description")
    # The texts are localised, the status is not.
    if status == HTTPStatus.TOO_MANY_REQUESTS or reply.words("status") == "failure":
        raise ThrottledError(error, description)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise AccountsServerError(f"HTTP {status}", description)
    if error_class := _ERRORS.get(error):
        raise error_class(error, description)
    if error or status >= HTTPStatus.MULTIPLE_CHOICES:
        raise RejectedError(error or f"HTTP {status}", description)
    access_token = reply.body.get("access_token")
    if not _is_token(access_token):
        raise AccountsServerError(f"HTTP {status}")
    try:
        expires_in = int(reply.body.get("expires_in", 3600))
    except (OverflowError, TypeError, ValueError) as err:
        raise AccountsServerError(f"HTTP {status}") from err
    if not 0 < expires_in <= _LONGEST_LIFE:
        raise AccountsServerError(f"HTTP {status}")
    token = {
        "access_token": access_token,
        "expires_in": expires_in,
        "token_type": reply.words("token_type") or "Bearer",
    }
    refresh_token = reply.body.get("refresh_token")
    if _is_token(refresh_token):
        token["refresh_token"] = refresh_token
    if scope := reply.words("scope"):
        token["scope"] = scope
    return token


def _is_token(value: Any) -> bool:
    """Return if a value can be sent as a token (RFC 6749, appendix A.12)."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None
