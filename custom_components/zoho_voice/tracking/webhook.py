"""The webhook that Zoho calls when an SMS was delivered, or was not."""

from collections.abc import Callable
from http import HTTPStatus
import logging
from typing import TYPE_CHECKING, Any

from aiohttp.hdrs import CONTENT_TYPE, METH_GET, METH_POST, METH_PUT
from aiohttp.web import Request, Response
from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_WEBHOOK_ID, EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError

from ..account import Account
from ..const import DOMAIN
from ..sending.journal import NotWrittenError
from ..zoho.callback import MAX_BODY, read_callback
from ..zoho.message_log import delivery_state
from .tracker import Report

if TYPE_CHECKING:
    from .coordinator import MessageLogCoordinator

_LOGGER = logging.getLogger(__name__)

_CLOUD = "cloud"


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
        self._account = account
        self._coordinator = coordinator
        self._webhook_id: str = entry.data[CONF_WEBHOOK_ID]

    async def async_start(self) -> None:
        """Listen, and let each SMS carry the URL as long as there is one."""
        webhook.async_register(
            self._hass,
            DOMAIN,
            self._entry.title,
            self._webhook_id,
            self._async_handle,
            allowed_methods=(METH_GET, METH_POST, METH_PUT),
        )
        on_unload: list[CALLBACK_TYPE] = [
            self._async_stop,
            self._hass.bus.async_listen(
                EVENT_CORE_CONFIG_UPDATE, self._async_config_updated
            ),
            *self._async_follow_cloud(),
        ]
        for stop in on_unload:
            self._entry.async_on_unload(stop)
        await self._async_update_url()

    @callback
    def _async_stop(self) -> None:
        """Listen no more. SMS that are sent later carry no URL."""
        webhook.async_unregister(self._hass, self._webhook_id)
        self._account.tracking.callback_url = None

    def _async_follow_cloud(self) -> list[Callable[[], None]]:
        """Follow Home Assistant Cloud, if it is set up; it changes the URL."""
        if _CLOUD not in self._hass.config.components:
            return []
        # Importing it takes long, and most of it for nothing where it is not set up.
        from homeassistant.components import cloud  # noqa: PLC0415

        async def changed(_: Any) -> None:
            await self._async_update_url()

        @callback
        def hook_changed(_: dict[str, Any] | None) -> None:
            self._async_update_soon()

        return [
            cloud.async_listen_connection_change(self._hass, changed),
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
        self._entry.async_create_task(
            self._hass, self._async_update_url(), "update the URL of the webhook"
        )

    async def _async_update_url(self) -> None:
        """Find out at which URL Zoho can reach the webhook, if at any."""
        url = await self._async_get_cloudhook()
        if url is None:
            try:
                url = webhook.async_generate_url(
                    self._hass,
                    self._webhook_id,
                    allow_internal=False,
                    allow_ip=False,
                )
            except NoURLAvailableError:
                url = None
        self._account.tracking.callback_url = url

    async def _async_get_cloudhook(self) -> str | None:
        """Return the URL of Home Assistant Cloud, if there is a subscription."""
        if _CLOUD not in self._hass.config.components:
            return None
        from homeassistant.components import cloud  # noqa: PLC0415

        if not cloud.async_active_subscription(self._hass):
            return None
        try:
            return await cloud.async_get_or_create_cloudhook(
                self._hass, self._webhook_id
            )
        except cloud.CloudNotAvailable:
            return None

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
        tracker = self._account.tracking.tracker
        if self._coordinator.can_read:
            if any(tracker.knows(report.log_id) for report in said.reports):
                self._coordinator.async_look_soon()
            return Response()
        try:
            await tracker.async_take(
                Report(
                    log_id=report.log_id,
                    number=report.number,
                    state=delivery_state(report.status, report.description),
                    status=report.status,
                    description=report.description,
                )
                for report in said.reports
            )
        except NotWrittenError:
            return Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response()


async def _async_read(request: Request) -> bytes | None:
    """Return the body, None if it is too large."""
    body = bytearray()
    # Those of Home Assistant Cloud have a reader with no more than this.
    while chunk := await request.content.read(MAX_BODY):
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
