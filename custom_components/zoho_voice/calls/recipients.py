"""Find out who a call means: entities, names and numbers become recipients."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import cached_property
import re

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, service

from ..account import Account, ZohoVoiceConfigEntry
from ..accounts import async_find_account
from ..const import DOMAIN
from ..errors import validation_error
from ..recipient import Recipient
from .phone_number import (
    looks_like_number,
    mask,
    mask_numbers,
    parse_phone_number,
)

_LETTER = re.compile(r"[^\W\d_]")
#: After how many targets others get their turn on the event loop.
_PAUSE_AFTER = 100

type Recipients = dict[Account, list[Recipient]]
type Known = tuple[ZohoVoiceConfigEntry, ConfigSubentry]


@callback
def subentries_of(hass: HomeAssistant) -> list[Known]:
    """Return the recipients of all accounts, whatever state these are in."""
    return [
        (entry, subentry)
        for entry in _entries(hass)
        for subentry in entry.subentries.values()
    ]


async def async_find_recipients(
    hass: HomeAssistant,
    targets: Iterable[str | int],
    *,
    entity_ids: Iterable[str] = (),
    config_entry_id: str | None = None,
    keep_trying: float | None = None,
) -> Recipients:
    """Return who a call means, by account, all of it checked.

    A target is a recipient's name, entity id or subentry id, a number, or several of
    them separated by commas. Bare numbers are of the account `config_entry_id`, or of
    the only one. An account has to be loaded unless what is sent to it is kept.

    Raises ServiceValidationError.
    """
    search = _Search(hass, config_entry_id, keep_trying)
    for entity_id in entity_ids:
        search.add_entity(entity_id)
    for count, target in enumerate(targets, 1):
        search.add_target(target)
        if count % _PAUSE_AFTER == 0:
            await asyncio.sleep(0)
    if not search.found:
        raise validation_error("no_recipients")
    return search.found


@callback
def accounts_of(hass: HomeAssistant) -> list[Account]:
    """Return all accounts but the disabled ones."""
    found = (async_find_account(hass, entry.entry_id) for entry in _entries(hass))
    return [account for account in found if account is not None]


class _Search:
    """Collect the recipients of one call."""

    def __init__(
        self,
        hass: HomeAssistant,
        config_entry_id: str | None,
        keep_trying: float | None,
    ) -> None:
        """Start with nobody."""
        self.found: Recipients = {}
        self._hass = hass
        self._config_entry_id = config_entry_id
        self._keep_trying = keep_trying

    @cached_property
    def _by_name(self) -> Mapping[str, list[Known]]:
        """Return the recipients by name, whatever its case, and by subentry id."""
        known: dict[str, list[Known]] = {}
        for entry, subentry in subentries_of(self._hass):
            for name in (subentry.title.casefold(), subentry.subentry_id.casefold()):
                known.setdefault(name, []).append((entry, subentry))
        return known

    def add_entity(self, entity_id: str) -> None:
        """Add the recipient that an entity stands for."""
        entity = er.async_get(self._hass).async_get(entity_id)
        if (
            entity is None
            or entity.platform != DOMAIN
            or entity.config_entry_id is None
            or entity.config_subentry_id is None
        ):
            # Somebody may have written a number after the dot.
            raise validation_error("not_a_recipient", recipient=mask_numbers(entity_id))
        if entity.disabled:
            raise validation_error("recipient_disabled", recipient=entity_id)
        entry = self._hass.config_entries.async_get_known_entry(entity.config_entry_id)
        self._add_known((entry, entry.subentries[entity.config_subentry_id]))

    def add_target(self, target: str | int) -> None:
        """Add whom a target names."""
        if isinstance(target, int) or (
            target.startswith("+") and target[1:].isdecimal()
        ):
            self._add_number(target)
            return
        target = target.strip()
        if target.startswith(f"{NOTIFY_DOMAIN}."):
            self.add_entity(target)
        elif known := self._by_name.get(target.casefold()):
            if len(known) > 1:
                raise validation_error("ambiguous_recipient", recipient=mask(target))
            self._add_known(known[0])
        elif "," in target:
            for part in filter(None, map(str.strip, target.split(","))):
                self.add_target(part)
        elif _LETTER.search(target) and not looks_like_number(target):
            raise validation_error("unknown_recipient", recipient=mask(target))
        else:
            self._add_number(target)

    def _add_known(self, known: Known) -> None:
        """Add a recipient of an account, which has to be loaded."""
        entry, subentry = known
        self._add(entry.entry_id, Recipient.from_subentry(subentry))

    def _add_number(self, number: str | int) -> None:
        """Add a number."""
        e164 = parse_phone_number(number, self._hass.config.country)
        self._add(self._config_entry_id, Recipient((e164,)))

    def _add(self, entry_id: str | None, recipient: Recipient) -> None:
        """Add a recipient to an account, the only one if none is named."""
        entry_id = entry_id or self._only_entry_id()
        account = async_find_account(self._hass, entry_id)
        if account is None or not (
            account.keep_trying if self._keep_trying is None else self._keep_trying
        ):
            entry: ZohoVoiceConfigEntry = service.async_get_config_entry(
                self._hass, DOMAIN, entry_id
            )
            account = entry.runtime_data
        self.found.setdefault(account, []).append(recipient)

    def _only_entry_id(self) -> str:
        """Return the id of the only account."""
        entries = _entries(self._hass)
        if not entries:
            raise validation_error("no_account")
        if len(entries) > 1:
            raise validation_error("several_accounts")
        return entries[0].entry_id


def _entries(hass: HomeAssistant) -> list[ZohoVoiceConfigEntry]:
    """Return all accounts but the disabled ones."""
    return hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
