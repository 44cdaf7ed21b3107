"""The accounts host."""

from collections.abc import Mapping
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Account, FaultKind, Sandbox

from .conftest import REDIRECT_URI

SCOPES = "ZohoVoice.sms.CREATE,ZohoVoice.sms.READ,AaaServer.profile.READ"


class Client:
    """An OAuth client of the sandbox, browser included."""

    def __init__(self, sandbox: Sandbox, http: ClientSession) -> None:
        """Keep whom to ask."""
        self.sandbox = sandbox
        self.http = http
        self.authorize_url = f"{sandbox.accounts_url}/oauth/v2/auth"

    async def open(self, **changes: str | None) -> tuple[int, str]:
        """Open the consent page, and return its status and text."""
        query = {
            "response_type": "code",
            "client_id": self.sandbox.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPES,
            "access_type": "offline",
            "prompt": "consent",
            "state": "a=b&c",
        } | changes
        given = {name: value for name, value in query.items() if value is not None}
        async with self.http.get(self.authorize_url, params=given) as response:
            return response.status, await response.text()

    async def decide(self, request_id: str, decision: str) -> tuple[int, str]:
        """Press a button, and return the status and where it leads."""
        async with self.http.post(
            self.authorize_url,
            data={"request_id": request_id, "decision": decision},
            allow_redirects=False,
        ) as response:
            return response.status, response.headers.get("Location", "")

    async def sign_in(
        self, decision: str = "accept", **changes: str | None
    ) -> dict[str, str]:
        """Go through the consent page, and return what the redirect brings."""
        status, page = await self.open(**changes)
        assert status == 200
        status, location = await self.decide(find_request_id(page), decision)
        assert status == 302
        query = parse_qs(urlsplit(location).query, strict_parsing=True)
        return {name: value for name, (value,) in query.items()}

    async def get_code(self, **changes: str | None) -> str:
        """Return a code."""
        return (await self.sign_in("accept", **changes))["code"]

    async def post(
        self, values: Mapping[str, str | None], path: str = "/oauth/v2/token"
    ) -> tuple[int, dict[str, Any]]:
        """Post a form with the client's credentials."""
        form: dict[str, str | None] = {
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
            **values,
        }
        given = {name: value for name, value in form.items() if value is not None}
        url = f"{self.sandbox.accounts_url}{path}"
        async with self.http.post(url, data=given) as response:
            return response.status, await response.json()

    async def exchange(
        self, code: str, /, **changes: str | None
    ) -> tuple[int, dict[str, Any]]:
        """Exchange a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
        }
        return await self.post(form | changes)

    async def refresh(
        self, refresh_token: str, /, **changes: str | None
    ) -> tuple[int, dict[str, Any]]:
        """Refresh."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self.post(form | changes)

    async def who_am_i(
        self, token: str, scheme: str = "Zoho-oauthtoken"
    ) -> tuple[int, Any]:
        """Ask for the user of an access token."""
        async with self.http.get(
            f"{self.sandbox.accounts_url}/oauth/user/info",
            headers={"Authorization": f"{scheme} {token}"},
        ) as response:
            return response.status, await response.json()


def find_request_id(page: str) -> str:
    """Return the hidden request id of the consent page, the same in both forms."""
    found = re.findall(r'name="request_id" value="([^"]+)"', page)
    assert len(found) == 2
    assert len(set(found)) == 1
    return str(found[0])


@pytest.fixture
def client(sandbox: Sandbox, http: ClientSession) -> Client:
    """Return a client."""
    return Client(sandbox, http)


async def test_consent_page(client: Client) -> None:
    """It names who signs in, the client and the scopes, and has two buttons."""
    status, page = await client.open()
    assert status == 200
    for text in ("sandbox@example.com", "1000.SANDBOXCLIENT", *SCOPES.split(",")):
        assert text in page
    assert re.findall(r'name="decision" value="(\w+)">(\w+)<', page) == [
        ("accept", "Accept"),
        ("reject", "Reject"),
    ]
    assert page.count('<form method="post" action="/oauth/v2/auth">') == 2


async def test_accept(client: Client) -> None:
    """The redirect brings what Zoho's does."""
    answer = await client.sign_in()
    assert answer.pop("code").startswith("1000.")
    assert answer == {
        "state": "a=b&c",
        "location": "us",
        "accounts-server": client.sandbox.accounts_url,
    }


async def test_accept_escapes_the_accounts_server(client: Client) -> None:
    """The redirect is escaped throughout."""
    _, page = await client.open()
    _, location = await client.decide(find_request_id(page), "accept")
    assert location.startswith(f"{REDIRECT_URI}?state=a%3Db%26c&code=")
    assert "accounts-server=http%3A%2F%2F127.0.0.1%3A" in location


async def test_redirect_uri_with_query(client: Client) -> None:
    """A redirect URI may have a query of its own."""
    uri = "http://127.0.0.1/callback?a=1"
    client.sandbox.redirect_uris.add(uri)
    _, page = await client.open(redirect_uri=uri)
    _, location = await client.decide(find_request_id(page), "reject")
    assert location == f"{uri}&state=a%3Db%26c&error=access_denied"


async def test_reject(client: Client) -> None:
    """Rejecting is an error that the application hears of."""
    answer = await client.sign_in("reject")
    assert answer == {"state": "a=b&c", "error": "access_denied"}


async def test_without_state(client: Client) -> None:
    """No state is made up."""
    assert "state" not in await client.sign_in(state=None)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"client_id": "1000.OTHER"}, "Invalid Client ID"),
        ({"client_id": None}, "Invalid Client ID"),
        ({"redirect_uri": f"{REDIRECT_URI}/"}, "Invalid Redirect URI"),
        ({"redirect_uri": "http://127.0.0.1:8123"}, "Invalid Redirect URI"),
        ({"redirect_uri": None}, "Invalid Redirect URI"),
        ({"redirect_uri": "<script>"}, "&lt;script&gt;"),
        ({"response_type": "token"}, "Invalid Response Type"),
        ({"scope": "ZohoVoice.sms.ALL"}, "Invalid OAuth Scope"),
        ({"scope": SCOPES.replace(",", " ")}, "Invalid OAuth Scope"),
        ({"scope": None}, "Invalid OAuth Scope"),
    ],
)
async def test_error_page(
    client: Client, changes: dict[str, str | None], text: str
) -> None:
    """What cannot be trusted is not sent back to, but told at Zoho."""
    status, page = await client.open(**changes)
    assert status == 400
    assert text in page
    assert "request_id" not in page


async def test_decided_once(client: Client) -> None:
    """A request cannot be decided twice, nor otherwise, nor if unknown."""
    _, page = await client.open()
    request_id = find_request_id(page)
    assert await client.decide(request_id, "perhaps") == (400, "")
    assert (await client.decide(request_id, "reject"))[0] == 302
    assert await client.decide(request_id, "accept") == (400, "")
    assert await client.decide("unknown", "accept") == (400, "")


async def test_exchange(client: Client) -> None:
    """A code brings an access token and a refresh token."""
    status, reply = await client.exchange(await client.get_code())
    assert status == 200
    assert reply.keys() == {
        "access_token",
        "refresh_token",
        "api_domain",
        "token_type",
        "expires_in",
    }
    assert (reply["token_type"], reply["expires_in"]) == ("Bearer", 3600)
    assert (await client.who_am_i(reply["access_token"]))[0] == 200
    (request,) = client.sandbox.token_requests
    assert (request.grant_type, request.outcome) == ("authorization_code", "ok")


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": None},
        {"prompt": "login"},
        {"access_type": None},
        {"access_type": "online"},
    ],
)
async def test_no_refresh_token(client: Client, changes: dict[str, str | None]) -> None:
    """A refresh token needs both offline access and a new consent."""
    _, reply = await client.exchange(await client.get_code(**changes))
    assert "refresh_token" not in reply
    assert (await client.who_am_i(reply["access_token"]))[0] == 200


async def test_no_refresh_token_on_demand(client: Client) -> None:
    """The fault leaves it out."""
    client.sandbox.add_fault(FaultKind.NO_REFRESH_TOKEN)
    _, reply = await client.exchange(await client.get_code())
    assert "access_token" in reply
    assert "refresh_token" not in reply


async def test_code_works_once(client: Client) -> None:
    """The second time, it is dead."""
    code = await client.get_code()
    assert "access_token" in (await client.exchange(code))[1]
    assert await client.exchange(code) == (200, {"error": "invalid_code"})


@pytest.mark.clock
async def test_code_expires(client: Client, freezer: FrozenDateTimeFactory) -> None:
    """A code lives for two minutes."""
    code, other = await client.get_code(), await client.get_code()
    freezer.tick(119)
    assert "access_token" in (await client.exchange(code))[1]
    freezer.tick(1)
    assert await client.exchange(other) == (200, {"error": "invalid_code"})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1000.OTHER"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client_secret"),
        ({"client_secret": None}, "invalid_client_secret"),
        ({"redirect_uri": "http://127.0.0.1:8123"}, "invalid_redirect_uri"),
        ({"code": "1000.wrong"}, "invalid_code"),
        ({"code": None}, "invalid_code"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
    ],
)
async def test_exchange_errors(
    client: Client, changes: dict[str, str | None], error: str
) -> None:
    """Errors come as HTTP 200."""
    code = await client.get_code()
    assert await client.exchange(code, **changes) == (200, {"error": error})
    assert client.sandbox.token_requests[0].outcome == error


async def test_credentials_in_the_query(client: Client) -> None:
    """Zoho's pages show parameters in the URL: that works too."""
    async with client.http.post(
        f"{client.sandbox.accounts_url}/oauth/v2/token",
        params={
            "client_id": client.sandbox.client_id,
            "client_secret": client.sandbox.client_secret,
            "grant_type": "authorization_code",
            "code": await client.get_code(),
            "redirect_uri": REDIRECT_URI,
        },
    ) as response:
        assert "refresh_token" in await response.json()


async def test_refresh(client: Client) -> None:
    """A refresh brings a new access token, but no new refresh token."""
    token = client.sandbox.issue_token()
    status, reply = await client.refresh(token["refresh_token"])
    assert status == 200
    assert "refresh_token" not in reply
    assert reply["access_token"] != token["access_token"]
    assert (await client.who_am_i(reply["access_token"]))[0] == 200
    assert (await client.who_am_i(token["access_token"]))[0] == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1000.OTHER"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client_secret"),
        ({"refresh_token": "1000.wrong"}, "invalid_code"),
        ({"refresh_token": None}, "invalid_code"),
    ],
)
async def test_refresh_errors(
    client: Client, changes: dict[str, str | None], error: str
) -> None:
    """Errors come as HTTP 200, also when the refresh token is dead."""
    refresh_token = client.sandbox.issue_token()["refresh_token"]
    assert await client.refresh(refresh_token, **changes) == (200, {"error": error})


@pytest.mark.clock
async def test_throttle(client: Client, freezer: FrozenDateTimeFactory) -> None:
    """The eleventh token in ten minutes is refused, with HTTP 400."""
    refresh_token = client.sandbox.issue_token()["refresh_token"]
    for _ in range(10):
        assert "access_token" in (await client.refresh(refresh_token))[1]
        freezer.tick(10)
    status, reply = await client.refresh(refresh_token)
    assert status == 400
    assert reply == {
        "error": "Access Denied",
        "error_description": "You have made too many requests continuously."
        " Please try again after some time.",
        "status": "failure",
    }
    assert client.sandbox.token_requests[-1].outcome == "Access Denied"
    other = client.sandbox.issue_token()["refresh_token"]
    assert (await client.refresh(other))[0] == 200
    freezer.tick(500)
    assert (await client.refresh(refresh_token))[0] == 200
    assert (await client.refresh(refresh_token))[0] == 400


async def test_throttle_counts_the_first_token(client: Client) -> None:
    """The token that came with the refresh token is one of the ten."""
    _, reply = await client.exchange(await client.get_code())
    statuses = [(await client.refresh(reply["refresh_token"]))[0] for _ in range(10)]
    assert statuses == [200] * 9 + [400]


async def test_twenty_refresh_tokens(client: Client) -> None:
    """The 21st kills the oldest one of the same user."""
    sandbox = client.sandbox
    sandbox.account = Account(zuid="2")
    other = sandbox.issue_token()["refresh_token"]
    sandbox.account = Account()
    tokens = [sandbox.issue_token()["refresh_token"] for _ in range(20)]
    assert (await client.refresh(tokens[0]))[1].keys() >= {"access_token"}
    sandbox.issue_token()
    assert await client.refresh(tokens[0]) == (200, {"error": "invalid_code"})
    for alive in (tokens[1], other):
        assert "access_token" in (await client.refresh(alive))[1]


@pytest.mark.clock
async def test_limits_can_change(
    client: Client, freezer: FrozenDateTimeFactory
) -> None:
    """A test need not wait for an hour, even of its own clock."""
    client.sandbox.limits.access_token_seconds = 5
    token = client.sandbox.issue_token()
    assert token["expires_in"] == 5
    freezer.tick(5)
    assert (await client.who_am_i(token["access_token"]))[0] == 401


async def test_revoke(client: Client) -> None:
    """A revoked refresh token is dead, and so are its access tokens."""
    token = client.sandbox.issue_token()
    path = f"/oauth/v2/token/revoke?token={token['refresh_token']}"
    assert await client.post({}, path) == (200, {"status": "success"})
    assert client.sandbox.revoked == [token["refresh_token"]]
    assert (await client.who_am_i(token["access_token"]))[0] == 401
    assert await client.refresh(token["refresh_token"]) == (
        200,
        {"error": "invalid_code"},
    )
    assert await client.post({}, path) == (200, {"error": "invalid_token"})
    assert client.sandbox.revoked == [token["refresh_token"]]


async def test_user_revokes_access(client: Client) -> None:
    """As if the user had ended it at Zoho."""
    token = client.sandbox.issue_token()
    client.sandbox.revoke_refresh_tokens()
    assert await client.refresh(token["refresh_token"]) == (
        200,
        {"error": "invalid_code"},
    )
    assert client.sandbox.revoked == []


async def test_user_info(client: Client) -> None:
    """Who signed in, with the id as a number."""
    client.sandbox.account = Account(
        zuid="77", email="o@example.com", first_name="O", last_name="P"
    )
    token = client.sandbox.issue_token()["access_token"]
    client.sandbox.account = Account()
    assert await client.who_am_i(token) == (
        200,
        {
            "ZUID": 77,
            "Email": "o@example.com",
            "First_Name": "O",
            "Last_Name": "P",
            "Display_Name": "Sandy Box",
        },
    )


async def test_user_info_refused(client: Client) -> None:
    """It needs Zoho's own scheme, a token and the scope."""
    token = client.sandbox.issue_token()["access_token"]
    status, reply = await client.who_am_i(token, "Bearer")
    assert (status, reply["code"]) == (401, "INVALID_OAUTHTOKEN")
    assert (await client.who_am_i("wrong"))[0] == 401
    token = client.sandbox.issue_token(["ZohoVoice.sms.CREATE"])["access_token"]
    status, reply = await client.who_am_i(token)
    assert (status, reply["code"]) == (401, "OAUTH_SCOPE_MISMATCH")


async def test_scopes_are_those_agreed_to(client: Client) -> None:
    """A token can do what was asked for, no more."""
    code = await client.get_code(scope="ZohoVoice.sms.CREATE")
    _, reply = await client.exchange(code)
    assert (await client.who_am_i(reply["access_token"]))[0] == 401
