"""Those to whom an account writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from .const import (
    CONF_PHONE_NUMBERS,
    CONF_QUIET_ACTION,
    CONF_QUIET_FROM,
    CONF_QUIET_UNTIL,
    CONF_SENDER_ID,
    QUIET_WAIT,
)
from .sending.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone to write to: numbers in E.164, perhaps a name and a sender ID of its own.

    `subentry_id` is None for a number that is written in a call. `quiet_hours` are in
    Home Assistant's time zone.
    """

    numbers: tuple[str, ...]
    name: str | None = None
    sender_id: str | None = None
    subentry_id: str | None = None
    quiet_hours: QuietHours | None = None

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Self:
        """Read a recipient of an entry."""
        return cls(
            numbers=tuple(subentry.data[CONF_PHONE_NUMBERS]),
            name=subentry.title,
            sender_id=subentry.data.get(CONF_SENDER_ID),
            subentry_id=subentry.subentry_id,
            quiet_hours=_quiet_hours_of(subentry.data),
        )


def _quiet_hours_of(data: Mapping[str, Any]) -> QuietHours | None:
    """Return the quiet hours in a subentry's data, if there are any."""
    if CONF_QUIET_FROM not in data:
        return None
    return QuietHours(
        time.fromisoformat(data[CONF_QUIET_FROM]),
        time.fromisoformat(data[CONF_QUIET_UNTIL]),
        waits=data[CONF_QUIET_ACTION] == QUIET_WAIT,
    )


def recipients_of(entry: ConfigEntry) -> dict[str, Recipient]:
    """Return the recipients of an entry by their subentry id."""
    return {
        subentry_id: Recipient.from_subentry(subentry)
        for subentry_id, subentry in entry.subentries.items()
    }
