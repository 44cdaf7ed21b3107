"""Notice that a server can be reached again."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, callback

#: How long to wait before a server is asked, and asked again (seconds).
PAUSE = 10.0


class Reachability:
    """Ask a server every few seconds if it is there, as long as somebody waits for it.

    Home Assistant has no event for a network that comes back.
    """

    def __init__(
        self,
        can_reach: Callable[[str], Awaitable[bool]],
        call_later: Callable[
            [float, Callable[[datetime], Coroutine[Any, Any, None]]], CALLBACK_TYPE
        ],
        asked: Callable[[bool], None],
    ) -> None:
        """Watch nothing yet.

        `asked` is called after each answer, and told if the server is there after it
        was not: once, however long it stays, or a server that answers but does not
        take requests would be overrun by them. It says by `watch` whether to go on.
        """
        self._can_reach = can_reach
        self._call_later = call_later
        self._asked = asked
        self._url = ""
        self._was_reached = False
        self._asking = False
        self._cancel_timer: CALLBACK_TYPE | None = None

    @callback
    def watch(self, url: str) -> None:
        """Watch the server of a URL, which was out of reach; none if it is empty."""
        if url != self._url:
            self._url = url
            self._was_reached = False
            if self._cancel_timer:
                self._cancel_timer()
                self._cancel_timer = None
        if url and not self._asking and self._cancel_timer is None:
            self._cancel_timer = self._call_later(PAUSE, self._async_ask)

    async def _async_ask(self, _: datetime) -> None:
        """Ask once."""
        self._cancel_timer = None
        self._asking = True
        url = self._url
        try:
            is_reached = await self._can_reach(url)
        finally:
            self._asking = False
        is_back = False
        if url == self._url:
            is_back = is_reached and not self._was_reached
            self._was_reached = is_reached
        self._asked(is_back)
