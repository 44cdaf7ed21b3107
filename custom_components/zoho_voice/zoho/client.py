"""Call Zoho Voice, one method per call, and read what it answers."""

from asyncio import get_running_loop, sleep
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import logging
import re
from typing import Any, Protocol

import aiohttp

from .data_center import DataCenter
from .errors import (
    CannotConnectError,
    ConnectionLostError,
    MissingScopeError,
    RejectedError,
    ServerFailedError,
    SignInError,
    ThrottledError,
    TimedOutError,
    UnreadableReplyError,
)
from .models import Receipt, Sms, User
from .receipts import match_rows
from .reply import Reply, async_read_body, parse_object

_LOGGER = logging.getLogger(__name__)

#: How long one request may take, and how long connecting may take of it (seconds).
REQUEST_TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0
#: The waits before a request that certainly did not arrive is made again (seconds).
RETRY_DELAYS = (1.0, 3.0)
#: The longest `Retry-After` that is worth waiting for (seconds).
MAX_RETRY_AFTER = 10.0

_SUCCESS_CODE = "ZVSMS-2000"
_SUCCESS_STATUS = "SUCCESS"
_ERROR_STATUSES = ("ERROR", "FAILED", "FAILURE")
# Zoho-wide words (zoho-voice-api.md section 1): Voice's own are not documented, and
# not every one of them comes with HTTP 401.
_DEAD_TOKEN = re.compile("INVALID_OAUTHTOKEN|INVALID_TICKET")
_MISSING_SCOPE = re.compile("INVALID_OAUTHSCOPE|OAUTH_SCOPE_MISMATCH")


class TokenSource(Protocol):
    """Give access tokens.

    What gives one raises the errors of `read_token_reply`, or CannotConnectError.
    """

    async def async_get(self) -> str:
        """Return an access token that is valid as far as is known."""

    async def async_renew(self, refused: str) -> str:
        """Return another token than the one Zoho refused.

        Raises SignInError when there is no other to be had.
        """

    def sign_in_refused(self, refused: str) -> None:
        """Learn that Zoho refused even a renewed token, or one for its scopes."""


class ZohoVoiceClient:
    """Speak for one account of Zoho Voice."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        tokens: TokenSource,
        data_center: DataCenter,
    ) -> None:
        """Keep the session, which belongs to the caller, and where Zoho is."""
        self._session = session
        self._tokens = tokens
        self._send_url = f"{data_center.voice_url}/rest/json/v1/sms/send"
        self._user_info_url = f"{data_center.accounts_url}/oauth/user/info"

    async def async_authorize(self) -> None:
        """Have an access token ready. Raises what `TokenSource.async_get` does."""
        await self._tokens.async_get()

    async def async_send_sms(
        self, sms: Sms, sender_id: str, numbers: Sequence[str]
    ) -> list[Receipt]:
        """Send one text to 1 to 10 numbers with one request and return the receipts.

        `numbers` are in E.164; the receipts come in their order. It is sent again only
        when it is certain that Zoho accepted nothing.

        Raises CannotConnectError, ThrottledError, RejectedError, SignInError,
        AccountsServerError (all: nothing was sent) or OutcomeUnknownError.
        """
        reply = await self._async_call(
            "POST", self._send_url, json=sms.as_json(sender_id, numbers)
        )
        return _read_receipts(reply, numbers)

    async def async_get_user(self) -> User:
        """Return who signed in. It costs nothing and sends nothing.

        Raises what `async_send_sms` does.
        """
        reply = await self._async_call("GET", self._user_info_url)
        if not (zuid := str(reply.body.get("ZUID") or "")):
            raise RejectedError(reply.code, reply.message)
        return User(zuid, str(reply.body.get("Email") or zuid))

    async def _async_call(self, method: str, url: str, **kwargs: Any) -> Reply:
        """Make a call with a token Zoho takes."""
        token = await self._tokens.async_get()
        try:
            return await self._async_request(method, url, token, **kwargs)
        except MissingScopeError:
            self._tokens.sign_in_refused(token)
            raise
        except SignInError:
            token = await self._tokens.async_renew(token)
        try:
            return await self._async_request(method, url, token, **kwargs)
        except SignInError:
            self._tokens.sign_in_refused(token)
            raise

    async def _async_request(
        self, method: str, url: str, token: str, **kwargs: Any
    ) -> Reply:
        """Make a request, again where Zoho certainly accepted nothing."""
        now = get_running_loop().time
        deadline = now() + REQUEST_TIMEOUT
        delays = iter(RETRY_DELAYS)
        while True:
            try:
                return await self._async_request_once(
                    method, url, token, deadline - now(), **kwargs
                )
            except (CannotConnectError, ThrottledError) as err:
                delay = next(delays, None)
                if isinstance(err, ThrottledError):
                    if err.retry_after is None or err.retry_after > MAX_RETRY_AFTER:
                        raise
                    delay = delay and err.retry_after
                if delay is None or now() + delay + CONNECT_TIMEOUT > deadline:
                    raise
                _LOGGER.debug("%r, next try in %s s", err, delay)
            await sleep(delay)

    async def _async_request_once(
        self, method: str, url: str, token: str, seconds: float, **kwargs: Any
    ) -> Reply:
        """Make one request.

        Raises for what every call has in common: connection, token, throttling, 5xx.
        """
        try:
            async with self._session.request(
                method,
                url,
                headers={
                    "Authorization": f"Zoho-oauthtoken {token}",
                    "Accept": "application/json",
                    # A small body may unpack to one that fills the memory.
                    "Accept-Encoding": "identity",
                },
                # A redirect would carry the message and the token elsewhere.
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=seconds, sock_connect=CONNECT_TIMEOUT
                ),
                **kwargs,
            ) as response:
                body = await async_read_body(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as err:
            raise CannotConnectError(type(err).__name__, url=url) from err
        except TimeoutError as err:
            raise TimedOutError from err
        except aiohttp.ClientError as err:
            raise ConnectionLostError(type(err).__name__) from err
        reply = Reply(response.status, parse_object(body))
        _LOGGER.debug("%s answered %s", url, reply.status)
        # A success echoes the message, which may say anything.
        said = (
            body.decode(errors="replace")
            if reply.status >= HTTPStatus.BAD_REQUEST
            else reply.code
        )
        if _MISSING_SCOPE.search(said):
            raise MissingScopeError(reply.code, reply.message)
        if reply.status == HTTPStatus.UNAUTHORIZED or _DEAD_TOKEN.search(said):
            raise SignInError(reply.code, reply.message)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            retry_after = _seconds(response.headers.get("Retry-After"))
            raise ThrottledError(reply.code, reply.message, retry_after)
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ServerFailedError(reply.code, reply.message)
        return reply


def _read_receipts(reply: Reply, numbers: Sequence[str]) -> list[Receipt]:
    """Return the receipts of a success (zoho-voice-api.md section 1).

    A number that no row is about was accepted all the same. A redirect says nothing
    of what became of the request, which may have been done before.

    Raises RejectedError or UnreadableReplyError.
    """
    status = str(reply.body.get("status", "")).upper()
    if reply.status >= HTTPStatus.BAD_REQUEST or status in _ERROR_STATUSES:
        raise RejectedError(reply.code, reply.message)
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise UnreadableReplyError(reply.code, reply.message)
    if reply.body.get("code") != _SUCCESS_CODE and status != _SUCCESS_STATUS:
        raise UnreadableReplyError(reply.code, reply.message)
    rows = match_rows(reply.body.get("send"), numbers)
    return [
        Receipt(number, row or {}) for number, row in zip(numbers, rows, strict=True)
    ]


def _seconds(retry_after: str | None) -> float | None:
    """Read a `Retry-After` header: seconds or a date; None where it is neither."""
    if not retry_after:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
