"""The accounts host: consent, tokens, who am I."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
import secrets
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from . import pages, replies
from .faults import Endpoint, Fault, FaultKind
from .models import SCOPE_PROFILE, SCOPES, TokenRequest
from .state import SandboxState
from .tokens import ThrottledError, TokenError

AUTHORIZE_PATH = "/oauth/v2/auth"
TOKEN_PATH = "/oauth/v2/token"
REVOKE_PATH = "/oauth/v2/token/revoke"
USER_INFO_PATH = "/oauth/user/info"

LOCATION = "us"

_THROTTLED = {
    "error": "Access Denied",
    "error_description": (
        "You have made too many requests continuously. Please try again after some"
        " time."
    ),
    "status": "failure",
}


_NOTHING_GIVEN = frozenset(
    {
        FaultKind.TOKEN_ERROR,
        FaultKind.TOKEN_THROTTLED,
        FaultKind.TOKEN_SERVER_ERROR,
        FaultKind.TOKEN_HTML,
        FaultKind.TOKEN_DROP,
    }
)


def add_accounts_routes(app: web.Application, state: SandboxState) -> None:
    """Add what the accounts host answers."""
    consent = _Consent(state)
    tokens = _Tokens(state)
    app.router.add_get(AUTHORIZE_PATH, consent.ask)
    app.router.add_post(AUTHORIZE_PATH, consent.decide)
    app.router.add_post(TOKEN_PATH, tokens.give)
    app.router.add_post(REVOKE_PATH, tokens.revoke)
    app.router.add_get(USER_INFO_PATH, _UserInfo(state).handle)


@dataclass(frozen=True, slots=True)
class _Pending:
    redirect_uri: str
    oauth_state: str | None
    scopes: tuple[str, ...]
    with_refresh_token: bool


class _Consent:
    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._pending: dict[str, _Pending] = {}

    async def ask(self, request: web.Request) -> web.Response:
        state, query = self._state, request.query
        redirect_uri = query.get("redirect_uri", "")
        scopes = tuple(query.get("scope", "").split(","))
        problem = None
        if query.get("client_id") != state.client_id:
            problem = "Invalid Client ID", "No client with this ID is registered."
        elif redirect_uri not in state.redirect_uris:
            problem = (
                "Invalid Redirect URI",
                f"{redirect_uri!r} is not registered for the client, but only: "
                + ", ".join(sorted(state.redirect_uris)),
            )
        elif query.get("response_type") != "code":
            problem = "Invalid Response Type", "response_type has to be code."
        elif unknown := [scope for scope in scopes if scope not in SCOPES]:
            problem = (
                "Invalid OAuth Scope",
                f"Scope does not exist: {', '.join(map(repr, unknown))}",
            )
        if problem is not None:
            state.log(f"consent refused: {problem[0]}")
            return replies.html(pages.error_page(*problem), 400)
        request_id = secrets.token_urlsafe(16)
        self._pending[request_id] = _Pending(
            redirect_uri=redirect_uri,
            oauth_state=query.get("state"),
            scopes=scopes,
            with_refresh_token=query.get("access_type") == "offline"
            and query.get("prompt") == "consent",
        )
        return replies.html(
            pages.consent_page(
                AUTHORIZE_PATH, request_id, state.client_id, state.account, scopes
            )
        )

    async def decide(self, request: web.Request) -> web.Response:
        form = await request.post()
        decision = form.get("decision")
        pending = None
        if decision in {"accept", "reject"}:
            pending = self._pending.pop(str(form.get("request_id")), None)
        if pending is None:
            page = pages.error_page(
                "Request Expired", "Start to sign in again from the application."
            )
            return replies.html(page, 400)
        answer: dict[str, str] = {}
        if pending.oauth_state is not None:
            answer["state"] = pending.oauth_state
        if decision == "accept":
            answer["code"] = self._state.tokens.new_code(
                self._state.account,
                pending.scopes,
                pending.redirect_uri,
                with_refresh_token=pending.with_refresh_token,
            )
            answer["location"] = LOCATION
            answer["accounts-server"] = self._state.accounts_url
        else:
            answer["error"] = "access_denied"
        self._state.log(f"consent: {answer.get('error', 'ok')}")
        joint = "&" if "?" in pending.redirect_uri else "?"
        # Not HTTPFound: it takes a URL apart and drops some of its escapes.
        return web.Response(
            status=HTTPStatus.FOUND,
            headers={"Location": f"{pending.redirect_uri}{joint}{urlencode(answer)}"},
        )


class _Tokens:
    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def give(self, request: web.Request) -> web.Response:
        params = await _read_params(request)
        fault = self._state.faults.take(Endpoint.TOKEN)
        outcome, response = self._answer(params, fault)
        grant_type = params.get("grant_type")
        self._state.token_requests.append(TokenRequest(grant_type, outcome))
        self._state.log(f"token request {grant_type}: {outcome}")
        if fault is not None and fault.kind is FaultKind.TOKEN_LATE:
            await asyncio.sleep(fault.seconds or 0)
        return replies.drop(request) if response is None else response

    async def revoke(self, request: web.Request) -> web.Response:
        token = (await _read_params(request)).get("token", "")
        known = self._state.tokens.revoke(token)
        self._state.log(f"revoke: {'ok' if known else 'invalid_token'}")
        if not known:
            return web.json_response({"error": "invalid_token"})
        self._state.revoked.append(token)
        return web.json_response({"status": "success"})

    def _answer(
        self, params: dict[str, str], fault: Fault | None
    ) -> tuple[str, web.Response | None]:
        if fault is not None and fault.kind in _NOTHING_GIVEN:
            return _answer_instead(fault)
        with_refresh_token = (
            fault is None or fault.kind is not FaultKind.NO_REFRESH_TOKEN
        )
        try:
            reply = self._give(params, with_refresh_token=with_refresh_token)
        except TokenError as err:
            return _token_error(str(err))
        except ThrottledError:
            return _throttled(400)
        return "ok", web.json_response(reply)

    def _give(
        self, params: dict[str, str], *, with_refresh_token: bool
    ) -> dict[str, Any]:
        state = self._state
        if params.get("client_id") != state.client_id:
            raise TokenError("invalid_client")
        if params.get("client_secret") != state.client_secret:
            raise TokenError("invalid_client_secret")
        match params.get("grant_type"):
            case "authorization_code":
                return state.tokens.exchange(
                    params.get("code", ""),
                    params.get("redirect_uri", ""),
                    with_refresh_token=with_refresh_token,
                )
            case "refresh_token":
                return state.tokens.refresh(params.get("refresh_token", ""))
            case _:
                raise TokenError("unsupported_grant_type")


class _UserInfo:
    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def handle(self, request: web.Request) -> web.Response:
        state = self._state
        if (fault := state.faults.take(Endpoint.USER_INFO)) is not None:
            if fault.status == HTTPStatus.UNAUTHORIZED:
                return replies.invalid_token()
            return replies.server_error(fault.status or 500)
        grant = state.tokens.find_grant(request.headers.get("Authorization"))
        if grant is None:
            return replies.invalid_token()
        if SCOPE_PROFILE not in grant.scopes:
            return replies.scope_mismatch()
        account = grant.account
        return web.json_response(
            {
                "First_Name": account.first_name,
                "Email": account.email,
                "Last_Name": account.last_name,
                "Display_Name": account.display_name,
                "ZUID": account.zuid_in_json,
            }
        )


async def _read_params(request: web.Request) -> dict[str, str]:
    form = await request.post()
    return dict(request.query) | {
        name: value for name, value in form.items() if isinstance(value, str)
    }


def _answer_instead(fault: Fault) -> tuple[str, web.Response | None]:
    match fault.kind:
        case FaultKind.TOKEN_THROTTLED:
            return _throttled(fault.status or 400)
        case FaultKind.TOKEN_SERVER_ERROR:
            status = fault.status or 500
            return f"status {status}", replies.server_error(status)
        case FaultKind.TOKEN_HTML:
            return "html", replies.html("<html><body>Zoho Accounts</body></html>")
        case FaultKind.TOKEN_DROP:
            return "dropped", None
        case _:
            return _token_error(fault.code or "invalid_code")


def _token_error(error: str) -> tuple[str, web.Response]:
    return error, web.json_response({"error": error})


def _throttled(status: int) -> tuple[str, web.Response]:
    return _THROTTLED["error"], web.json_response(_THROTTLED, status=status)
