"""Asks for the message log: what became of the SMS, and what was answered."""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import timedelta
import logging
import time
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..account import Account
from ..const import CONF_INCOMING_INTERVAL, DEFAULT_INCOMING_INTERVAL, DOMAIN
from ..errors import error_placeholders
from ..sending.journal import NotWrittenError
from ..zoho.client import ZohoVoiceClient
from ..zoho.errors import MissingScopeError, ThrottledError, ZohoError
from .log_reader import LogReader
from .questions import async_get_questions
from .schedule import FAST, seconds_to_next_look

_LOGGER = logging.getLogger(__name__)

#: How often to look while somebody waits for an answer or a report (seconds).
WAITING_INTERVAL = 15.0
#: How many calls of the log to make a minute: neighbouring calls may be made 30 times
#: a minute (zoho-voice-api.md section 1), and people ask, too.
MAX_CALLS = 20
#: How long Zoho is left alone after it said that it is too much (seconds).
LOCK = 10 * 60.0
#: How long to wait for more callbacks before the log is looked at (seconds).
COOLDOWN = 5.0


class MessageLogCoordinator(DataUpdateCoordinator[None]):
    """Look into the message log of an account as often as there may be news."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        account: Account,
        client: ZohoVoiceClient,
    ) -> None:
        """Start with nothing read."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} message log",
            request_refresh_debouncer=Debouncer(
                hass, _LOGGER, cooldown=COOLDOWN, immediate=False
            ),
        )
        #: Whether the sign-in covers reading the log, as far as is known.
        self.can_read = True
        self._account = account
        self._client = client
        self._reader = LogReader(time.time)
        self._interval: float = entry.options.get(
            CONF_INCOMING_INTERVAL, DEFAULT_INCOMING_INTERVAL
        )
        self._calls: deque[float] = deque(maxlen=MAX_CALLS)
        self._catching_up = 0

    @callback
    def async_start(self) -> None:
        """Look now, and from now on."""
        # It asks only as long as somebody listens.
        self.config_entry.async_on_unload(self.async_add_listener(lambda: None))
        self.async_look_soon()

    @callback
    def async_look_soon(self) -> None:
        """Look soon: there may be news."""
        if self.can_read:
            self._debounced_refresh.async_schedule_call()

    @callback
    def async_reconsider(self) -> None:
        """Decide anew when to look: something was sent or asked.

        That is never later than it was to be, or the look would be put off for ever.
        """
        before = self.update_interval
        self._plan()
        after = self.update_interval
        if after is not None and (before is None or after < before):
            self._schedule_refresh()

    async def async_catch_up(self, seconds: float) -> None:
        """Read what came in until now, so that what comes later is news.

        It takes no longer than some seconds. What came in while nobody wanted to know
        is passed over.
        """
        if not self.can_read:
            return
        if not self._wants_incoming:
            with suppress(NotWrittenError):
                await self._account.tracking.tracker.async_forget_incoming()
        self._catching_up += 1
        try:
            look = self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), "catch up with the message log"
            )
            await asyncio.wait([look], timeout=seconds)
        finally:
            self._catching_up -= 1

    @override
    async def _async_update_data(self) -> None:
        """Read what is new, and pass it on.

        What was read before an error counts; the next look goes on from there.
        """
        error: ZohoError | None = None
        tracking = self._account.tracking
        self._reader.begin_look(
            tracking.tracker.incoming_since,
            self._unsettled,
            incoming=self._wants_incoming,
        )
        try:
            while (query := self._reader.next_query()) and self.may_call():
                page = await self._client.async_get_log(
                    since=query.since, start=query.start, size=query.size
                )
                self._reader.take(page.rows, total=page.total, skipped=page.skipped)
        except ZohoError as err:
            error = err
        try:
            await tracking.async_take_look(self._reader.end_look())
        except NotWrittenError as err:
            error = err
        self._take_note(error)
        if error:
            raise _failure(error) from error

    def _take_note(self, error: ZohoError | None) -> None:
        """Decide when to look next, and say what a person has to do."""
        if isinstance(error, MissingScopeError):
            self.can_read = False
            self._async_tell_reading(refused=True)
        elif error is None:
            self._async_tell_reading(refused=False)
        self._plan()

    @callback
    def _async_tell_reading(self, *, refused: bool) -> None:
        """Ask for another sign-in if this one does not cover reading."""
        issue_id = f"cannot_read_{self.config_entry.entry_id}"
        if not refused:
            ir.async_delete_issue(self.hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            issue_id,
            data={
                ATTR_CONFIG_ENTRY_ID: self.config_entry.entry_id,
                "key": "cannot_read",
            },
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="cannot_read",
            translation_placeholders={"account": self.config_entry.title},
        )

    @property
    def _wants_incoming(self) -> bool:
        """Return if incoming SMS are of interest."""
        return (
            bool(self._interval)
            or self._catching_up > 0
            or async_get_questions(self.hass).is_open
        )

    @property
    def _unsettled(self) -> list[float]:
        """Return when the SMS without a final state were sent."""
        return [sms.submitted_at for sms in self._account.tracking.tracker.unsettled]

    def may_call(self) -> bool:
        """Return if one more call is not too much for Zoho, and count it."""
        now = self.hass.loop.time()
        if len(self._calls) == MAX_CALLS and now - self._calls[0] < FAST:
            return False
        self._calls.append(now)
        return True

    def _plan(self) -> None:
        """Set how long to wait before the next look."""
        seconds = seconds_to_next_look(
            time.time(),
            self._unsettled,
            self._interval,
            is_under_way=self._reader.is_under_way,
        )
        tracker = self._account.tracking.tracker
        if async_get_questions(self.hass).is_open or tracker.is_awaited:
            seconds = WAITING_INTERVAL
        self.update_interval = (
            None if seconds is None or not self.can_read else timedelta(seconds=seconds)
        )


def _failure(error: ZohoError) -> UpdateFailed:
    """Return an error in Home Assistant's words."""
    return UpdateFailed(
        translation_domain=DOMAIN,
        translation_key="log_not_read",
        translation_placeholders=error_placeholders(error),
        retry_after=(
            max(LOCK, error.retry_after or 0)
            if isinstance(error, ThrottledError)
            else None
        ),
    )
