"""The actions that read what was sent, received, and scheduled."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_NAME, ATTR_STATE
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..account import Account, ZohoVoiceConfigEntry
from ..calls.prepare import validate_targets
from ..calls.recipients import async_find_recipients
from ..const import (
    ATTR_RECIPIENTS,
    ATTR_SCHEDULED_TIME,
    ATTR_TIME_ZONE,
    CONF_SENDER_ID,
    DOMAIN,
)
from ..errors import error_placeholders, validation_error
from ..tracking.log_reader import MAX_OFFSET, MAX_PAGES
from ..zoho.client import PAGE_SIZE, ZohoVoiceClient
from ..zoho.errors import MissingScopeError, ZohoError
from ..zoho.message_log import Direction, LogRow, Page, ScheduledSms, delivery_state
from ..zoho.receipts import fits

SERVICE_GET_MESSAGES = "get_messages"
SERVICE_GET_SCHEDULED_MESSAGES = "get_scheduled_messages"
ATTR_DIRECTION = "direction"
ATTR_LIMIT = "limit"
ATTR_SINCE = "since"
ALL = "all"
DEFAULT_LIMIT = 50
MAX_LIMIT = 1000
#: The state of an SMS that came in.
RECEIVED = "received"

GET_SCHEDULED_MESSAGES_SCHEMA = vol.Schema(
    {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
)
GET_MESSAGES_SCHEMA = GET_SCHEDULED_MESSAGES_SCHEMA.extend(
    {
        vol.Optional(ATTR_RECIPIENTS): validate_targets,
        vol.Optional(ATTR_DIRECTION, default=ALL): vol.In([ALL, *Direction]),
        vol.Optional(ATTR_SINCE): cv.datetime,
        vol.Optional(ATTR_LIMIT, default=DEFAULT_LIMIT): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=MAX_LIMIT)
        ),
    }
)


@callback
def async_setup_messages(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_MESSAGES,
        _async_get_messages,
        GET_MESSAGES_SCHEMA,
        SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_SCHEDULED_MESSAGES,
        _async_get_scheduled_messages,
        GET_SCHEDULED_MESSAGES_SCHEMA,
        SupportsResponse.ONLY,
    )


async def _async_get_messages(call: ServiceCall) -> ServiceResponse:
    """Return messages of the log, the newest first."""
    wanted: dict[Account, Sequence[str | None]]
    if targets := call.data.get(ATTR_RECIPIENTS):
        found = await async_find_recipients(
            call.hass,
            targets,
            config_entry_id=call.data.get(ATTR_CONFIG_ENTRY_ID),
            keep_trying=0,
        )
        wanted = {
            account: [*dict.fromkeys(n for one in group for n in one.numbers)]
            for account, group in found.items()
        }
    else:
        wanted = dict.fromkeys(_accounts(call), (None,))
    since: datetime | None = call.data.get(ATTR_SINCE)
    direction = call.data[ATTR_DIRECTION]
    limit: int = call.data[ATTR_LIMIT]
    rows: list[tuple[Account, LogRow]] = []
    is_complete = True
    for account, numbers in wanted.items():
        for number in numbers:
            search = _Search(
                account,
                number,
                None if direction == ALL else Direction(direction),
                dt_util.as_utc(since) if since else None,
                limit,
            )
            await search.async_run()
            rows += ((account, row) for row in search.found)
            is_complete = is_complete and search.is_complete
    rows.sort(key=lambda found: _moment(found[1]), reverse=True)
    return {
        "messages": [_row(account, row) for account, row in rows[:limit]],
        "complete": is_complete and len(rows) <= limit,
    }


async def _async_get_scheduled_messages(call: ServiceCall) -> ServiceResponse:
    """Return the messages that are scheduled, the next one first."""
    found: list[tuple[Account, ScheduledSms]] = []
    is_complete = True
    for account in _accounts(call):
        client = _client_of(account)
        start = 0
        known: set[tuple[str | None, str | None, str | None]] = set()
        for _ in range(MAX_PAGES):
            _count_call(account)
            try:
                page = await client.async_get_schedule(start=start)
            except ZohoError as err:
                raise _failure(err) from err
            for sms in page.rows:
                key = sms.job_id, sms.log_id, sms.number
                if key not in known:
                    known.add(key)
                    found.append((account, sms))
            count = len(page.rows) + page.skipped
            if count < PAGE_SIZE:
                break
            start += count
        else:
            is_complete = False
    found.sort(key=lambda one: one[1].scheduled_time or datetime.max)  # noqa: DTZ901
    return {
        "messages": [_scheduled_row(*one) for one in found],
        "complete": is_complete,
    }


class _Search:
    """Look for the newest messages of an account's log, to or from one number or all.

    In which order Zoho returns them is not known. All of the log is read, up to
    `MAX_PAGES`, unless the newest ones come first.
    """

    def __init__(
        self,
        account: Account,
        number: str | None,
        direction: Direction | None,
        since: datetime | None,
        limit: int,
    ) -> None:
        """Start with nothing read; `since` is in UTC."""
        self.is_complete = False
        self._account = account
        self._client = _client_of(account)
        self._number = number
        self._direction = direction
        self._since = since
        self._limit = limit
        self._found: dict[tuple[str, str], LogRow] = {}

    @property
    def found(self) -> Iterable[LogRow]:
        """Return what was found."""
        return self._found.values()

    async def async_run(self) -> None:
        """Read. Raises HomeAssistantError."""
        start = 0
        for _ in range(MAX_PAGES):
            _count_call(self._account)
            page = await self._async_get(start)
            for row in filter(self._is_wanted, page.rows):
                self._found[row.log_id, row.number] = row
            following = start + len(page.rows) + page.skipped
            is_last = following - start < PAGE_SIZE and following >= (page.total or 0)
            if is_last or following == start:
                self.is_complete = True
                return
            if len(self._found) >= self._limit and _is_newest_first(page.rows):
                return
            # Rows that are deleted meanwhile move those behind them to the front.
            start = max(start + 1, following - PAGE_SIZE // 10)

    async def _async_get(self, start: int) -> Page[LogRow]:
        """Return a page."""
        # In which zone Zoho reads it is not known.
        since = self._since and self._since - timedelta(seconds=MAX_OFFSET)
        try:
            return await self._client.async_get_log(
                since=since,
                direction=self._direction,
                number=self._number,
                start=start,
            )
        except ZohoError as err:
            raise _failure(err) from err

    def _is_wanted(self, row: LogRow) -> bool:
        """Return if a row is what was asked for."""
        return (
            (self._direction is None or row.direction is self._direction)
            and (self._since is None or _moment(row) >= self._since)
            and (
                self._number is None
                or row.number == self._number
                or (row.number != "" and fits(row.number, self._number))
            )
        )


@callback
def _accounts(call: ServiceCall) -> list[Account]:
    """Return the account that a call names, or all of them; they have to be loaded."""
    entry_id = call.data.get(ATTR_CONFIG_ENTRY_ID)
    entry_ids = (
        [entry_id]
        if entry_id is not None
        else [
            entry.entry_id
            for entry in call.hass.config_entries.async_entries(
                DOMAIN, include_ignore=False, include_disabled=False
            )
        ]
    )
    if not entry_ids:
        raise validation_error("no_account")
    accounts = []
    for one in entry_ids:
        entry: ZohoVoiceConfigEntry = service.async_get_config_entry(
            call.hass, DOMAIN, one
        )
        accounts.append(entry.runtime_data)
    return accounts


def _client_of(account: Account) -> ZohoVoiceClient:
    """Return the client of an account, unless it was unloaded meanwhile."""
    if account.client is None:
        raise validation_error("account_not_loaded")
    return account.client


@callback
def _count_call(account: Account) -> None:
    """Refuse a call of the log that is too much for Zoho."""
    if account.coordinator and not account.coordinator.may_call():
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="log_busy")


def _failure(err: ZohoError) -> HomeAssistantError:
    """Return an error in Home Assistant's words."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=(
            "cannot_read_log" if isinstance(err, MissingScopeError) else "log_not_read"
        ),
        translation_placeholders=error_placeholders(err),
    )


def _is_newest_first(rows: Sequence[LogRow]) -> bool:
    """Return if the order shows, and no row is older than one behind it."""
    times = [row.submitted_at for row in rows if row.submitted_at]
    return (
        len(times) == len(rows)
        and times == sorted(times, reverse=True)
        and times[0] > times[-1]
    )


def _moment(row: LogRow) -> datetime:
    """Return when Zoho got a message, the beginning of time where it is unknown."""
    return row.submitted_at or datetime.min.replace(tzinfo=UTC)


def _row(account: Account, row: LogRow) -> JsonObjectType:
    """Return one row of the response."""
    return {
        "log_id": row.log_id,
        ATTR_DIRECTION: row.direction,
        "number": row.number,
        ATTR_NAME: account.tracking.name_of(row.number),
        "message": row.message,
        CONF_SENDER_ID: row.sender_id,
        ATTR_STATE: (
            RECEIVED
            if row.direction is Direction.INCOMING
            else delivery_state(row.status, row.description)
        ),
        "status": row.status,
        "description": row.description,
        "segments": row.segments,
        "submitted_at": row.submitted_at.isoformat() if row.submitted_at else None,
    }


def _scheduled_row(account: Account, sms: ScheduledSms) -> JsonObjectType:
    """Return one row of the response; the time is that of a clock in its zone."""
    return {
        "job_id": sms.job_id,
        "log_id": sms.log_id,
        "number": sms.number,
        ATTR_NAME: account.tracking.name_of(sms.number) if sms.number else None,
        "message": sms.message,
        CONF_SENDER_ID: sms.sender_id,
        ATTR_SCHEDULED_TIME: (
            sms.scheduled_time.isoformat(" ") if sms.scheduled_time else None
        ),
        ATTR_TIME_ZONE: sms.time_zone,
        "status": sms.status,
        "segments": sms.segments,
    }
