"""Faults on demand: each request takes the first one left for its endpoint."""

from collections import deque
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

_STATUSES = range(200, 600)


class Endpoint(Enum):
    """Whose requests can fail."""

    SEND = auto()
    READ = auto()
    TOKEN = auto()
    USER_INFO = auto()


class FaultKind(StrEnum):
    """What can go wrong."""

    LATE = auto()
    """The send endpoint accepts, then answers after `seconds`."""
    DROP_BEFORE = auto()
    """The connection is closed without an answer; nothing was accepted."""
    DROP_AFTER = auto()
    """The SMS is accepted, then the connection is closed without an answer."""
    TOO_MANY_REQUESTS = auto()
    """429, with a `Retry-After` header if `retry_after` is given; not accepted."""
    SERVER_ERROR = auto()
    """5xx (`status`, 500 by default); not accepted."""
    SERVER_ERROR_AFTER = auto()
    """The SMS is accepted, then the answer is a 5xx (`status`, 500 by default)."""
    EMPTY_REPLY = auto()
    """The SMS is accepted, then the answer is a 200 with an empty body."""
    HTML_REPLY = auto()
    """The SMS is accepted, then the answer is a 200 with an HTML page."""
    TRUNCATED_REPLY = auto()
    """The SMS is accepted, then the answer is a 200 with half of the JSON."""
    ERROR_200 = auto()
    """An ERROR body (`code`, `message`) with HTTP 200; not accepted."""
    ERROR_400 = auto()
    """An ERROR body (`code`, `message`) with HTTP 400; not accepted."""
    UNAUTHORIZED = auto()
    """401 INVALID_OAUTHTOKEN, whatever the token is; not accepted."""
    MISSING_SCOPE = auto()
    """401 OAUTH_SCOPE_MISMATCH, whatever the token is; not accepted."""
    REFUSE = auto()
    """The Voice port refuses connections for `seconds`, or until cleared."""
    READ_LATE = auto()
    """The message log, or the schedule, is answered after `seconds`."""
    READ_DROP = auto()
    """Whoever reads finds the connection closed without an answer.

    On a connection that it has used before, aiohttp's client asks once more by itself.
    """
    READ_TOO_MANY_REQUESTS = auto()
    """429, with a `Retry-After` header if `retry_after` is given."""
    READ_SERVER_ERROR = auto()
    """5xx (`status`, 500 by default) instead of rows."""
    READ_ERROR = auto()
    """An ERROR body (`code`, "500" by default, `message`), with 200 or `status`."""
    READ_UNAUTHORIZED = auto()
    """401 INVALID_OAUTHTOKEN, whatever the token is."""
    READ_MISSING_SCOPE = auto()
    """401 OAUTH_SCOPE_MISMATCH, whatever the token is."""
    READ_HTML = auto()
    """A 200 with an HTML page instead of rows."""
    READ_TRUNCATED = auto()
    """A 200 with half of the rows' JSON."""
    READ_GARBAGE = auto()
    """A 200 with `message` as the body; by default JSON of no known shape."""
    TOKEN_LATE = auto()
    """The token endpoint answers after `seconds`."""
    TOKEN_ERROR = auto()
    """HTTP 200 with `{"error": code}`, invalid_code by default."""
    TOKEN_THROTTLED = auto()
    """"Access Denied", too many requests, with `status` 400 (default) or 200."""
    TOKEN_SERVER_ERROR = auto()
    """5xx (`status`, 500 by default) from the token endpoint."""
    TOKEN_HTML = auto()
    """HTTP 200 with an HTML page from the token endpoint."""
    TOKEN_DROP = auto()
    """The token endpoint closes the connection without an answer."""
    NO_REFRESH_TOKEN = auto()
    """The code is exchanged, but the reply brings no refresh token."""
    USER_INFO_ERROR = auto()
    """An error (`status`, 500 by default) from the user info endpoint."""

    @property
    def endpoint(self) -> Endpoint:
        """Return whose requests fail this way."""
        if self is FaultKind.USER_INFO_ERROR:
            return Endpoint.USER_INFO
        if self is FaultKind.NO_REFRESH_TOKEN or self.startswith("token_"):
            return Endpoint.TOKEN
        if self.startswith("read_"):
            return Endpoint.READ
        return Endpoint.SEND


_NEED_SECONDS = frozenset({FaultKind.LATE, FaultKind.READ_LATE, FaultKind.TOKEN_LATE})


@dataclass(slots=True)
class Fault:
    """One fault, for so many requests, or for all of them (times=None)."""

    kind: FaultKind
    times: int | None = 1
    seconds: float | None = None
    status: int | None = None
    retry_after: str | int | None = None
    code: str | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        """Refuse options that make no sense."""
        if self.times is not None and self.times < 1:
            raise ValueError("times is a number of requests from 1, or null for all")
        if self.seconds is not None and self.seconds < 0:
            raise ValueError("seconds cannot be negative")
        if self.seconds is None and self.kind in _NEED_SECONDS:
            raise ValueError(f"{self.kind} needs seconds")
        if self.status is not None and self.status not in _STATUSES:
            raise ValueError("status is an HTTP status from 200 to 599")


class FaultQueue:
    """The faults that are still to happen, first come first served."""

    def __init__(self) -> None:
        """Start without any."""
        self._queues: dict[Endpoint, deque[Fault]] = {
            endpoint: deque() for endpoint in Endpoint
        }

    def add(self, fault: Fault) -> None:
        """Put a fault behind the others of its endpoint."""
        self._queues[fault.kind.endpoint].append(fault)

    def take(self, endpoint: Endpoint) -> Fault | None:
        """Return the fault for a request that just came in, if there is one."""
        queue = self._queues[endpoint]
        if not queue:
            return None
        fault = queue[0]
        if fault.times is not None:
            fault.times -= 1
            if not fault.times:
                queue.popleft()
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        for queue in self._queues.values():
            queue.clear()
