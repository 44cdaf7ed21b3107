"""Send SMS through Zoho Voice."""

from datetime import datetime
import logging
from typing import cast

from homeassistant.components import webhook
from homeassistant.components.notify.legacy import async_reload as async_reload_notify
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import (
    CONF_NAME,
    CONF_TOKEN,
    CONF_WEBHOOK_ID,
    EVENT_HOMEASSISTANT_STOP,
    Platform,
)
from homeassistant.core import Event, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    discovery,
)
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_config_entry_implementation,
)
from homeassistant.helpers.device_registry import DeviceEntryType
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .account import Account, ZohoVoiceConfigEntry
from .accounts import async_forget_account, async_get_account, async_stop_accounts
from .application_credentials import ZohoOAuth2Implementation
from .calls.phone_number import warm_up
from .calls.recipients import subentries_of
from .connection.data_center import data_center_of
from .connection.session import async_get_session
from .connection.tokens import AccountTokens
from .const import CONF_SENDER_ID, DOMAIN
from .recipient import recipients_of
from .refusals import Refusals
from .repairs import OptOutReports, Reports, SenderReports, async_forget_issues
from .services import async_setup_services
from .tracking.coordinator import MessageLogCoordinator
from .tracking.downtime import CATCH_UP
from .tracking.webhook import StatusWebhook, async_delete_cloudhook
from .zoho.client import ZohoVoiceClient
from .zoho.errors import ZohoError

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [Platform.EVENT, Platform.NOTIFY, Platform.SENSOR]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up the actions, which do not depend on the state of any account."""
    # What waits has to be known before anything can be put behind it.
    for known in hass.config_entries.async_entries(DOMAIN):
        await _async_restore_account(hass, known)
    async_setup_services(hass)
    hass.async_create_task(
        discovery.async_load_platform(
            hass, Platform.NOTIFY, DOMAIN, {CONF_NAME: DOMAIN}, config
        )
    )

    names: dict[str, str] = {}

    @callback
    def async_entry_changed(_: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Let entities and classic actions follow the recipients."""
        if entry.domain != DOMAIN:
            return
        nonlocal names
        before = names
        names = {
            subentry.subentry_id: subentry.title for _, subentry in subentries_of(hass)
        }
        if names != before:
            hass.async_create_task(async_reload_notify(hass, DOMAIN))
        if (
            entry.state is ConfigEntryState.LOADED
            and recipients_of(entry) != entry.runtime_data.recipients
        ):
            hass.config_entries.async_schedule_reload(entry.entry_id)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, async_entry_changed)

    async def async_stop(_: Event) -> None:
        """Let the requests end before the connections are closed."""
        await async_stop_accounts(hass)

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_stop)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ZohoVoiceConfigEntry) -> bool:
    """Set up an account, also when Zoho can't be reached.

    `notify.send_message` passes over entities that are not there without a word, so
    an account that waited for the internet would lose messages silently.
    """
    implementation = await _async_get_implementation(hass, entry)
    if CONF_WEBHOOK_ID not in entry.data:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_WEBHOOK_ID: webhook.async_generate_id()}
        )
    data_center = data_center_of(entry.data)
    client = ZohoVoiceClient(
        async_get_session(hass),
        AccountTokens(hass, entry, implementation),
        data_center,
    )
    await hass.async_add_executor_job(warm_up, hass.config.country)
    account = entry.runtime_data = await _async_restore_account(hass, entry)
    account.set_options(entry.options)
    account.load(client, entry.data[CONF_SENDER_ID], recipients_of(entry))
    # Before the platforms, which name their entities after it.
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        entry_type=DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer="Zoho",
        model="Zoho Voice",
        name=entry.title,
    )
    account.device_id = device.id
    coordinator = MessageLogCoordinator(hass, entry, account, client)
    account.coordinator = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    StatusWebhook(hass, entry, account, coordinator).async_start()
    coordinator.async_start()
    account.outbox.wake()
    entry.async_create_background_task(
        hass, _async_check_sign_in(client), f"check the sign-in of {entry.entry_id}"
    )
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ZohoVoiceConfigEntry) -> bool:
    """Unload an account, once its requests have ended."""
    await entry.runtime_data.async_unload()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: ZohoVoiceConfigEntry) -> None:
    """Revoke the account's refresh token at Zoho, if Zoho can be reached."""
    await async_forget_account(hass, entry)
    async_forget_issues(hass, entry)
    await async_delete_cloudhook(hass, entry.data.get(CONF_WEBHOOK_ID, ""))
    try:
        implementation = await _async_get_implementation(hass, entry)
        await implementation.async_revoke(entry.data[CONF_TOKEN]["refresh_token"])
    except (ConfigEntryAuthFailed, ConfigEntryNotReady, ZohoError) as err:
        _LOGGER.warning(
            "Could not revoke the access of Home Assistant to Zoho (%r). Revoke it at"
            " %s/home under connected apps",
            err,
            data_center_of(entry.data).accounts_url,
        )


async def _async_restore_account(hass: HomeAssistant, entry: ConfigEntry) -> Account:
    """Return the account of an entry, with what it had to remember."""
    account = async_get_account(hass, entry)
    if not account.restored:
        Reports(hass, entry, account)
        SenderReports(hass, entry, account)
        OptOutReports(hass, entry, account)
        Refusals(hass, entry, account)
        await account.async_restore()
        if account.tracking.downtime.began_at is not None:
            _async_catch_up(hass, account)
    return account


@callback
def _async_catch_up(hass: HomeAssistant, account: Account) -> None:
    """Let be told what fell due before the start, once all is known of it."""

    @callback
    def end(_: datetime) -> None:
        account.tracking.downtime.end()
        account.tracking.note_told()

    @callback
    def begin(hass: HomeAssistant) -> None:
        async_call_later(hass, CATCH_UP, HassJob(end, cancel_on_shutdown=True))

    async_at_started(hass, begin)


async def _async_get_implementation(
    hass: HomeAssistant, entry: ZohoVoiceConfigEntry
) -> ZohoOAuth2Implementation:
    """Return the OAuth client of an entry, bound to the entry's data center.

    Raises ConfigEntryAuthFailed or ConfigEntryNotReady.
    """
    try:
        implementation = await async_get_config_entry_implementation(hass, entry)
    except ImplementationUnavailableError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="credentials_unavailable"
        ) from err
    except ValueError as err:
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN, translation_key="credentials_missing"
        ) from err
    return cast(ZohoOAuth2Implementation, implementation).at(data_center_of(entry.data))


async def _async_check_sign_in(client: ZohoVoiceClient) -> None:
    """Find out soon, and not at the first message, if the sign-in is dead."""
    try:
        await client.async_get_user()
    except ZohoError as err:
        _LOGGER.debug("Could not check the sign-in: %r", err)
