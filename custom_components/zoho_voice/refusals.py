"""What a person has to know of calls that were too much, until that is over."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
import math
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    HassJob,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.trace import trace_id_get

from .account import Account
from .const import DOMAIN
from .errors import error_key, error_placeholders, labels
from .sending.brakes import FloodBrakeError
from .sending.outbox import Message
from .sending.spending import SpendingGuardError
from .zoho.errors import ZohoError

#: For how long an issue stays as it is, however many calls are refused (seconds).
COOLDOWN = 10.0
#: For how long to tell of a call that can never be made (seconds).
MAX_TIME = 24 * 60 * 60.0
#: How many callers an issue names, those with the most refused calls.
MAX_CALLERS = 10

_CALLERS = ("automation", "script")


class Refusals:
    """Tell which calls of an account were refused because they were too much."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, account: Account
    ) -> None:
        """Follow the account."""
        self._hass = hass
        self._account = account
        self._flood = _Issue(hass, entry, "flood_brake")
        self._spending = _Issue(hass, entry, "spending_guard")
        self._refused: SpendingGuardError | None = None
        self._options = self._options_now
        account.refused = self._async_refused
        account.listeners.append(self._async_changed)

    @property
    def _options_now(self) -> tuple[object, ...]:
        """Return what decides on what is too much."""
        account = self._account
        return account.guard.limits, account.brake.limit, account.brake.seconds

    @callback
    def _async_refused(
        self,
        err: ZohoError,
        names: Mapping[str, str | None],
        context: Context | None,
    ) -> None:
        """Say that a call was too much, and who made it."""
        caller = _caller(self._hass, context)
        if isinstance(err, FloodBrakeError):
            self._flood.tell(err, f"{caller} → {labels(names)}")
            # It is over when nothing was refused for as long as a message counts.
            self._flood.call_later(err.seconds, self._flood.close)
        elif isinstance(err, SpendingGuardError):
            self._refused = err
            self._spending.tell(err, caller)
            self._await_opening(err)

    @callback
    def _async_changed(self, _: Sequence[Message]) -> None:
        """Withdraw what is over: options have changed, or what waits has."""
        if self._options != self._options_now:
            self._options = self._options_now
            self._flood.close()
            self._spending.close()
            self._refused = None
        elif self._refused and self._refused.opens_at < math.inf:
            self._check_guard(self._refused)

    def _check_guard(self, refused: SpendingGuardError) -> None:
        """Withdraw the issue if the call that was refused would be let through now."""
        segments = refused.segments
        opens_at = self._account.guard.opens_at(segments, self._account.outbox.reserved)
        if opens_at is None or refused.opens_at == math.inf:
            self._refused = None
            self._spending.close()
            return
        if opens_at != refused.opens_at:
            self._refused = refused = SpendingGuardError(segments, opens_at)
            self._spending.tell(refused)
        self._await_opening(refused)

    def _await_opening(self, refused: SpendingGuardError) -> None:
        """Look again when the guard opens."""
        seconds = min(max(1.0, refused.opens_at - time.time()), MAX_TIME)
        self._spending.call_later(seconds, partial(self._check_guard, refused))


class _Issue:
    """Show one issue of an account: what was too much, who called, and how often."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, name: str) -> None:
        """Show nothing yet."""
        self._hass = hass
        self._entry = entry
        self._issue_id = f"{name}_{entry.entry_id}"
        self._callers: Counter[str] = Counter()
        self._err: ZohoError
        self._cancel_later: CALLBACK_TYPE | None = None
        self._cancel_cooldown: CALLBACK_TYPE | None = None

    def tell(self, err: ZohoError, caller: str | None = None) -> None:
        """Create or update the issue, not more often than it can be read."""
        self._err = err
        if caller is not None:
            self._callers[caller] += 1
        if self._cancel_cooldown is None:
            self._show()
            self._cancel_cooldown = self._timer(COOLDOWN, self._cool_down)

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after some time, in place of what was to be done before."""
        if self._cancel_later:
            self._cancel_later()
        self._cancel_later = self._timer(seconds, action)

    def close(self) -> None:
        """Withdraw the issue."""
        for cancel in (self._cancel_later, self._cancel_cooldown):
            if cancel:
                cancel()
        self._cancel_later = self._cancel_cooldown = None
        self._callers.clear()
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    def _timer(self, seconds: float, action: Callable[[], None]) -> CALLBACK_TYPE:
        """Call an action after some time, unless Home Assistant ends before."""

        @callback
        def async_act(_: datetime) -> None:
            action()

        job = HassJob(async_act, self._issue_id, cancel_on_shutdown=True)
        return async_call_later(self._hass, seconds, job)

    def _cool_down(self) -> None:
        """Show what has come up meanwhile."""
        self._cancel_cooldown = None
        # The account may have been removed.
        if self._hass.config_entries.async_get_entry(self._entry.entry_id):
            self._show()

    def _show(self) -> None:
        """Create or update the issue."""
        callers = "\n".join(
            f"- {caller}: {count}"
            for caller, count in self._callers.most_common(MAX_CALLERS)
        )
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            data={ATTR_CONFIG_ENTRY_ID: self._entry.entry_id},
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=error_key(self._err),
            translation_placeholders={
                "account": self._entry.title,
                "callers": callers,
                **error_placeholders(self._err),
            },
        )


def _caller(hass: HomeAssistant, context: Context | None) -> str:
    """Return which automations and scripts make a call.

    The trace names the innermost that has an id, the context all that have not run
    again since.
    """
    entity_ids: dict[str | None, None] = {}
    if trace_id := trace_id_get():
        domain, _, item_id = trace_id[0].partition(".")
        registry = er.async_get(hass)
        entity_ids[registry.async_get_entity_id(domain, domain, item_id)] = None
    if context is not None:
        contexts = (context.id, context.parent_id)
        entity_ids |= {
            state.entity_id: None
            for state in hass.states.async_all(_CALLERS)
            if state.context.id in contexts
        }
    states = (hass.states.get(entity_id) for entity_id in entity_ids if entity_id)
    return ", ".join(state.name for state in states if state) or "?"
