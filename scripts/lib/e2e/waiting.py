"""Wait until something is so, for as long as a slow machine takes."""

import asyncio
from collections.abc import Awaitable, Callable
import time
from typing import Any

from .person import Person

LIMIT = 90.0  # seconds until something has to be so
_PULSE = 0.2


async def wait_until[T](text: str, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until the answer is something. Raises TimeoutError, which says what for."""
    end = time.monotonic() + LIMIT
    while not (answer := await ask()):
        if time.monotonic() > end:
            message = f"waited {LIMIT:.0f} s until {text}"
            raise TimeoutError(message)
        await asyncio.sleep(_PULSE)
    return answer


async def wait_loaded(person: Person, state: str = "loaded") -> Any:
    """Wait until the account is in a state; return its config entry."""

    async def entry() -> Any:
        entries = await person.stage.hass.command(
            "config_entries/get", domain="zoho_voice"
        )
        return next((each for each in entries if each["state"] == state), None)

    return await wait_until(f"the account is {state}", entry)
