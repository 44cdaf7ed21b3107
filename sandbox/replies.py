"""Replies that both of Zoho's hosts give."""

from typing import Any

from aiohttp import web


def error_body(code: str, message: str) -> dict[str, Any]:
    """Return the body of an error as Zoho Voice documents it."""
    return {"status": "ERROR", "code": code, "message": message}


def invalid_token() -> web.Response:
    """Return the answer to an access token that is not, or no longer, valid."""
    return web.json_response(
        error_body("INVALID_OAUTHTOKEN", "The access token is invalid or has expired"),
        status=401,
    )


def scope_mismatch() -> web.Response:
    """Return the answer to an access token that lacks the scope of the call."""
    return web.json_response(
        error_body("OAUTH_SCOPE_MISMATCH", "The access token lacks the required scope"),
        status=401,
    )


def too_many_requests(
    retry_after: str | int | None = None,
    code: str | None = None,
    message: str | None = None,
) -> web.Response:
    """Return the answer to one call too many."""
    response = web.json_response(
        error_body(code or "TOO_MANY_REQUESTS", message or "Too many requests"),
        status=429,
    )
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def html(page: str, status: int = 200) -> web.Response:
    """Return an HTML page."""
    return web.Response(text=page, status=status, content_type="text/html")


def server_error(status: int) -> web.Response:
    """Return an error page as a proxy in front of Zoho gives it."""
    return html(f"<html><body><h1>{status}</h1></body></html>", status)


def drop(request: web.Request) -> web.Response:
    """Close the connection; what is returned never arrives."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
