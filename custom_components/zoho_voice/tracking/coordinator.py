"""Asks for the message log: what became of the SMS, and what was answered."""

from collections import deque
from datetime import timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..account import Account
from ..const import CONF_INCOMING_INTERVAL, DEFAULT_INCOMING_INTERVAL, DOMAIN
from ..errors import update_failed
from ..sending.journal import NotWrittenError
from ..zoho.client import ZohoVoiceClient
from ..zoho.errors import MissingScopeError, ThrottledError, ZohoError
from .log_reader import LogReader
from .questions import async_get_questions
from .schedule import seconds_to_next_look

_LOGGER = logging.getLogger(__name__)

#: How often to look while a question waits for its answer (seconds).
ASKING_INTERVAL = 15.0
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
        self._reader = LogReader(account.clock)
        self._interval: float = entry.options.get(
            CONF_INCOMING_INTERVAL, DEFAULT_INCOMING_INTERVAL
        )
        self._calls: deque[float] = deque(maxlen=MAX_CALLS)

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
            self.config_entry.async_create_background_task(
                self.hass, self.async_request_refresh(), "look into the message log"
            )

    @callback
    def async_reconsider(self) -> None:
        """Decide anew when to look: something was sent or asked."""
        self._plan()
        self._schedule_refresh()

    @override
    async def _async_update_data(self) -> None:
        """Read what is new, and pass it on.

        What was read before an error counts; the next look goes on from there.
        """
        error: ZohoError | None = None
        tracker = self._account.tracker
        self._reader.begin_look(
            tracker.incoming_since,
            tracker.unsettled_times,
            incoming=self._wants_incoming,
        )
        try:
            while (query := self._reader.next_query()) and self._may_call():
                page = await self._client.async_get_log(
                    since=query.since, start=query.start, size=query.size
                )
                self._reader.take(page.rows, total=page.total, skipped=page.skipped)
        except ZohoError as err:
            error = err
        try:
            await tracker.async_take_look(self._reader.end_look())
        except NotWrittenError as err:
            error = err
        self._take_note(error)
        if error:
            raise self._failure(error) from error

    def _take_note(self, error: ZohoError | None) -> None:
        """Decide when to look next, and say what a person has to do."""
        if isinstance(error, MissingScopeError):
            self.can_read = False
            self._account.on_read_refused()
        elif error is None:
            self._account.on_read()
        self._plan()

    @staticmethod
    def _failure(error: ZohoError) -> UpdateFailed:
        """Return an error in Home Assistant's words."""
        retry_after = None
        if isinstance(error, ThrottledError):
            retry_after = max(LOCK, error.retry_after or 0)
        return update_failed(error, retry_after)

    @property
    def _wants_incoming(self) -> bool:
        """Return if incoming SMS are of interest."""
        return bool(self._interval) or async_get_questions(self.hass).is_open

    def _may_call(self) -> bool:
        """Return if one more call is not too much for Zoho, and count it."""
        now = self.hass.loop.time()
        if len(self._calls) == MAX_CALLS and now - self._calls[0] < 60:
            return False
        self._calls.append(now)
        return True

    def _plan(self) -> None:
        """Set how long to wait before the next look."""
        seconds = seconds_to_next_look(
            self._account.clock(),
            self._account.tracker.unsettled_times,
            self._interval,
            is_under_way=self._reader.is_under_way,
        )
        if async_get_questions(self.hass).is_open:
            seconds = ASKING_INTERVAL
        self.update_interval = (
            None
            if seconds is None or not self.can_read
            else timedelta(seconds=seconds)
        )
