"""What all measurements in the core share."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .contestants import (
    ACTION,
    BARE,
    CLASSIC,
    ENTITY,
    NOTIFY_REST,
    REST_COMMAND,
    Send,
    bare_post,
    by_action,
    by_classic_action,
    by_entity,
    by_notify_rest,
    by_rest_command,
    entity_ids,
)
from .scale import Scale
from .zoho import Zoho


@dataclass(frozen=True, slots=True)
class Bench:
    """The core, the sandbox, an access token of it, and how much to measure."""

    hass: HomeAssistant
    zoho: Zoho
    access_token: str
    scale: Scale

    def contestants(self, entry: ConfigEntry) -> Mapping[str, Send]:
        """Return all ways to send one SMS, ours for an account."""
        hass = self.hass
        return {
            BARE: bare_post(hass, self.zoho.send_url, self.access_token),
            REST_COMMAND: by_rest_command(hass),
            NOTIFY_REST: by_notify_rest(hass),
            ACTION: by_action(hass),
            ENTITY: by_entity(hass, entity_ids(hass, entry)[0]),
            CLASSIC: by_classic_action(hass),
        }
