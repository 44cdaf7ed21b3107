"""Asks for the message log: what became of the SMS, and what was answered."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
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
from ..calls.phone_number import mask_numbers
from ..const import CONF_INCOMING_INTERVAL, DEFAULT_INCOMING_INTERVAL, DOMAIN
from ..sending.journal import NotWrittenError
from ..sending.outbox import Message
from ..zoho.client import ZohoVoiceClient
from ..zoho.errors import MissingScopeError, ThrottledError, ZohoError
from .log_reader import LogReader
from .questions import async_get_questions
from .schedule import FAST, seconds_to_next_look
from .started import async_wait_until_started

_LOGGER = logging.getLogger(__name__)

#: What the issue about a sign-in that does not cover reading is called.
CANNOT_READ = "cannot_read"
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
    """Look into the message log of an account as often as there may be news.

    Whoever listens hears when that can't be done any more, or again.
    """

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
                hass, _LOGGER, cooldown=COOLDOWN, immediate=False, background=True
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
        #: Until when to leave Zoho alone (seconds since the epoch), and why.
        self._paused_until = 0.0
        self._throttled: ThrottledError | None = None
        self._was_available = True
        self._is_unreadable = False
        self._will_reconsider = False

    @property
    def is_available(self) -> bool:
        """Return if it is known what came in."""
        return self.can_read and self.last_update_success

    @property
    def calls_last_minute(self) -> int:
        """Return how often the log was asked for within a minute."""
        return sum(1 for called_at in self._calls if _is_recent(called_at))

    @callback
    def async_start(self) -> None:
        """Look now, and from now on."""
        account = self._account
        # It asks only as long as somebody listens.
        self.config_entry.async_on_unload(self.async_add_listener(lambda: None))
        account.listeners.append(self._async_outbox_changed)
        account.tracking.listeners.append(self._async_reconsider_soon)
        self.config_entry.async_on_unload(self._async_stop)
        self.async_look_soon()

    @callback
    def _async_stop(self) -> None:
        """Follow the account no more."""
        self._account.listeners.remove(self._async_outbox_changed)
        self._account.tracking.listeners.remove(self._async_reconsider_soon)

    @callback
    def async_look_soon(self) -> None:
        """Look soon: there may be news."""
        if self.can_read and not self._pause():
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

    @callback
    def _async_outbox_changed(self, _: Sequence[Message]) -> None:
        """Look for what ended unclearly."""
        self._async_reconsider_soon()

    @callback
    def _async_reconsider_soon(self) -> None:
        """Reconsider once for all that comes together."""
        if not self._will_reconsider:
            self._will_reconsider = True
            self.hass.loop.call_soon(self._async_do_reconsider)

    @callback
    def _async_do_reconsider(self) -> None:
        """Reconsider, unless the account was unloaded meanwhile."""
        self._will_reconsider = False
        if self._listeners:
            self.async_reconsider()

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell only what they want to know: there may be one for each recipient."""
        if self.is_available != self._was_available:
            self._was_available = self.is_available
            super().async_update_listeners()

    @override
    async def _async_update_data(self) -> None:
        """Read what is new, and pass it on.

        What was read before an error counts; the next look goes on from there.
        """
        await async_wait_until_started(self.hass)
        if self._throttled and self._pause():
            self._plan()
            raise _failure(self._throttled)
        error: ZohoError | None = None
        tracking = self._account.tracking
        pages = 0
        try:
            if not self._wants_incoming:
                await tracking.tracker.async_forget_incoming()
            self._reader.begin_look(
                tracking.tracker.incoming_since,
                [*self._unsettled],
                incoming=self._wants_incoming,
            )
            while (query := self._reader.next_query()) and self.may_call():
                page = await self._client.async_get_log(
                    since=query.since, start=query.start, size=query.size
                )
                self._reader.take(page.rows, total=page.total, skipped=page.skipped)
                self._take_note_of_rows(len(page.rows), page.skipped)
                pages += 1
        except ZohoError as err:
            error = err
        try:
            await tracking.async_take_look(self._reader.end_look())
        except NotWrittenError as err:
            error = err
        self._take_note(error, has_read=pages > 0)
        if error:
            raise _failure(error) from error

    def _take_note(self, error: ZohoError | None, *, has_read: bool) -> None:
        """Decide when to look next, and say what a person has to do."""
        if isinstance(error, MissingScopeError):
            self.can_read = False
            self._async_tell_reading(refused=True)
        elif has_read:
            self._async_tell_reading(refused=False)
        self._throttled = None
        if isinstance(error, ThrottledError):
            self._throttled = error
            self._paused_until = time.time() + max(LOCK, error.retry_after or 0)
        self._plan()

    def _take_note_of_rows(self, count: int, skipped: int) -> None:
        """Say once if Zoho's rows are none that can be read."""
        if skipped and not count and not self._is_unreadable:
            _LOGGER.warning(
                "None of %s SMS in the message log of Zoho Voice can be read."
                " Delivery reports and incoming SMS may be missing",
                skipped,
            )
        if count or skipped:
            self._is_unreadable = not count

    @callback
    def _async_tell_reading(self, *, refused: bool) -> None:
        """Ask for another sign-in if this one does not cover reading."""
        issue_id = f"{CANNOT_READ}_{self.config_entry.entry_id}"
        if not refused:
            ir.async_delete_issue(self.hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            issue_id,
            data={
                ATTR_CONFIG_ENTRY_ID: self.config_entry.entry_id,
                "key": CANNOT_READ,
            },
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=CANNOT_READ,
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
    def _unsettled(self) -> Iterator[float]:
        """Yield when the SMS without a final state were sent, or may have been."""
        tracking = self._account.tracking
        yield from tracking.unclear.since
        yield from tracking.tracker.unsettled_since

    def _pause(self) -> float:
        """Return how long Zoho is still to be left alone (seconds)."""
        if self._throttled is None:
            return 0.0
        # A clock that was put back must not make it longer.
        longest = max(LOCK, self._throttled.retry_after or 0)
        return max(0.0, min(self._paused_until - time.time(), longest))

    def may_call(self) -> bool:
        """Return if one more call is not too much for Zoho, and count it."""
        if self.calls_last_minute == MAX_CALLS:
            return False
        self._calls.append(time.time())
        return True

    def _plan(self) -> None:
        """Set how long to wait before the next look."""
        seconds = seconds_to_next_look(
            time.time(),
            self._unsettled,
            self._interval,
            is_unfinished=(
                self._reader.is_under_way or self._account.tracking.tracker.is_unwritten
            ),
        )
        tracker = self._account.tracking.tracker
        if async_get_questions(self.hass).is_open or tracker.is_awaited:
            seconds = WAITING_INTERVAL
        if seconds is None or not self.can_read:
            self.update_interval = None
        else:
            self.update_interval = timedelta(seconds=max(seconds, self._pause()))


def _is_recent(called_at: float) -> bool:
    """Return if a call was made within a minute."""
    return 0 <= time.time() - called_at < FAST


def _failure(error: ZohoError) -> UpdateFailed:
    """Return an error in Home Assistant's words."""
    return UpdateFailed(
        translation_domain=DOMAIN,
        translation_key="log_not_read",
        translation_placeholders={
            "reason": mask_numbers(error.code)
            or type(error).__name__.removesuffix("Error")
        },
    )
