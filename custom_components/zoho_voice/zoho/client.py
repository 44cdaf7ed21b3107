"""Call Zoho Voice, one method per call, and read what it answers."""

from asyncio import get_running_loop, sleep
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
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
from .fields import digits
from .message_log import (
    LOG_ROWS,
    SCHEDULE_ROWS,
    Direction,
    LogRow,
    Page,
    ScheduledSms,
    read_log,
    read_schedule,
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
#: The longest `Retry-After` that is worth waiting for, and the longest that is
#: passed on (seconds).
MAX_RETRY_AFTER = 10.0
LONGEST_RETRY_AFTER = 86_400.0
#: How many rows to ask for at once; a body of `MAX_BODY` holds no more for sure.
PAGE_SIZE = 200

#: How the log takes dates. Its page says so, but its sample has `%Y-%m-%d %H:%M:%S`.
_LOG_DATE = "%Y%m%d %H:%M"
#: What an end is rounded up by to a date, which has no seconds.
_ROUND_UP = timedelta(minutes=1, microseconds=-1)
#: How Zoho refuses a `statusCallback`.
WRONG_CALLBACK = "ZVT011"

_SUCCESS_CODE = "ZVSMS-2000"
_SUCCESS_STATUS = "SUCCESS"
_ERROR_STATUSES = ("ERROR", "FAILED", "FAILURE")
# What the log and the schedule say instead, as text (zoho-voice-api.md section 2).
_LIST_SUCCESS_CODE = "200"
_LIST_FAILURE_CODE = "500"
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
        """Learn that Zoho refused even a renewed token, or one for its scopes.

        It is not told of what the account can do without, such as reading the log.
        """


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
        self._renewed_in_vain: str | None = None
        self._send_url = f"{data_center.voice_url}/rest/json/v1/sms/send"
        self._log_url = f"{data_center.voice_url}/rest/json/v1/sms/logs"
        self._schedule_url = f"{data_center.voice_url}/rest/json/v1/sms/schedule"
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
        if not (zuid := reply.words("ZUID")):
            raise RejectedError(reply.code, reply.message)
        return User(zuid, reply.words("Email") or zuid)

    async def async_get_log(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        direction: Direction | None = None,
        number: str | None = None,
        start: int = 0,
        size: int = PAGE_SIZE,
    ) -> Page[LogRow]:
        """Return a page of the message log, from row `start` on.

        The order of the rows is Zoho's, which does not document it.
        `since` and `until` are aware and go out in UTC, to the minute, the end rounded
        up. Zoho may read them in the account's zone, which is not known: ask from 14
        hours before to 14 hours after what is wanted, and go by `submitted_at`.
        `number` is in E.164. More than `PAGE_SIZE` rows may be more than is read.

        It is tried once: whoever asks does so again. A token that Zoho refuses is
        renewed once, but what this sign-in may not read is no reason to end it.

        Raises CannotConnectError, ThrottledError, RejectedError, AccountsServerError or
        OutcomeUnknownError (all: try later, nothing has changed), MissingScopeError (it
        takes another sign-in, which nobody was asked for) or another SignInError (the
        token source has seen to that).
        """
        params = {
            "from": str(start),
            "size": str(size),
            "messageType": direction.capitalize() if direction else "All",
        }
        if since is not None:
            params["fromDate"] = since.astimezone(UTC).strftime(_LOG_DATE)
        if until is not None:
            end = until.astimezone(UTC) + _ROUND_UP
            params["toDate"] = end.strftime(_LOG_DATE)
        if number is not None:
            params["customerNumber"] = digits(number)
        return read_log(await self._async_get_list(self._log_url, params, LOG_ROWS))

    async def async_get_schedule(
        self, *, start: int = 0, size: int = PAGE_SIZE
    ) -> Page[ScheduledSms]:
        """Return the messages that are scheduled, from row `start` on.

        Raises what `async_get_log` does.
        """
        params = {"from": str(start), "size": str(size)}
        return read_schedule(
            await self._async_get_list(self._schedule_url, params, SCHEDULE_ROWS)
        )

    async def _async_get_list(
        self, url: str, params: dict[str, str], rows: str
    ) -> dict[str, Any]:
        """Return the body of an answer with rows; it has none if there is no body."""
        reply = await self._async_call("GET", url, optional=True, params=params)
        if reply.status == HTTPStatus.NO_CONTENT:
            return {}
        _raise_for_refusal(reply)
        code = reply.words("code")
        if code == _LIST_FAILURE_CODE:
            raise RejectedError(reply.code, reply.message)
        found = reply.body.get(rows)
        succeeded = code == _LIST_SUCCESS_CODE or _status(reply) == _SUCCESS_STATUS
        # Rows speak for themselves; that there are none has to be said.
        if not isinstance(found, list | None) or not (found or succeeded):
            raise UnreadableReplyError(reply.code, reply.message)
        return reply.body

    async def _async_call(
        self, method: str, url: str, *, optional: bool = False, **kwargs: Any
    ) -> Reply:
        """Make a call with a token Zoho takes.

        An optional one is tried once. If Zoho refuses it even with a renewed token, it
        is not the sign-in that ends: MissingScopeError, and no more renewals for that,
        which would use up the few there are (zoho-voice-api.md section 4).
        """
        delays = () if optional else RETRY_DELAYS
        token = await self._tokens.async_get()
        try:
            return await self._async_request(method, url, token, delays, **kwargs)
        except MissingScopeError:
            if not optional:
                self._tokens.sign_in_refused(token)
            raise
        except SignInError as err:
            if optional and token == self._renewed_in_vain:
                raise MissingScopeError(err.code, err.message) from err
            token = await self._tokens.async_renew(token)
        try:
            return await self._async_request(method, url, token, delays, **kwargs)
        except SignInError as err:
            if optional:
                self._renewed_in_vain = token
                raise MissingScopeError(err.code, err.message) from err
            self._tokens.sign_in_refused(token)
            raise

    async def _async_request(
        self, method: str, url: str, token: str, delays: Sequence[float], **kwargs: Any
    ) -> Reply:
        """Make a request, again after each delay if Zoho certainly accepted nothing."""
        now = get_running_loop().time
        deadline = now() + REQUEST_TIMEOUT
        left = iter(delays)
        while True:
            try:
                return await self._async_request_once(
                    method, url, token, deadline - now(), **kwargs
                )
            except (CannotConnectError, ThrottledError) as err:
                delay = next(left, None)
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
        asked = map(str, kwargs.get("json", {}).values())
        reply = Reply(response.status, parse_object(body), (token, *asked))
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


def _status(reply: Reply) -> str:
    """Return the status in a body, whose case varies."""
    return reply.words("status").upper()


def _raise_for_refusal(reply: Reply) -> None:
    """Raise RejectedError if Zoho refused, UnreadableReplyError for a redirect.

    A redirect says nothing of what became of the request, which may have been done
    before.
    """
    if reply.status >= HTTPStatus.BAD_REQUEST or _status(reply) in _ERROR_STATUSES:
        raise RejectedError(reply.code, reply.message)
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise UnreadableReplyError(reply.code, reply.message)


def _read_receipts(reply: Reply, numbers: Sequence[str]) -> list[Receipt]:
    """Return the receipts of a success (zoho-voice-api.md section 1).

    A number that no row is about was accepted all the same.

    Raises RejectedError or UnreadableReplyError.
    """
    _raise_for_refusal(reply)
    if reply.body.get("code") != _SUCCESS_CODE and _status(reply) != _SUCCESS_STATUS:
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
        seconds = float(retry_after)
    else:
        try:
            moment = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    # Digits without end are no number, but infinity.
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
