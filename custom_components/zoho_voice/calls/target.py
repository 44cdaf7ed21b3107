"""Which recipients the target of an action means."""

from typing import Any

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from ..const import DOMAIN

_FIELDS = frozenset(map(str, cv.ENTITY_SERVICE_FIELDS))


@callback
def take_entity_ids(hass: HomeAssistant, fields: dict[str, Any]) -> list[str]:
    """Return the entities of a call's target, whose fields are used up.

    What is named has to be a recipient; areas, devices and labels may hold others.
    """
    target = {key: fields.pop(key) for key in _FIELDS & fields.keys()}
    if not target:
        return []
    registry = er.async_get(hass)
    selected = async_extract_referenced_entity_ids(hass, TargetSelection(target))
    return sorted(selected.referenced) + sorted(
        entity_id
        for entity_id in selected.indirectly_referenced
        if (entity := registry.async_get(entity_id)) is not None
        and entity.platform == DOMAIN
        and entity.domain == NOTIFY_DOMAIN
        and not entity.disabled
    )
