"""A custom component that writes down what Home Assistant tells, as it tells it.

It has the action that automations perform, and watches the states of events. A line is
with the system at once, so that a SIGKILL right after it does not undo it.
"""

import json
import os
import time
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    ServiceCall,
    callback,
)
from homeassistant.helpers.typing import ConfigType

DOMAIN = "soak_witness"
LINES = "witness.jsonl"


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Set up the action, and watch."""
    file = os.open(
        hass.config.path(LINES), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
    )

    @callback
    def write(**line: Any) -> None:
        os.write(file, json.dumps({**line, "at": time.time()}).encode() + b"\n")

    @callback
    def tell(call: ServiceCall) -> None:
        log_id, number, state, text = call.data["sms"]
        write(log_id=log_id, number=number, state=state, text=text)

    @callback
    def watch(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None or not state.attributes.get("event_type"):
            return
        write(
            log_id=state.attributes["log_id"],
            state=state.attributes["event_type"],
            entity_id=state.entity_id,
            moment=state.state,
        )

    @callback
    def is_event(data: EventStateChangedData) -> bool:
        return data["entity_id"].startswith("event.")

    hass.services.async_register(DOMAIN, "tell", tell)
    hass.bus.async_listen(EVENT_STATE_CHANGED, watch, event_filter=is_event)
    return True
