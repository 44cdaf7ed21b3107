"""An account from set-up to removal, and recipients that come and go."""

from collections.abc import Iterable
import logging
import time
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_add_implementation_provider,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.zoho_voice.const import DOMAIN
from sandbox import FaultKind, Sandbox

from .common import add_other_account
from .conftest import ALICE, DAVE, SENDER_ID, recipient

TEXT = "Water in the cellar"


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> bool:
    """Set up an account and wait until its sign-in is checked."""
    done = await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return done


async def send(hass: HomeAssistant, entity_id: str = "notify.alice") -> None:
    """Send a message to an entity."""
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": entity_id, "message": TEXT},
        blocking=True,
    )


async def send_classic(hass: HomeAssistant, action: str, **data: Any) -> None:
    """Send a message by a classic action."""
    await hass.services.async_call(
        "notify", action, {"message": TEXT, **data}, blocking=True
    )


def let_token_expire(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let the access token need a renewal."""
    token = {**entry.data["token"], "expires_at": time.time() - 1}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})


def sources_in_progress(hass: HomeAssistant) -> list[str]:
    """Return what the dialogs that wait for a person are about."""
    return [
        flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()
    ]


def classic_actions(hass: HomeAssistant) -> set[str]:
    """Return the classic actions of the integration."""
    return {
        action
        for action in hass.services.async_services_for_domain("notify")
        if action.startswith(DOMAIN)
    }


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the notify entities of an account's recipients."""
    return {
        entity.entity_id
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if entity.config_subentry_id is not None and entity.domain == "notify"
    }


def devices(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, dr.DeviceEntry]:
    """Return the devices of an account by their names."""
    return {
        device.name: device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }


def subentry_ids(device: dr.DeviceEntry) -> set[str | None]:
    """Return what a device belongs to; newer releases know one subentry at most."""
    if hasattr(device, "config_subentry_id"):
        return {device.config_subentry_id}
    [of_account] = device.config_entries_subentries.values()
    return of_account


def find(entry: MockConfigEntry, name: str) -> ConfigSubentry:
    """Return the recipient with a name."""
    [found] = [
        subentry for subentry in entry.subentries.values() if subentry.title == name
    ]
    return found


def told(records: Iterable[logging.LogRecord], level: int = logging.INFO) -> str:
    """Return what the log says, tracebacks included."""
    formatter = logging.Formatter()
    return "\n".join(
        formatter.format(record) for record in records if record.levelno >= level
    )


# Set up, unload, reload


async def test_account_is_set_up_with_entities_devices_and_actions(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert account.state is ConfigEntryState.LOADED
    assert entities(hass, account) == {"notify.alice", "notify.night_shift"}
    assert classic_actions(hass) == {
        "zoho_voice",
        "zoho_voice_alice",
        "zoho_voice_night_shift",
    }
    assert hass.services.has_service(DOMAIN, "send_sms")
    assert sources_in_progress(hass) == []
    assert sandbox.token_requests == []

    found = devices(hass, account)
    assert set(found) == {"sandbox@example.com", "Alice", "Night shift"}
    account_device = found.pop("sandbox@example.com")
    assert account_device.via_device_id is None
    assert subentry_ids(account_device) == {None}
    for name, device in found.items():
        assert device.via_device_id == account_device.id
        assert subentry_ids(device) == {find(account, name).subentry_id}
        assert device.entry_type is dr.DeviceEntryType.SERVICE


async def test_unloaded_account_does_not_send_and_says_so(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    assert await hass.config_entries.async_unload(account.entry_id)
    await hass.async_block_till_done()
    assert account.state is ConfigEntryState.NOT_LOADED
    assert hass.states.get("notify.alice").state == "unavailable"
    assert "zoho_voice_alice" in classic_actions(hass)
    with pytest.raises(ServiceValidationError) as error:
        await send_classic(hass, "zoho_voice_alice")
    assert error.value.translation_key == "service_config_entry_not_loaded"
    assert sandbox.requests == []


async def test_reloaded_account_is_as_before(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    before = entities(hass, account), devices(hass, account), classic_actions(hass)
    assert await hass.config_entries.async_reload(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert account.state is ConfigEntryState.LOADED
    after = entities(hass, account), devices(hass, account), classic_actions(hass)
    assert after == before
    await send(hass)
    assert [sms.number for sms in sandbox.sent] == [ALICE]


async def test_disabled_accounts_recipients_have_no_actions(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    await hass.config_entries.async_set_disabled_by(
        account.entry_id, ConfigEntryDisabler.USER
    )
    await hass.async_block_till_done()
    assert classic_actions(hass) == {"zoho_voice"}
    await hass.config_entries.async_set_disabled_by(account.entry_id, None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert classic_actions(hass) == {
        "zoho_voice",
        "zoho_voice_alice",
        "zoho_voice_night_shift",
    }


# Set up while something is wrong


async def test_account_is_set_up_while_zoho_is_out_of_reach_and_sends_later(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox
) -> None:
    await sandbox.refuse("accounts")
    await sandbox.refuse("voice")
    assert await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("notify.alice").state == "unknown"
    assert sources_in_progress(hass) == []
    with pytest.raises(HomeAssistantError) as error:
        await send(hass)
    assert error.value.translation_key == "cannot_connect"
    await sandbox.listen("accounts")
    await sandbox.listen("voice")
    await send(hass)
    assert [sms.number for sms in sandbox.sent] == [ALICE]


@pytest.mark.clock
@pytest.mark.parametrize("expired", [False, True])
async def test_refused_refresh_token_at_start_asks_to_sign_in_again(
    hass: HomeAssistant, entry: MockConfigEntry, sandbox: Sandbox, expired: bool
) -> None:
    if expired:
        let_token_expire(hass, entry)
    sandbox.revoke_refresh_tokens()
    assert await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert sources_in_progress(hass) == [SOURCE_REAUTH]
    assert [request.outcome for request in sandbox.token_requests] == ["invalid_code"]


async def test_refused_refresh_token_while_sending_asks_to_sign_in_again_once(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.revoke_refresh_tokens()
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as error:
            await send(hass)
        assert error.value.translation_key == "sign_in_required"
    assert sources_in_progress(hass) == [SOURCE_REAUTH]
    assert sandbox.sent == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FaultKind.TOKEN_THROTTLED, 400),
        (FaultKind.TOKEN_THROTTLED, 200),
        (FaultKind.TOKEN_SERVER_ERROR, 500),
        (FaultKind.TOKEN_HTML, None),
        (FaultKind.TOKEN_DROP, None),
    ],
)
async def test_throttled_or_failing_zoho_does_not_ask_to_sign_in_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    kind: FaultKind,
    status: int | None,
) -> None:
    let_token_expire(hass, entry)
    sandbox.add_fault(kind, status=status, times=None)
    assert await set_up(hass, entry)
    with pytest.raises(HomeAssistantError):
        await send(hass)
    assert len(sandbox.token_requests) >= 1
    assert entry.state is ConfigEntryState.LOADED
    assert sources_in_progress(hass) == []
    assert sandbox.requests == []


async def test_removed_credentials_ask_to_enter_them_and_sign_in_again(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "removed"}
    )
    assert not await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "credentials_missing"
    assert sources_in_progress(hass) == [SOURCE_REAUTH]


async def test_credentials_that_can_not_be_read_are_tried_again_later(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    async def fail(hass: HomeAssistant, domain: str) -> None:
        raise ImplementationUnavailableError

    # In place of the application credentials.
    async_add_implementation_provider(hass, "application_credentials", fail)
    assert not await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "credentials_unavailable"
    assert sources_in_progress(hass) == []


# Removal


async def test_removal_revokes_the_refresh_token_and_leaves_nothing_behind(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await hass.config_entries.async_remove(account.entry_id)
    await hass.async_block_till_done()
    assert sandbox.revoked == [account.data["token"]["refresh_token"]]
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert classic_actions(hass) == {"zoho_voice"}
    assert entities(hass, account) == set()
    assert devices(hass, account) == {}


async def test_reload_revokes_nothing(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await hass.config_entries.async_reload(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert sandbox.revoked == []


async def test_removal_while_zoho_is_out_of_reach_says_where_to_revoke(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await sandbox.refuse("accounts")
    caplog.clear()
    await hass.config_entries.async_remove(account.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.async_entries(DOMAIN) == []
    [record] = [
        record for record in caplog.records if record.levelno >= logging.WARNING
    ]
    assert record.levelno == logging.WARNING
    assert f"{sandbox.accounts_url}/home" in record.getMessage()
    assert "connected apps" in record.getMessage()


async def test_removal_without_credentials_says_where_to_revoke(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "removed"}
    )
    await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert f"{sandbox.accounts_url}/home" in caplog.text
    assert sandbox.revoked == []


# Recipients


async def test_added_recipient_gets_an_entity_a_device_and_an_action(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    hass.config_entries.async_add_subentry(
        account, ConfigSubentry(**recipient("Dave", DAVE))
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entities(hass, account) == {
        "notify.alice",
        "notify.dave",
        "notify.night_shift",
    }
    found = devices(hass, account)
    assert found["Dave"].via_device_id == found["sandbox@example.com"].id
    await send_classic(hass, "zoho_voice_dave")
    await send(hass, "notify.dave")
    assert [sms.number for sms in sandbox.sent] == [DAVE, DAVE]


async def test_renamed_recipient_keeps_its_entity_and_changes_its_action(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
) -> None:
    assert await async_setup_component(hass, "config", {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "config_entries/subentries/update",
            "entry_id": account.entry_id,
            "subentry_id": find(account, "Alice").subentry_id,
            "title": "Alicia",
        }
    )
    assert (await client.receive_json())["success"]
    await hass.async_block_till_done(wait_background_tasks=True)
    assert classic_actions(hass) == {
        "zoho_voice",
        "zoho_voice_alicia",
        "zoho_voice_night_shift",
    }
    assert hass.states.get("notify.alice").name == "Alicia"
    assert set(devices(hass, account)) == {
        "sandbox@example.com",
        "Alicia",
        "Night shift",
    }
    await send(hass)
    await send_classic(hass, "zoho_voice_alicia")
    await send_classic(hass, "zoho_voice", target="Alicia")
    assert [sms.number for sms in sandbox.sent] == [ALICE] * 3


async def test_removed_recipient_leaves_nothing_behind(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    hass.config_entries.async_remove_subentry(
        account, find(account, "Alice").subentry_id
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert classic_actions(hass) == {"zoho_voice", "zoho_voice_night_shift"}
    assert entities(hass, account) == {"notify.night_shift"}
    assert set(devices(hass, account)) == {"sandbox@example.com", "Night shift"}
    assert hass.states.get("notify.alice") is None


async def test_recipients_of_an_account_that_failed_to_set_up_have_actions(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "removed"}
    )
    await set_up(hass, entry)
    assert "zoho_voice_alice" in classic_actions(hass)
    hass.config_entries.async_add_subentry(
        entry, ConfigSubentry(**recipient("Dave", DAVE))
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "zoho_voice_dave" in classic_actions(hass)


async def test_accounts_of_other_integrations_are_left_alone(
    hass: HomeAssistant, account: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = account.runtime_data.client
    other = MockConfigEntry(
        domain="other", subentries_data=[recipient("Stranger", DAVE)]
    )
    other.add_to_hass(hass)
    other.mock_state(hass, ConfigEntryState.LOADED)
    hass.config_entries.async_update_entry(other, title="Other")
    await hass.async_block_till_done()
    assert "zoho_voice_stranger" not in classic_actions(hass)
    assert account.runtime_data.client is loaded
    assert told(caplog.records, logging.ERROR) == ""


async def test_two_accounts_send_with_their_own_sign_in_and_sender(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    other = add_other_account(hass, sandbox, account, "Dave")
    assert await set_up(hass, other)
    await send(hass, "notify.alice")
    await send(hass, "notify.dave")
    assert [(sms.number, sms.sender_id) for sms in sandbox.sent] == [
        (ALICE, SENDER_ID),
        (DAVE, "ZohoVoice"),
    ]
    assert [request.headers["Authorization"] for request in sandbox.requests] == [
        f"Zoho-oauthtoken {entry.data['token']['access_token']}"
        for entry in (account, other)
    ]


async def test_removing_one_of_two_accounts_leaves_the_other_alone(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    other = add_other_account(hass, sandbox, account, "Dave")
    assert await set_up(hass, other)
    await hass.config_entries.async_remove(other.entry_id)
    await hass.async_block_till_done()
    assert sandbox.revoked == [other.data["token"]["refresh_token"]]
    assert classic_actions(hass) == {
        "zoho_voice",
        "zoho_voice_alice",
        "zoho_voice_night_shift",
    }
    await send(hass)
    assert [sms.number for sms in sandbox.sent] == [ALICE]


async def test_action_never_passes_from_one_recipient_to_another_of_the_same_name(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    other = add_other_account(hass, sandbox, account, "Alice")
    assert await set_up(hass, other)
    ids = {
        entry: next(
            key for key, sub in entry.subentries.items() if sub.title == "Alice"
        )
        for entry in (account, other)
    }
    actions = {key: f"zoho_voice_alice_{ids[key].lower()}" for key in ids}
    assert classic_actions(hass) == {
        "zoho_voice",
        "zoho_voice_night_shift",
        *actions.values(),
    }
    await send_classic(hass, actions[account])
    await send_classic(hass, actions[other])
    assert [sms.number for sms in sandbox.sent] == [ALICE, DAVE]
    assert entities(hass, other) == {"notify.alice_2"}

    await hass.config_entries.async_remove(account.entry_id)
    await hass.async_block_till_done()
    assert classic_actions(hass) == {"zoho_voice", "zoho_voice_alice"}


async def test_log_holds_nothing_above_debug_when_all_goes_well(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_token_expire(hass, entry)
    assert await set_up(hass, entry)
    await send(hass)
    await send_classic(hass, "zoho_voice", target="Night shift")
    assert len(sandbox.sent) == 3
    own = [record for record in caplog.records if DOMAIN in record.name]
    assert "answered 200" in told(own, logging.DEBUG)
    assert told(own) == ""


async def test_classic_actions_are_registered_anew_only_when_a_name_changes(
    hass: HomeAssistant, account: MockConfigEntry
) -> None:
    with patch("custom_components.zoho_voice.async_reload_notify") as reload_notify:
        hass.config_entries.async_update_entry(account, title="Another title")
        await hass.async_block_till_done()
        assert reload_notify.call_count == 0
        hass.config_entries.async_update_subentry(
            account, find(account, "Alice"), title="Alicia"
        )
        await hass.async_block_till_done()
        assert reload_notify.call_count == 1
