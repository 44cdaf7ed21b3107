"""The webhook that Zoho calls when an SMS was delivered, or was not."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError
from aiohttp.hdrs import CONTENT_TYPE, METH_GET, METH_POST, METH_PUT
from aiohttp.web import PayloadAccessError, Request, RequestPayloadError, Response
from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    ATTR_CONFIG_ENTRY_ID,
    CONF_WEBHOOK_ID,
    EVENT_CORE_CONFIG_UPDATE,
)
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.network import NoURLAvailableError
from yarl import URL

from ..account import Account
from ..const import DOMAIN
from ..sending.journal import NotWrittenError
from ..zoho.callback import MAX_BODY, read_callback
from ..zoho.message_log import delivery_state
from .started import async_wait_until_started
from .tracker import Report

if TYPE_CHECKING:
    from .coordinator import MessageLogCoordinator

_LOGGER = logging.getLogger(__name__)

#: What the issue about a URL that Zoho does not take is called.
CALLBACK_REFUSED = "callback_refused"
#: How long a callback may take to arrive (seconds).
READ_TIMEOUT = 10.0
#: How long a callback may wait for Home Assistant to start (seconds).
START_TIMEOUT = 10.0

_CLOUD = "cloud"
#: Domains that are known at home only.
_PRIVATE_DOMAINS = (
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "localhost",
)


class StatusWebhook:
    """Take the status callbacks of one account.

    What Zoho sends is not documented (zoho-voice-api.md section 2), and anybody may
    send it who knows the URL. So it says no more than the state of an SMS of ours, and
    where the message log can be read, only that it is worth a look.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        account: Account,
        coordinator: MessageLogCoordinator,
    ) -> None:
        """Keep what it is for."""
        self._hass = hass
        self._entry = entry
        self._tracking = account.tracking
        self._coordinator = coordinator
        self._webhook_id: str = entry.data[CONF_WEBHOOK_ID]
        self._lock = asyncio.Lock()
        self._has_cloudhook = False
        self._may_create_cloudhook = True
        self._is_refused = False

    @callback
    def async_start(self) -> None:
        """Listen, and let each SMS carry the URL as long as there is one.

        The URL that Zoho refused last is tried again: that may have been mended.
        """
        webhook.async_register(
            self._hass,
            DOMAIN,
            self._entry.title,
            self._webhook_id,
            self._async_handle,
            allowed_methods=(METH_GET, METH_POST, METH_PUT),
        )
        self._tracking.refused_url = None
        self._tracking.listeners.append(self._async_tell_refused)
        on_unload: list[CALLBACK_TYPE] = [
            self._async_stop,
            self._hass.bus.async_listen(
                EVENT_CORE_CONFIG_UPDATE, self._async_config_updated
            ),
            *self._async_follow_cloud(),
        ]
        for stop in on_unload:
            self._entry.async_on_unload(stop)
        self._async_update_soon()

    @callback
    def _async_stop(self) -> None:
        """Listen no more. SMS that are sent later carry no URL."""
        webhook.async_unregister(self._hass, self._webhook_id)
        self._tracking.use_url(None)
        self._tracking.listeners.remove(self._async_tell_refused)

    def _async_follow_cloud(self) -> list[Callable[[], None]]:
        """Follow Home Assistant Cloud, if it is set up; it changes the URL."""
        if _CLOUD not in self._hass.config.components:
            return []
        # Importing it takes long, and most of it for nothing where it is not set up.
        from homeassistant.components import cloud  # noqa: PLC0415

        @callback
        def connection_changed(_: Any) -> None:
            self._may_create_cloudhook = True
            self._async_update_soon()

        @callback
        def hook_changed(hook: dict[str, Any] | None) -> None:
            if self._has_cloudhook and hook is None:
                # The person has deleted it.
                self._may_create_cloudhook = False
            self._has_cloudhook = hook is not None
            self._async_update_soon()

        return [
            cloud.async_listen_connection_change(self._hass, connection_changed),
            cloud.async_listen_cloudhook_change(
                self._hass, self._webhook_id, hook_changed
            ),
        ]

    @callback
    def _async_config_updated(self, event: Event[dict[str, Any]]) -> None:
        """Follow the external URL."""
        if "external_url" in event.data:
            self._async_update_soon()

    @callback
    def _async_update_soon(self) -> None:
        """Look for the URL anew."""
        self._entry.async_create_background_task(
            self._hass, self._async_update_url(), "update the URL of the webhook"
        )

    async def _async_update_url(self) -> None:
        """Find out at which URL Zoho can reach the webhook, if at any."""
        async with self._lock:
            url = await self._async_get_cloudhook() or self._external_url()
            self._tracking.use_url(url)

    def _external_url(self) -> str | None:
        """Return the external URL, unless it is known at home only."""
        try:
            url = webhook.async_generate_url(
                self._hass, self._webhook_id, allow_internal=False
            )
        except NoURLAvailableError:
            return None
        return url if is_public(url) else None

    async def _async_get_cloudhook(self) -> str | None:
        """Return the URL of Home Assistant Cloud, if there is a subscription."""
        if _CLOUD not in self._hass.config.components or not self._may_create_cloudhook:
            return None
        from homeassistant.components import cloud  # noqa: PLC0415

        if not cloud.async_active_subscription(self._hass):
            return None
        try:
            url = await cloud.async_get_or_create_cloudhook(
                self._hass, self._webhook_id
            )
        except cloud.CloudNotAvailable:
            return None
        except Exception as err:  # noqa: BLE001
            # Whatever it is, the message log tells the same.
            _LOGGER.warning(
                "Could not get a webhook from Home Assistant Cloud (%r). Delivery"
                " reports come only from the message log",
                err,
            )
            return None
        self._has_cloudhook = True
        return url

    @callback
    def _async_tell_refused(self) -> None:
        """Say that Zoho does not take the URL, until it does or there is another."""
        url = self._tracking.callback_url
        is_refused = url is not None and not self._tracking.is_called_back
        if is_refused == self._is_refused:
            return
        self._is_refused = is_refused
        issue_id = f"{CALLBACK_REFUSED}_{self._entry.entry_id}"
        if not is_refused:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={ATTR_CONFIG_ENTRY_ID: self._entry.entry_id, "key": CALLBACK_REFUSED},
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=CALLBACK_REFUSED,
            translation_placeholders={
                "account": self._entry.title,
                # The rest of the URL is a secret.
                "url": str(URL(url or "").origin()),
            },
        )

    async def _async_handle(
        self, _hass: HomeAssistant, _webhook_id: str, request: Request
    ) -> Response:
        """Take a status callback.

        Zoho is told to come again only if what it said could not be kept.
        """
        body = await _async_read(request)
        if body is None:
            return Response()
        said = read_callback(request.query, request.headers.get(CONTENT_TYPE, ""), body)
        if said is None:
            _LOGGER.debug("A status callback says nothing of an SMS")
            return Response()
        tracker = self._tracking.tracker
        if self._coordinator.is_available:
            if any(tracker.knows(report.log_id) for report in said.reports):
                self._coordinator.async_look_soon()
            return Response()
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await async_wait_until_started(self._hass)
            await tracker.async_take(
                Report(
                    log_id=report.log_id,
                    number=report.number,
                    state=delivery_state(report.status, report.description),
                    status=report.status,
                    description=report.description,
                )
                for report in said.reports
                if report.status or report.description
            )
        except NotWrittenError, TimeoutError:
            return Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response()


async def async_delete_cloudhook(hass: HomeAssistant, webhook_id: str) -> None:
    """Delete the URL of an account that was removed from Home Assistant Cloud."""
    if _CLOUD not in hass.config.components:
        return
    from homeassistant.components import cloud  # noqa: PLC0415

    try:
        await cloud.async_delete_cloudhook(hass, webhook_id)
    except cloud.CloudNotAvailable, ValueError:
        # There is none.
        return


def is_public(url: str) -> bool:
    """Return if a URL can lead here from the internet, as far as it shows."""
    host = (URL(url).host or "").rstrip(".").lower()
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(
            tuple(f".{domain}" for domain in _PRIVATE_DOMAINS)
        )


async def _async_read(request: Request) -> bytes | None:
    """Return the body, None if it is too large or does not arrive."""
    body = bytearray()
    # Requests of Home Assistant Cloud make another reader each time.
    content = request.content
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            while chunk := await content.read(MAX_BODY):
                body += chunk
                if len(body) > MAX_BODY:
                    return None
    except (
        TimeoutError,
        OSError,
        ClientError,
        PayloadAccessError,
        RequestPayloadError,
    ) as err:
        _LOGGER.debug("A status callback broke off: %r", err)
        return None
    return bytes(body)
