"""Who may call the Voice host, and how."""

from aiohttp import web

from . import replies
from .sms_request import RefusedError
from .state import SandboxState
from .tokens import Grant

JSON = "application/json"


class DeniedError(Exception):
    """The token does not allow the call: the answer, and why."""

    def __init__(self, reason: str, response: web.Response) -> None:
        """Keep the answer."""
        super().__init__(reason)
        self.response = response


def check_token(state: SandboxState, request: web.Request, scope: str) -> Grant:
    """Return what the token allows, or raise DeniedError if that is not the scope."""
    grant = state.tokens.find_grant(request.headers.get("Authorization"))
    if grant is None:
        raise DeniedError("no valid access token", replies.invalid_token())
    if scope not in grant.scopes:
        raise DeniedError(f"scope {scope} is missing", replies.scope_mismatch())
    return grant


def check_accept(request: web.Request) -> None:
    """Raise RefusedError unless the caller takes JSON."""
    accepted = request.headers.get("Accept", "").split(",")
    if JSON not in (value.partition(";")[0].strip() for value in accepted):
        raise RefusedError("header Accept is not application/json")
