"""Signing in, the sender, reauth and reconfigure, through Zoho's consent page."""

from collections.abc import Mapping
from pathlib import Path
import re
import time
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
    FlowType,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_add_implementation_provider,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.zoho.data_center import DATA_CENTERS, DataCenter
from sandbox import Account, FaultKind, Sandbox, TokenRequest

from .common import let_time_pass, outbox, send
from .conftest import ALICE, SENDER_ID

pytestmark = pytest.mark.usefixtures("translated_flows", "current_request_with_host")

CALLBACK = "https://example.com/auth/external/callback"
TEST_MESSAGE = "Home Assistant can send SMS through Zoho Voice. This is a test."
OTHER_ACCOUNT = Account(zuid="20002", email="other@example.com")

type Result = ConfigFlowResult


class Person:
    """Go through the dialog as a person does: forms, Zoho's page, and back."""

    def __init__(
        self, hass: HomeAssistant, browser: TestClient, sandbox: Sandbox
    ) -> None:
        self.hass = hass
        self.browser = browser
        self.sandbox = sandbox

    async def start(self) -> Result:
        """Add the integration."""
        return await self.hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}
        )

    async def submit(self, result: Result, **user_input: str) -> Result:
        """Submit a form."""
        return await self.hass.config_entries.flow.async_configure(
            result["flow_id"], user_input
        )

    async def go_to_zoho(self) -> Result:
        """Choose the sandbox as data center."""
        result = await self.submit(await self.start(), data_center="other")
        assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "other")
        result = await self.submit(
            result,
            accounts_url=self.sandbox.accounts_url,
            voice_url=self.sandbox.voice_url,
        )
        assert result["type"] is FlowResultType.EXTERNAL_STEP
        return result

    async def decide(self, result: Result, decision: str = "accept") -> URL:
        """Press a button of Zoho's page and return where it leads to."""
        url = URL(result["url"])
        async with self.browser.session.get(url) as response:
            page = await response.text()
        assert response.status == 200, page
        request_id = re.search(r'name="request_id" value="([^"]+)"', page)[1]
        async with self.browser.session.post(
            url.with_query(None),
            data={"request_id": request_id, "decision": decision},
            allow_redirects=False,
        ) as response:
            return URL(response.headers["Location"])

    async def come_back(self, result: Result, url: URL) -> Result:
        """Open Home Assistant's callback, which lets the dialog go on."""
        assert str(url.with_query(None)) == CALLBACK
        async with self.browser.get(url.path_qs) as response:
            assert response.status == 200
        return await self.hass.config_entries.flow.async_configure(result["flow_id"])

    async def sign_in(self, result: Result, decision: str = "accept") -> Result:
        """Decide at Zoho and come back."""
        return await self.come_back(result, await self.decide(result, decision))

    async def go_to_sender(self) -> Result:
        """Sign in with a new account."""
        result = await self.sign_in(await self.go_to_zoho())
        assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "sender")
        return result


@pytest.fixture
async def person(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    sandbox: Sandbox,
    credentials: None,
) -> Person:
    """Return a person in front of a browser; the OAuth client is entered."""
    # What serves HTTP has to be there before the first request.
    assert await async_setup_component(hass, "notify", {})
    return Person(hass, await hass_client_no_auth(), sandbox)


def refresh_tokens(sandbox: Sandbox) -> list[str]:
    """Return the refresh tokens that are alive, oldest first."""
    return [*sandbox.tokens._grants]


def suggested(result: Result) -> dict[str, Any]:
    """Return the values that a form shows."""
    return {
        str(field): field.description["suggested_value"]
        for field in result["data_schema"].schema
        if field.description
    }


def add_second_credential(hass: HomeAssistant, client_id: str) -> Any:
    """Enter another OAuth client."""
    return async_import_client_credential(
        hass, DOMAIN, ClientCredential(client_id, "sandbox-secret", "Second"), "second"
    )


# Adding an account


@pytest.mark.clock
async def test_account_is_added_and_first_recipients_form_opens(
    hass: HomeAssistant, person: Person, sandbox: Sandbox
) -> None:
    result = await person.start()
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    result = await person.submit(result, data_center="other")
    result = await person.submit(
        result, accounts_url=sandbox.accounts_url, voice_url=sandbox.voice_url
    )
    assert result["step_id"] == "auth"

    url = URL(result["url"])
    assert str(url.with_query(None)) == f"{sandbox.accounts_url}/oauth/v2/auth"
    query = dict(url.query)
    assert query.pop("state")
    assert query == {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": CALLBACK,
        "scope": "ZohoVoice.sms.CREATE,ZohoVoice.sms.READ,AaaServer.profile.READ",
        "access_type": "offline",
        "prompt": "consent",
    }

    result = await person.sign_in(result)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "sender")
    assert result["description_placeholders"] == {"account": "sandbox@example.com"}
    assert sandbox.token_requests == [TokenRequest("authorization_code", "ok")]

    result = await person.submit(result, sender_id="+1 888 555 0100")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.title == "sandbox@example.com"
    assert entry.unique_id == "10001"
    assert entry.state is ConfigEntryState.LOADED
    data = {**entry.data}
    token = data.pop("token")
    assert len(data.pop("webhook_id")) == 64
    assert data == {
        "auth_implementation": DOMAIN,
        "data_center": "other",
        "accounts_url": sandbox.accounts_url,
        "voice_url": sandbox.voice_url,
        "sender_id": SENDER_ID,
    }
    assert set(token) == {
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
        "expires_at",
    }
    assert token["expires_at"] == time.time() + token["expires_in"]
    assert [token["refresh_token"]] == refresh_tokens(sandbox)

    kind, flow_id = result["next_flow"]
    assert kind is FlowType.CONFIG_SUBENTRIES_FLOW
    subentries = hass.config_entries.subentries
    assert subentries.async_get(flow_id)["step_id"] == "user"
    result = await subentries.async_configure(
        flow_id, {"name": "Alice", "phone_numbers": [ALICE]}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.get("notify.alice").state == "unknown"
    assert sandbox.sent == []
    assert sandbox.revoked == []


@pytest.mark.parametrize(
    ("country", "data_center"),
    [
        (None, "us"),
        ("US", "us"),
        ("BR", "us"),
        ("DE", "eu"),
        ("CH", "eu"),
        ("GB", "uk"),
        ("IN", "in"),
        ("AU", "au"),
        ("NZ", "au"),
        ("JP", "jp"),
        ("CA", "ca"),
        ("SA", "sa"),
        ("CN", "cn"),
    ],
)
async def test_data_center_follows_the_country(
    hass: HomeAssistant, person: Person, country: str | None, data_center: str
) -> None:
    hass.config.country = country
    result = await person.start()
    [(field, selector)] = result["data_schema"].schema.items()
    assert field.default() == data_center
    assert selector.config["options"] == [
        *("us", "eu", "in", "au", "jp", "ca", "sa", "uk", "cn"),
        "other",
    ]


@pytest.mark.parametrize(
    ("data_center", "accounts_url", "voice_url"),
    [
        ("us", "https://accounts.zoho.com", "https://voice.zoho.com"),
        ("eu", "https://accounts.zoho.eu", "https://voice.zoho.eu"),
        ("in", "https://accounts.zoho.in", "https://voice.zoho.in"),
        ("au", "https://accounts.zoho.com.au", "https://voice.zoho.com.au"),
        ("jp", "https://accounts.zoho.jp", "https://voice.zoho.jp"),
        ("ca", "https://accounts.zohocloud.ca", "https://voice.zohocloud.ca"),
        ("sa", "https://accounts.zoho.sa", "https://voice.zoho.sa"),
        ("uk", "https://accounts.zoho.uk", "https://voice.zoho.uk"),
        ("cn", "https://accounts.zoho.com.cn", "https://voice.zoho.com.cn"),
    ],
)
async def test_each_data_center_has_its_servers(
    person: Person, data_center: str, accounts_url: str, voice_url: str
) -> None:
    result = await person.submit(await person.start(), data_center=data_center)
    assert result["type"] is FlowResultType.EXTERNAL_STEP
    assert result["url"].startswith(f"{accounts_url}/oauth/v2/auth?")
    assert DATA_CENTERS[data_center] == DataCenter(accounts_url, voice_url)


async def test_known_data_center_is_stored_by_its_key_and_used(
    hass: HomeAssistant,
    person: Person,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = DataCenter(sandbox.accounts_url, sandbox.voice_url)
    monkeypatch.setitem(DATA_CENTERS, "eu", servers)
    result = await person.submit(await person.start(), data_center="eu")
    result = await person.sign_in(result)
    result = await person.submit(result, sender_id=SENDER_ID, test_number=ALICE)
    assert set(result["result"].data) == {
        "auth_implementation",
        "data_center",
        "sender_id",
        "token",
        "webhook_id",
    }
    assert result["result"].data["data_center"] == "eu"
    assert [sms.number for sms in sandbox.sent] == [ALICE]


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("accounts.zoho.com", "invalid_url"),
        ("ftp://accounts.zoho.com", "invalid_url"),
        ("https://", "invalid_url"),
        ("https://accounts.zoho.com?a=b", "invalid_url"),
        ("https://accounts.zoho.com#a", "invalid_url"),
        ("https://[accounts.zoho.com", "invalid_url"),
        ("https://me:secret@accounts.zoho.com", "invalid_url"),
        ("https://me@accounts.zoho.com", "invalid_url"),
        ("https://accounts..zoho.com", "invalid_url"),
        (f"https://{'a' * 64}.zoho.com", "invalid_url"),
        ("https://xn--", "invalid_url"),
        ("http://accounts.zoho.com", "insecure_url"),
        ("http://8.8.8.8:8500", "insecure_url"),
    ],
)
async def test_impossible_or_insecure_server_is_refused_in_the_form(
    person: Person, written: str, error: str
) -> None:
    form = await person.submit(await person.start(), data_center="other")
    urls = {"accounts_url": written, "voice_url": "https://voice.zoho.com"}
    result = await person.submit(form, **urls)
    assert result["step_id"] == "other"
    assert result["errors"] == {"accounts_url": error}
    assert suggested(result) == urls

    urls = {"accounts_url": "https://accounts.zoho.com", "voice_url": written}
    result = await person.submit(form, **urls)
    assert result["errors"] == {"voice_url": error}
    assert suggested(result) == urls

    urls["voice_url"] = "https://voice.zoho.com"
    result = await person.submit(form, **urls)
    assert result["type"] is FlowResultType.EXTERNAL_STEP


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("https://accounts.zoho.com/", "https://accounts.zoho.com"),
        (" https://accounts.zoho.com ", "https://accounts.zoho.com"),
        ("https://example.org/zoho/", "https://example.org/zoho"),
        ("http://localhost:8500/", "http://localhost:8500"),
        ("http://192.168.1.5:8500", "http://192.168.1.5:8500"),
        ("http://[::1]:8500", "http://[::1]:8500"),
    ],
)
async def test_server_with_slash_or_in_the_own_network_is_taken(
    person: Person, written: str, server: str
) -> None:
    form = await person.submit(await person.start(), data_center="other")
    result = await person.submit(form, accounts_url=written, voice_url=written)
    assert result["type"] is FlowResultType.EXTERNAL_STEP
    assert result["url"].startswith(f"{server}/oauth/v2/auth?")


async def test_slash_after_a_server_is_not_stored(
    person: Person, sandbox: Sandbox
) -> None:
    form = await person.submit(await person.start(), data_center="other")
    result = await person.submit(
        form,
        accounts_url=f"{sandbox.accounts_url}/",
        voice_url=f"{sandbox.voice_url}/",
    )
    result = await person.submit(await person.sign_in(result), sender_id=SENDER_ID)
    assert result["result"].data["accounts_url"] == sandbox.accounts_url
    assert result["result"].data["voice_url"] == sandbox.voice_url


async def test_credentials_come_before_the_first_form(
    hass: HomeAssistant, sandbox: Sandbox
) -> None:
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "missing_credentials"


async def test_credentials_that_can_not_be_read_are_not_asked_for_again(
    hass: HomeAssistant, sandbox: Sandbox
) -> None:
    async def fail(hass: HomeAssistant, domain: str) -> None:
        raise ImplementationUnavailableError

    async_add_implementation_provider(hass, "cloud", fail)
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "oauth_implementation_unavailable"


async def test_one_of_several_credentials_can_be_picked(
    hass: HomeAssistant, person: Person, sandbox: Sandbox
) -> None:
    await add_second_credential(hass, "1000.SECOND")
    sandbox.client_id = "1000.SECOND"
    form = await person.submit(await person.start(), data_center="other")
    result = await person.submit(
        form, accounts_url=sandbox.accounts_url, voice_url=sandbox.voice_url
    )
    assert result["step_id"] == "pick_implementation"
    result = await person.submit(result, implementation="second")
    assert URL(result["url"]).query["client_id"] == "1000.SECOND"
    result = await person.submit(await person.sign_in(result), sender_id=SENDER_ID)
    assert result["result"].data["auth_implementation"] == "second"


# What can go wrong at the sign-in


async def test_rejecting_at_zoho_aborts(person: Person, sandbox: Sandbox) -> None:
    result = await person.sign_in(await person.go_to_zoho(), "reject")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "sign_in_rejected"
    assert result["description_placeholders"] == {"error": "access_denied"}
    assert sandbox.token_requests == []


THROTTLED = (
    "You have made too many requests continuously. Please try again after some time."
    " (Access Denied)"
)


@pytest.mark.parametrize(
    ("kind", "options", "abort", "words"),
    [
        ("token_error", {"code": "invalid_code"}, "sign_in_required", "invalid_code"),
        ("token_error", {"code": "invalid_client"}, "unknown_client", "invalid_client"),
        (
            "token_error",
            {"code": "invalid_client_secret"},
            "wrong_client_secret",
            "invalid_client_secret",
        ),
        (
            "token_error",
            {"code": "invalid_redirect_uri"},
            "wrong_redirect_uri",
            "invalid_redirect_uri",
        ),
        ("token_error", {"code": "something_new"}, "rejected", "something_new"),
        ("token_error", {"code": "ZVSMS-4038"}, "rejected", "ZVSMS-4038"),
        ("token_throttled", {"status": 400}, "throttled", THROTTLED),
        ("token_throttled", {"status": 200}, "throttled", THROTTLED),
        ("token_server_error", {"status": 503}, "accounts_server_failed", "HTTP 503"),
        ("token_html", {}, "accounts_server_failed", "HTTP 200"),
        ("token_drop", {}, "cannot_connect", "ServerDisconnectedError"),
    ],
)
async def test_each_token_error_says_what_to_do(
    person: Person,
    sandbox: Sandbox,
    kind: str,
    options: Mapping[str, Any],
    abort: str,
    words: str,
) -> None:
    sandbox.add_fault(FaultKind(kind), **options)
    result = await person.sign_in(await person.go_to_zoho())
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == abort
    assert result["description_placeholders"] == {
        "reason": words,
        "accounts_url": sandbox.accounts_url,
    }
    assert len(sandbox.token_requests) == 1
    assert sandbox.revoked == []


async def test_code_that_died_while_the_person_waited_aborts(
    person: Person, sandbox: Sandbox
) -> None:
    sandbox.limits.code_seconds = 0
    result = await person.sign_in(await person.go_to_zoho())
    assert result["reason"] == "sign_in_required"


async def test_secret_that_was_changed_at_zoho_aborts(
    person: Person, sandbox: Sandbox
) -> None:
    sandbox.client_secret = "another"
    result = await person.sign_in(await person.go_to_zoho())
    assert result["reason"] == "wrong_client_secret"


async def test_zoho_out_of_reach_after_the_consent_aborts(
    person: Person, sandbox: Sandbox
) -> None:
    result = await person.go_to_zoho()
    back = await person.decide(result)
    await sandbox.refuse("accounts")
    result = await person.come_back(result, back)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "cannot_connect"
    assert result["description_placeholders"]["accounts_url"] == sandbox.accounts_url


async def test_zoho_that_does_not_answer_in_time_aborts(
    person: Person, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.TOKEN_LATE, seconds=5)
    with patch("custom_components.zoho_voice.zoho.token.TIMEOUT", 0.2):
        result = await person.sign_in(await person.go_to_zoho())
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "cannot_connect"


async def test_token_without_a_refresh_token_aborts(
    person: Person, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.NO_REFRESH_TOKEN)
    result = await person.sign_in(await person.go_to_zoho())
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_refresh_token"


@pytest.mark.parametrize(
    ("status", "abort", "words"),
    [
        (401, "sign_in_required", "INVALID_OAUTHTOKEN"),
        (403, "rejected", "HTTP 403"),
        (429, "throttled", "HTTP 429"),
        (500, "no_answer", None),
    ],
)
async def test_failing_to_learn_who_signed_in_aborts_and_gives_the_sign_in_back(
    hass: HomeAssistant,
    person: Person,
    sandbox: Sandbox,
    status: int,
    abort: str,
    words: str | None,
) -> None:
    sandbox.add_fault(FaultKind.USER_INFO_ERROR, status=status, times=None)
    result = await person.go_to_zoho()
    result = await person.sign_in(result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == abort
    if words is not None:
        assert words in result["description_placeholders"]["reason"]
    await hass.async_block_till_done()
    assert len(sandbox.revoked) == 1
    assert refresh_tokens(sandbox) == []


async def test_account_that_is_set_up_already_aborts_and_gives_the_sign_in_back(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    result = await person.sign_in(await person.go_to_zoho())
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert len(sandbox.revoked) == 1
    assert refresh_tokens(sandbox) == [entry.data["token"]["refresh_token"]]
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_same_account_in_two_dialogs_goes_on_in_the_first(
    hass: HomeAssistant, person: Person, sandbox: Sandbox
) -> None:
    first = await person.go_to_sender()
    [kept] = refresh_tokens(sandbox)
    second = await person.sign_in(await person.go_to_zoho())
    assert second["type"] is FlowResultType.ABORT
    assert second["reason"] == "already_in_progress"
    await hass.async_block_till_done()
    assert refresh_tokens(sandbox) == [kept]
    first = await person.submit(first, sender_id=SENDER_ID)
    assert first["result"].data["token"]["refresh_token"] == kept


async def test_dialog_that_is_closed_gives_the_sign_in_back(
    hass: HomeAssistant, person: Person, sandbox: Sandbox
) -> None:
    result = await person.go_to_sender()
    [unused] = refresh_tokens(sandbox)
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert sandbox.revoked == [unused]


async def test_dialog_that_is_closed_before_the_sign_in_gives_nothing_back(
    hass: HomeAssistant, person: Person, sandbox: Sandbox
) -> None:
    result = await person.go_to_zoho()
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert sandbox.revoked == []


async def test_dialog_can_be_closed_while_zoho_is_out_of_reach(
    hass: HomeAssistant,
    person: Person,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = await person.go_to_sender()
    [unused] = refresh_tokens(sandbox)
    await sandbox.refuse("accounts")
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert "Could not revoke an unused token: CannotConnectError" in caplog.text
    assert unused not in caplog.text
    assert hass.config_entries.flow.async_progress() == []


# The sender and the test SMS


async def test_test_sms_is_sent_before_the_account_is_added(
    person: Person, sandbox: Sandbox
) -> None:
    result = await person.submit(
        await person.go_to_sender(), sender_id=SENDER_ID, test_number="480 555 0100"
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "test_number" not in result["result"].data
    assert [(sms.number, sms.sender_id, sms.message) for sms in sandbox.sent] == [
        (ALICE, SENDER_ID, TEST_MESSAGE)
    ]


@pytest.mark.parametrize(
    ("user_input", "errors"),
    [
        (
            {"sender_id": "???", "test_number": ALICE},
            {"sender_id": "invalid_sender_id"},
        ),
        (
            {"sender_id": SENDER_ID, "test_number": "12"},
            {"test_number": "invalid_phone_number"},
        ),
        (
            {"sender_id": "A name that is much too long", "test_number": "Alice"},
            {
                "sender_id": "invalid_sender_id",
                "test_number": "invalid_phone_number",
            },
        ),
    ],
)
async def test_impossible_sender_or_number_is_refused_in_the_form(
    person: Person,
    sandbox: Sandbox,
    user_input: dict[str, str],
    errors: dict[str, str],
) -> None:
    result = await person.submit(await person.go_to_sender(), **user_input)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "sender")
    assert result["errors"] == errors
    assert suggested(result) == user_input
    assert sandbox.requests == []
    result = await person.submit(result, sender_id="ZohoVoice", test_number=ALICE)
    assert result["result"].data["sender_id"] == "ZohoVoice"
    assert [sms.sender_id for sms in sandbox.sent] == ["ZohoVoice"]


async def test_national_number_is_refused_if_the_country_is_not_set(
    hass: HomeAssistant, person: Person, sandbox: Sandbox
) -> None:
    hass.config.country = None
    result = await person.submit(
        await person.go_to_sender(), sender_id=SENDER_ID, test_number="480 555 0100"
    )
    assert result["errors"] == {"test_number": "phone_number_needs_country"}


async def test_number_with_two_readings_is_refused(
    hass: HomeAssistant, person: Person, sandbox: Sandbox
) -> None:
    hass.config.country = "DE"
    result = await person.submit(
        await person.go_to_sender(), sender_id=SENDER_ID, test_number="14805550100"
    )
    assert result["errors"] == {"test_number": "ambiguous_phone_number"}
    assert sandbox.requests == []


async def test_sender_that_zoho_did_not_approve_can_be_corrected(
    person: Person, sandbox: Sandbox
) -> None:
    user_input = {"sender_id": "+18885550199", "test_number": ALICE}
    result = await person.submit(await person.go_to_sender(), **user_input)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "sender")
    assert result["errors"] == {"base": "bad_request"}
    assert result["description_placeholders"]["reason"] == "Bad Request (ZVSMS-4027)"
    assert result["description_placeholders"]["account"] == "sandbox@example.com"
    assert suggested(result) == user_input
    assert sandbox.sent == []
    result = await person.submit(result, sender_id=SENDER_ID, test_number=ALICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert [sms.sender_id for sms in sandbox.sent] == [SENDER_ID]


@pytest.mark.parametrize(
    ("kind", "options", "error", "words"),
    [
        ("error_200", {}, "bad_request", {"reason": "Bad Request (ZVSMS-4027)"}),
        (
            "error_400",
            {"code": "ZVSMS-1", "message": "No credit"},
            "rejected",
            {"reason": "No credit (ZVSMS-1)"},
        ),
        (
            "error_200",
            {"code": "ZVSMS-4038", "message": "not there"},
            "country_not_supported",
            {"reason": "not there (ZVSMS-4038)"},
        ),
        (
            "error_200",
            {"code": "ZVT011", "message": "URL is wrong"},
            "wrong_status_callback",
            {"reason": "URL is wrong (ZVT011)"},
        ),
        ("too_many_requests", {}, "throttled", {}),
        (
            "too_many_requests",
            {"retry_after": 60},
            "throttled_for",
            {"seconds": "60"},
        ),
        ("drop_before", {}, "connection_lost", {}),
        ("server_error", {"status": 502}, "server_failed", {"reason": "HTTP 502"}),
        (
            "missing_scope",
            {},
            "missing_scope",
            {
                "reason": "The access token lacks the required scope"
                " (OAUTH_SCOPE_MISMATCH)"
            },
        ),
        ("empty_reply", {}, "unreadable_reply", {"reason": "HTTP 200"}),
    ],
)
async def test_failed_test_sms_is_shown_in_the_form_and_can_be_left_out(
    person: Person,
    sandbox: Sandbox,
    kind: str,
    options: Mapping[str, Any],
    error: str,
    words: dict[str, str],
) -> None:
    sandbox.add_fault(FaultKind(kind), **options)
    user_input = {"sender_id": SENDER_ID, "test_number": ALICE}
    result = await person.submit(await person.go_to_sender(), **user_input)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "sender")
    assert result["errors"] == {"base": error}
    assert words.items() <= result["description_placeholders"].items()
    assert suggested(result) == user_input
    result = await person.submit(result, sender_id=SENDER_ID)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(sandbox.requests) == 1
    assert sandbox.revoked == []


async def test_test_sms_with_unknown_outcome_is_not_repeated(
    person: Person, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.DROP_AFTER)
    result = await person.submit(
        await person.go_to_sender(), sender_id=SENDER_ID, test_number=ALICE
    )
    assert result["errors"] == {"base": "connection_lost"}
    assert len(sandbox.sent) == 1
    result = await person.submit(result, sender_id=SENDER_ID)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(sandbox.sent) == 1


async def test_test_sms_without_an_answer_in_time_is_not_repeated(
    person: Person, sandbox: Sandbox
) -> None:
    sandbox.add_fault(FaultKind.LATE, seconds=5)
    with patch("custom_components.zoho_voice.zoho.client.REQUEST_TIMEOUT", 0.2):
        result = await person.submit(
            await person.go_to_sender(), sender_id=SENDER_ID, test_number=ALICE
        )
    assert result["errors"] == {"base": "timed_out"}
    assert len(sandbox.sent) == 1


async def test_test_sms_can_be_tried_again_when_zoho_is_back(
    person: Person, sandbox: Sandbox
) -> None:
    result = await person.go_to_sender()
    await sandbox.refuse()
    user_input = {"sender_id": SENDER_ID, "test_number": ALICE}
    result = await person.submit(result, **user_input)
    assert result["errors"] == {"base": "cannot_connect"}
    assert suggested(result) == user_input
    await sandbox.listen()
    result = await person.submit(result, **user_input)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert [sms.number for sms in sandbox.sent] == [ALICE]


async def test_sign_in_that_ended_while_the_form_was_open_is_shown_in_the_form(
    person: Person, sandbox: Sandbox
) -> None:
    result = await person.go_to_sender()
    sandbox.expire_access_tokens()
    result = await person.submit(result, sender_id=SENDER_ID, test_number=ALICE)
    assert result["errors"] == {"base": "sign_in_required"}
    assert "INVALID_OAUTHTOKEN" in result["description_placeholders"]["reason"]


# Reauth


async def test_signing_in_again_renews_the_token_and_keeps_the_rest(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, account: MockConfigEntry
) -> None:
    sandbox.revoke_refresh_tokens()
    sandbox.revoked.clear()
    before, loaded = {**account.data}, account.runtime_data.client
    result = await account.start_reauth_flow(hass)
    assert (result["type"], result["step_id"]) == (
        FlowResultType.FORM,
        "reauth_confirm",
    )
    assert result["description_placeholders"] == {"name": "sandbox@example.com"}
    result = await person.submit(result)
    assert result["url"].startswith(sandbox.accounts_url)
    result = await person.sign_in(result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)

    after = {**account.data}
    assert [after.pop("token")["refresh_token"]] == refresh_tokens(sandbox)
    assert before.pop("token") != account.data["token"]
    assert after == before
    assert account.state is ConfigEntryState.LOADED
    assert account.runtime_data.client is not loaded
    assert hass.config_entries.flow.async_progress() == []
    assert sandbox.revoked == []
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.alice", "message": "Hello"},
        blocking=True,
    )
    assert [sms.number for sms in sandbox.sent] == [ALICE]


async def test_what_waits_is_sent_as_soon_as_the_person_has_signed_in_again(
    hass: HomeAssistant,
    person: Person,
    sandbox: Sandbox,
    storage: Path,
    account: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    sandbox.revoke_refresh_tokens()
    (row,) = await send(hass, keep_trying=True, keep_trying_for={"hours": 20})
    assert row["status"] == "QUEUED"
    for _ in range(8):  # until the next try is minutes away
        await let_time_pass(hass, freezer, minutes=10)
    assert sandbox.sent == []
    (flow,) = hass.config_entries.flow.async_progress()
    result = await person.sign_in(await person.submit(flow))
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    await let_time_pass(hass, freezer, seconds=0)
    assert [sms.number for sms in sandbox.sent] == [ALICE]
    assert await outbox(hass) == {"waiting": [], "ended": []}


async def test_signing_in_again_with_another_account_is_refused(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, account: MockConfigEntry
) -> None:
    token = account.data["token"]
    sandbox.account = OTHER_ACCOUNT
    result = await person.submit(await account.start_reauth_flow(hass))
    result = await person.sign_in(result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    await hass.async_block_till_done()
    assert account.data["token"] == token
    assert refresh_tokens(sandbox) == [token["refresh_token"]]
    assert len(sandbox.revoked) == 1


async def test_signing_in_again_is_possible_with_another_credential(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, account: MockConfigEntry
) -> None:
    await add_second_credential(hass, "1000.SECOND")
    result = await person.submit(await account.start_reauth_flow(hass))
    assert result["step_id"] == "pick_implementation"
    sandbox.client_id = "1000.SECOND"
    result = await person.submit(result, implementation="second")
    result = await person.sign_in(result)
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.data["auth_implementation"] == "second"
    assert account.state is ConfigEntryState.LOADED


async def test_account_without_its_credentials_is_signed_in_again_with_others(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "removed"}
    )
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    [flow] = hass.config_entries.flow.async_progress()
    result = await person.submit(flow)
    result = await person.sign_in(result)
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.data["auth_implementation"] == DOMAIN
    assert entry.state is ConfigEntryState.LOADED


async def test_failed_sign_in_again_leaves_the_account_as_it_was(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, account: MockConfigEntry
) -> None:
    before = {**account.data}
    result = await person.submit(await account.start_reauth_flow(hass))
    result = await person.sign_in(result, "reject")
    assert result["reason"] == "sign_in_rejected"
    assert account.data == before


# Reconfigure


async def test_changed_sender_is_used_by_the_next_message(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, account: MockConfigEntry
) -> None:
    result = await account.start_reconfigure_flow(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "reconfigure")
    assert result["description_placeholders"] == {"account": "sandbox@example.com"}
    assert suggested(result) == {"sender_id": SENDER_ID}
    result = await person.submit(result, sender_id="ZohoVoice")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.data["sender_id"] == "ZohoVoice"
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.alice", "message": "Hello"},
        blocking=True,
    )
    assert [sms.sender_id for sms in sandbox.sent] == ["ZohoVoice"]


async def test_unchanged_sender_sends_the_test_sms_and_reloads(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, account: MockConfigEntry
) -> None:
    loaded = account.runtime_data.client
    result = await account.start_reconfigure_flow(hass)
    result = await person.submit(result, sender_id=SENDER_ID, test_number=ALICE)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [(sms.number, sms.message) for sms in sandbox.sent] == [
        (ALICE, TEST_MESSAGE)
    ]
    assert account.runtime_data.client is not loaded
    assert "test_number" not in account.data


async def test_sender_is_not_changed_before_its_test_sms_is_accepted(
    hass: HomeAssistant, person: Person, sandbox: Sandbox, account: MockConfigEntry
) -> None:
    user_input = {"sender_id": "+18885550199", "test_number": ALICE}
    result = await account.start_reconfigure_flow(hass)
    result = await person.submit(result, **user_input)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "reconfigure")
    assert result["errors"] == {"base": "bad_request"}
    assert suggested(result) == user_input
    assert account.data["sender_id"] == SENDER_ID


async def test_account_that_is_not_loaded_can_not_be_changed(
    hass: HomeAssistant, person: Person, account: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(account.entry_id)
    result = await account.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"
