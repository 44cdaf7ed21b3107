"""What a person has to know or decide of what was sent, or was not."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from typing import Any, cast

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_NAME, ATTR_STATE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started

from .account import Account
from .accounts import async_get_account
from .calls.phone_number import mask, mask_numbers
from .const import ATTR_MESSAGE_ID, DOMAIN
from .errors import labels, local_time
from .flows.sender import SenderRepairFlow
from .sending.outbox import REPORTED, Message, State
from .tracking.account_tracking import AccountTracking
from .tracking.coordinator import CANNOT_READ
from .tracking.signals import SIGNAL_GAVE_UP

#: Fired when a message that waited was sent, or ended without.
EVENT_MESSAGE_ENDED = f"{DOMAIN}_message_ended"
#: How many messages an issue lists, the latest ones.
MAX_LINES = 20
#: What an issue about a sender ID is called.
SENDER_ID_REFUSED = "sender_id_refused"
#: What an issue about somebody who answered STOP is called.
OPTED_OUT = "opted_out"


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
        if ended:
            # Automations listen only once Home Assistant has started.
            async_at_started(self._hass, partial(self._async_fire, ended))
        account = self._account
        reports = account.outbox.reports
        if reports == self._known and not account.damaged_files:
            return
        self._known = reports
        new = {message.state for message in ended}
        for state in REPORTED:
            self._async_update_issue(
                f"messages_{state}",
                [m for m in reports if m.state is state],
                is_new=state in new,
            )
        for name, file in account.damaged_files.items():
            is_blocked = account.journals[name].is_blocked
            self._async_create_issue(
                f"{name}_blocked" if is_blocked else f"{name}_damaged",
                {"file": file.name},
                is_fixable=not is_blocked,
                # Nothing else tells of it after a restart, unless it is found again.
                is_persistent=not is_blocked,
            )
        account.damaged_files.clear()

    @callback
    def _async_fire(self, ended: Sequence[Message], _: HomeAssistant) -> None:
        """Tell automations what became of messages that had waited."""
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
            if message.state in REPORTED:
                async_dispatcher_send(
                    self._hass, SIGNAL_GAVE_UP, self._entry.entry_id, message
                )

    def _async_update_issue(
        self, key: str, messages: list[Message], *, is_new: bool
    ) -> None:
        """Create, update or withdraw an issue about messages."""
        if is_new or not messages:
            # Who ignored the issue has not ignored what is new.
            ir.async_delete_issue(self._hass, DOMAIN, f"{key}_{self._entry.entry_id}")
        if not messages:
            return
        lines = [
            f"- {labels({message.number: message.name})},"
            f" {local_time(message.created_at)}"
            f"{f' ({mask_numbers(message.reason)})' if message.reason else ''}"
            for message in messages[-MAX_LINES:]
        ]
        if len(messages) > MAX_LINES:
            lines.insert(0, "- …")
        self._async_create_issue(
            key, {"count": str(len(messages)), "messages": "\n".join(lines)}
        )

    def _async_create_issue(
        self,
        key: str,
        placeholders: dict[str, str],
        *,
        is_fixable: bool = True,
        is_persistent: bool = False,
    ) -> None:
        """Create or update an issue that goes when it is confirmed."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"{key}_{self._entry.entry_id}",
            data={ATTR_CONFIG_ENTRY_ID: self._entry.entry_id, "key": key},
            is_fixable=is_fixable,
            is_persistent=is_persistent,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"account": self._entry.title, **placeholders},
        )


class OptOutReports:
    """Ask what to do about those who answered STOP, each until it is decided."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, account: Account
    ) -> None:
        """Follow the account."""
        self._hass = hass
        self._entry = entry
        self._account = account
        self._known: dict[str, str] = {}
        account.listeners.append(self._async_changed)

    @callback
    def _async_changed(self, _: Sequence[Message]) -> None:
        """Keep the issues up to date."""
        numbers = self._account.tracking.opt_outs.unsettled
        issues = {opt_out_issue_id(self._entry, number): number for number in numbers}
        if issues.keys() == self._known.keys():
            return
        for issue_id in self._known.keys() - issues.keys():
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for issue_id, number in issues.items():
            self._async_create_issue(issue_id, number)
        self._known = issues

    @callback
    def _async_create_issue(self, issue_id: str, number: str) -> None:
        """Create an issue."""
        name = self._account.tracking.name_of(number)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={ATTR_CONFIG_ENTRY_ID: self._entry.entry_id, "key": OPTED_OUT},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=OPTED_OUT,
            translation_placeholders={
                "account": self._entry.title,
                "recipient": labels({number: name}),
            },
        )


def opt_out_issue_id(entry: ConfigEntry, number: str) -> str:
    """Return the id of an issue: it must not give the number away."""
    digest = sha256(f"{entry.entry_id} {number}".encode()).hexdigest()
    return f"{OPTED_OUT}_{digest[:16]}"


class SenderReports:
    """Tell of the sender IDs of an account that Zoho may not accept.

    What was told remains after a restart, until Zoho accepts an SMS of the sender ID,
    or nobody uses it any more.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, account: Account
    ) -> None:
        """Follow the account, and take up what was told before."""
        self._hass = hass
        self._entry = entry
        self._account = account
        self._known = {
            issue_id
            for issue_id, issue in _issues_of(hass, entry)
            if issue.translation_key == SENDER_ID_REFUSED
        }
        account.outcomes.refused_senders = frozenset(
            sender_id
            for sender_id in account.sender_ids
            if self._issue_id(sender_id) in self._known
        )
        account.listeners.append(self._async_changed)

    @callback
    def _async_changed(self, _: Sequence[Message]) -> None:
        """Keep the issues up to date."""
        refused = self._account.outcomes.refused_senders
        if not refused and not self._known:
            return
        issues = {self._issue_id(sender_id): sender_id for sender_id in refused}
        for issue_id in self._known - issues.keys():
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for issue_id, sender_id in issues.items():
            self._async_create_issue(issue_id, sender_id)
        self._known = {*issues}

    def _users(self, sender_id: str) -> dict[str | None, str]:
        """Return who uses a sender ID: names by subentry id, None for the account."""
        users: dict[str | None, str] = {}
        if sender_id == self._account.sender_id:
            users[None] = self._entry.title
        for subentry_id, recipient in self._account.recipients.items():
            if recipient.sender_id == sender_id:
                users[subentry_id] = recipient.name or ""
        return users

    def _issue_id(self, sender_id: str) -> str:
        """Return the id of an issue: it must not give the sender ID away."""
        subentry_id = next(iter(self._users(sender_id)))
        return f"{SENDER_ID_REFUSED}_{subentry_id or self._entry.entry_id}"

    def _async_create_issue(self, issue_id: str, sender_id: str) -> None:
        """Create or update an issue."""
        users = self._users(sender_id)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={
                ATTR_CONFIG_ENTRY_ID: self._entry.entry_id,
                "key": SENDER_ID_REFUSED,
                "subentry_id": next(iter(users)),
            },
            is_fixable=True,
            is_persistent=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=SENDER_ID_REFUSED,
            translation_placeholders={
                "account": self._entry.title,
                "sender_id": mask(sender_id),
                "users": ", ".join(users.values()),
            },
        )


@callback
def async_forget_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw all issues of an account that was removed."""
    for issue_id, _ in _issues_of(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


def _issues_of(
    hass: HomeAssistant, entry: ConfigEntry
) -> list[tuple[str, ir.IssueEntry]]:
    """Return the issues of an account by their ids."""
    return [
        (issue_id, issue)
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
        and (issue.data or {}).get(ATTR_CONFIG_ENTRY_ID) == entry.entry_id
    ]


class ReadRepairFlow(ConfirmRepairFlow):
    """Forget what was reported once it is read."""

    def __init__(self, account: Account, key: str) -> None:
        """Keep what the issue is about, as it is shown."""
        self._outbox = account.outbox
        self._read = {message.message_id for message in account.outbox.reports}
        self._key = key

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> Any:
        """Forget it when the person has confirmed."""
        if user_input is not None:
            for state in REPORTED:
                if self._key == f"messages_{state}":
                    # Afterwards, as what came up meanwhile makes an issue of its own.
                    self.hass.loop.call_soon(
                        self._outbox.acknowledge, State(state), self._read
                    )
        return await super().async_step_confirm(user_input)


class OptOutRepairFlow(RepairsFlow):
    """Decide what to do about somebody who answered STOP."""

    def __init__(
        self, entry: ConfigEntry, tracking: AccountTracking, issue_id: str
    ) -> None:
        """Keep where to find whom the issue is about."""
        self._entry = entry
        self._tracking = tracking
        self._issue_id = issue_id

    async def async_step_init(self, _: dict[str, str] | None = None) -> Any:
        """Show what can be done."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return self.async_show_menu(
            step_id="init",
            menu_options=["keep_refusing", "allow"],
            description_placeholders=issue.translation_placeholders if issue else None,
        )

    async def async_step_keep_refusing(self, _: dict[str, str] | None = None) -> Any:
        """Leave it at that."""
        for number in self._numbers:
            self._tracking.keep_refusing(number)
        return self.async_create_entry(data={})

    async def async_step_allow(self, _: dict[str, str] | None = None) -> Any:
        """Send to them again."""
        for number in self._numbers:
            self._tracking.allow(number)
        return self.async_create_entry(data={})

    @property
    def _numbers(self) -> list[str]:
        """Return whom the issue is about, unless they answered START meanwhile."""
        return [
            number
            for number in self._tracking.opt_outs.numbers
            if opt_out_issue_id(self._entry, number) == self._issue_id
        ]


class SignInRepairFlow(ConfirmRepairFlow):
    """Let the person sign in again; the issue goes when the log can be read."""

    def __init__(self, entry: ConfigEntry) -> None:
        """Keep whose sign-in it is."""
        self._entry = entry

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> Any:
        """Ask for the sign-in when the person has confirmed."""
        if user_input is not None:
            self._entry.async_start_reauth(self.hass)
        return await super().async_step_confirm(user_input)


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the dialog of an issue."""
    issue = cast(dict[str, str], data)
    entry = hass.config_entries.async_get_known_entry(issue[ATTR_CONFIG_ENTRY_ID])
    if issue["key"] == SENDER_ID_REFUSED:
        return SenderRepairFlow(entry, issue["subentry_id"])
    if issue["key"] == OPTED_OUT:
        tracking = async_get_account(hass, entry).tracking
        return OptOutRepairFlow(entry, tracking, issue_id)
    if issue["key"] == CANNOT_READ:
        return SignInRepairFlow(entry)
    return ReadRepairFlow(async_get_account(hass, entry), issue["key"])
