"""The dialog of the OAuth client, and Zoho's OAuth 2.0 at a data center."""

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.zoho_voice.application_credentials import (
    ZohoOAuth2Implementation,
)
from custom_components.zoho_voice.const import DOMAIN
from custom_components.zoho_voice.zoho.data_center import DATA_CENTERS, DataCenter
from custom_components.zoho_voice.zoho.errors import SignInError
from sandbox import Sandbox

from .conftest import TRANSLATIONS, placeholders_in


@pytest.mark.parametrize(
    ("external_url", "internal_url", "with_my", "redirect_uri"),
    [
        (
            "https://home.example.com",
            None,
            True,
            "https://my.home-assistant.io/redirect/oauth",
        ),
        (
            "https://home.example.com",
            "http://192.168.1.5:8123",
            False,
            "https://home.example.com/auth/external/callback",
        ),
        (
            None,
            "http://192.168.1.5:8123",
            False,
            "http://192.168.1.5:8123/auth/external/callback",
        ),
        (None, None, False, "http://10.10.10.10:8123/auth/external/callback"),
        (None, "", False, "http://HOME-ASSISTANT:8123/auth/external/callback"),
    ],
)
async def test_dialog_names_the_console_and_the_redirect_uri(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    external_url: str | None,
    internal_url: str | None,
    with_my: bool,
    redirect_uri: str,
) -> None:
    assert await async_setup_component(hass, "application_credentials", {})
    hass.config.external_url = external_url
    hass.config.internal_url = internal_url
    if internal_url == "":
        hass.config.api = None
    if with_my:
        hass.config.components.add("my")
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "application_credentials/config"})
    answer = await client.receive_json()
    placeholders = answer["result"]["integrations"][DOMAIN]["description_placeholders"]
    assert placeholders == {
        "api_console_url": "https://api-console.zoho.com",
        "homepage_url": "https://www.home-assistant.io",
        "redirect_uri": redirect_uri,
    }
    text = TRANSLATIONS["application_credentials"]["description"]
    assert placeholders_in(text) == {*placeholders}


async def test_account_can_be_added_once_the_credentials_are_entered(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["reason"] == "missing_credentials"
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "application_credentials/create",
            "domain": DOMAIN,
            "client_id": "1000.SANDBOXCLIENT",
            "client_secret": "sandbox-secret",
        }
    )
    assert (await client.receive_json())["success"]
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")


@pytest.fixture
async def implementation(
    hass: HomeAssistant, sandbox: Sandbox, credentials: None
) -> ZohoOAuth2Implementation:
    """Return the OAuth client at the sandbox."""
    [implementation] = (await async_get_implementations(hass, DOMAIN)).values()
    assert isinstance(implementation, ZohoOAuth2Implementation)
    return implementation.at(DataCenter(sandbox.accounts_url, sandbox.voice_url))


async def test_client_can_be_used_at_another_data_center(
    implementation: ZohoOAuth2Implementation, sandbox: Sandbox
) -> None:
    european = implementation.at(DATA_CENTERS["eu"])
    assert (european.authorize_url, european.token_url) == (
        "https://accounts.zoho.eu/oauth/v2/auth",
        "https://accounts.zoho.eu/oauth/v2/token",
    )
    assert (european.domain, european.name) == (DOMAIN, "Sandbox")
    assert european.client_id == sandbox.client_id
    assert implementation.token_url == f"{sandbox.accounts_url}/oauth/v2/token"


async def test_renewed_token_keeps_the_refresh_token(
    implementation: ZohoOAuth2Implementation, sandbox: Sandbox
) -> None:
    old = sandbox.issue_token()
    new = await implementation.async_refresh_token({**old})
    assert new["access_token"] != old["access_token"]
    assert new["refresh_token"] == old["refresh_token"]
    assert new["expires_in"] == 3600


async def test_revoked_refresh_token_brings_no_more_tokens(
    implementation: ZohoOAuth2Implementation, sandbox: Sandbox
) -> None:
    token = sandbox.issue_token()
    await implementation.async_revoke(token["refresh_token"])
    assert sandbox.revoked == [token["refresh_token"]]
    with pytest.raises(SignInError):
        await implementation.async_refresh_token(token)
