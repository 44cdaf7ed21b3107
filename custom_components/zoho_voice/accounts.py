"""The accounts that Home Assistant knows, loaded or not."""

import asyncio
from functools import partial
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util.hass_dict import HassKey

from .account import Account
from .connection.reachability import Reachability
from .connection.session import async_get_session
from .const import CONF_SENDER_ID, DOMAIN
from .recipient import recipients_of
from .sending.journal import Journal
from .tracking import signals
from .tracking.account_tracking import VERSION as TRACKING_VERSION
from .zoho.reachability import async_can_reach

_ACCOUNTS: HassKey[dict[str, Account]] = HassKey(DOMAIN)


@callback
def async_get_account(hass: HomeAssistant, entry: ConfigEntry) -> Account:
    """Return the account of an entry, loaded or not."""
    accounts = hass.data.setdefault(_ACCOUNTS, {})
    if entry.entry_id not in accounts:
        account = accounts[entry.entry_id] = Account(
            None, entry.data[CONF_SENDER_ID], recipients_of(entry)
        )
        account.journal = account.outbox.store = Journal(
            Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.{entry.entry_id}")),
            {
                "messages": account.outbox,
                "repeats": account.repeats,
                "spending": account.guard,
            },
            hass.async_add_executor_job,
        )
        _set_up_tracking(hass, account, entry)
        account.call_later = partial(async_call_later, hass)
        account.reachability = Reachability(
            partial(async_can_reach, async_get_session(hass)),
            account.call_later,
            account.asked_for_zoho,
        )
        account.set_options(entry.options)
    return accounts[entry.entry_id]


@callback
def _set_up_tracking(hass: HomeAssistant, account: Account, entry: ConfigEntry) -> None:
    """Let Home Assistant hear of what becomes of what was sent."""
    account.entry_id = entry.entry_id
    tracking = account.tracking
    tracking.journal = tracking.tracker.store = Journal(
        Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.{entry.entry_id}.tracking")),
        {
            "accepted": tracking.unclear,
            "messages": tracking.tracker,
            "opt_outs": tracking.opt_outs,
            "told_until": tracking.downtime,
        },
        hass.async_add_executor_job,
        TRACKING_VERSION,
        lambda stored: {"told_until": None, **stored},
    )
    tracking.language = lambda: hass.config.language
    tracking.on_report = partial(
        async_dispatcher_send, hass, signals.SIGNAL_DELIVERY, entry.entry_id
    )
    tracking.on_incoming = partial(
        async_dispatcher_send, hass, signals.SIGNAL_INCOMING, entry.entry_id
    )


@callback
def async_find_account(hass: HomeAssistant, entry_id: str) -> Account | None:
    """Return the account of an entry that is known and not disabled.

    Not before what it has to remember is read, which would be written over.
    """
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.disabled_by:
        return None
    account: Account | None = hass.data.get(_ACCOUNTS, {}).get(entry_id)
    return account if account and account.restored else None


async def async_forget_account(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget the account of an entry that was removed, and what it kept."""
    # It was never set up if it is disabled since before the start.
    account = async_get_account(hass, entry)
    del hass.data[_ACCOUNTS][entry.entry_id]
    await account.async_forget()


async def async_stop_accounts(hass: HomeAssistant) -> None:
    """Wait for the requests of all accounts, and for what they have to remember."""
    accounts = [*hass.data.get(_ACCOUNTS, {}).values()]
    for account in accounts:
        account.stop()
        if account.client:
            account.tracking.note_told()
    await asyncio.gather(*(account.async_unload() for account in accounts))
