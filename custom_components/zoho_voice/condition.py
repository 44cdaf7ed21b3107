"""Conditions of automations: what the account may spend, and what waits."""

from typing import Any, cast, override

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import Condition, ConditionConfig
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .account import Account
from .calls.recipients import accounts_of

CONF_AT_LEAST = "at_least"

_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_OPTIONS, default={}): {
            vol.Optional(CONF_AT_LEAST, default=1): vol.All(
                vol.Coerce(int), vol.Range(min=1)
            ),
            vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        }
    }
)


class _AccountCondition(Condition):
    """Look at the accounts, or at one of them."""

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Validate the options."""
        return cast(ConfigType, _SCHEMA(config))

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take the options."""
        super().__init__(hass, config)
        options = config.options or {}
        self._at_least: int = options[CONF_AT_LEAST]
        self._entry_id: str | None = options.get(ATTR_CONFIG_ENTRY_ID)

    @property
    def _accounts(self) -> list[Account]:
        """Return what to look at."""
        return [
            account
            for account in accounts_of(self._hass)
            if self._entry_id in (None, account.entry_id)
        ]


class SpendingLeftCondition(_AccountCondition):
    """Test if the spending guard lets so many segments through."""

    @override
    def _async_check(self, **kwargs: Any) -> bool:
        """Return if every account may spend them now."""
        accounts = self._accounts
        return bool(accounts) and all(
            (left := account.guard.left()) is None or left >= self._at_least
            for account in accounts
        )


class MessagesWaitingCondition(_AccountCondition):
    """Test if so many messages wait to be sent."""

    @override
    def _async_check(self, **kwargs: Any) -> bool:
        """Return if they do, in all accounts together."""
        waiting = sum(len(account.outbox.waiting) for account in self._accounts)
        return waiting >= self._at_least


_CONDITIONS: dict[str, type[Condition]] = {
    "messages_waiting": MessagesWaitingCondition,
    "spending_left": SpendingLeftCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:  # noqa: ARG001
    """Return the conditions by their name."""
    return _CONDITIONS
