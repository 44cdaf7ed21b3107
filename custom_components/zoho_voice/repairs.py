"""What a person has to know of messages that were not sent, until it is read."""

from collections.abc import Sequence
from typing import Any, cast

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_NAME, ATTR_STATE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .account import Account, async_find_account
from .calls.phone_number import mask
from .const import ATTR_MESSAGE_ID, DOMAIN
from .errors import labels, local_time
from .sending.outbox import REPORTED, Message, State

#: Fired when a message that waited was sent, or ended without.
EVENT_MESSAGE_ENDED = f"{DOMAIN}_message_ended"


class Reports:
    """Tell of the messages of an account that ended after they had waited."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, account: Account
    ) -> None:
        """Follow the account."""
        self._hass = hass
        self._entry = entry
        self._account = account
        self._known: list[Message] = []
        account.listeners.append(self._async_changed)

    @callback
    def _async_changed(self, ended: Sequence[Message]) -> None:
        """Fire an event for each, and keep the issues up to date."""
        for message in ended:
            self._hass.bus.async_fire(
                EVENT_MESSAGE_ENDED,
                {
                    ATTR_CONFIG_ENTRY_ID: self._entry.entry_id,
                    ATTR_MESSAGE_ID: message.message_id,
                    ATTR_STATE: message.state,
                    "recipient": mask(message.number),
                    ATTR_NAME: message.name,
                },
            )
        reports = self._account.outbox.reports
        if reports == self._known and not self._account.damaged_file:
            return
        self._known = reports
        for state in REPORTED:
            self._async_update_issue(
                f"messages_{state}", [m for m in reports if m.state is state]
            )
        if self._account.damaged_file:
            self._async_create_issue(
                "outbox_damaged", {"file": self._account.damaged_file.name}
            )
            self._account.damaged_file = None

    def _async_update_issue(self, key: str, messages: list[Message]) -> None:
        """Create, update or withdraw an issue about messages."""
        if not messages:
            ir.async_delete_issue(self._hass, DOMAIN, f"{key}_{self._entry.entry_id}")
            return
        lines = (
            f"- {labels({message.number: message.name})},"
            f" {local_time(message.created_at)}"
            for message in messages
        )
        self._async_create_issue(
            key, {"count": str(len(messages)), "messages": "\n".join(lines)}
        )

    def _async_create_issue(self, key: str, placeholders: dict[str, str]) -> None:
        """Create or update an issue that goes when it is confirmed."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"{key}_{self._entry.entry_id}",
            data={ATTR_CONFIG_ENTRY_ID: self._entry.entry_id, "key": key},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"account": self._entry.title, **placeholders},
        )


class ReadRepairFlow(ConfirmRepairFlow):
    """Forget what was reported once it is read."""

    def __init__(self, account: Account | None, key: str) -> None:
        """Keep what the issue is about."""
        self._account = account
        self._key = key

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> Any:
        """Forget it when the person has confirmed."""
        if user_input is not None and self._account:
            for state in REPORTED:
                if self._key == f"messages_{state}":
                    self._account.outbox.acknowledge(State(state))
        return await super().async_step_confirm(user_input)


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,  # noqa: ARG001
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the dialog of an issue."""
    issue = cast(dict[str, str], data)
    return ReadRepairFlow(
        async_find_account(hass, issue[ATTR_CONFIG_ENTRY_ID]), issue["key"]
    )
