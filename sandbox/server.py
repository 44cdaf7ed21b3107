"""The sandbox: Zoho's accounts host and Voice host on two ports of 127.0.0.1."""

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Literal, Self, override

from aiohttp import web

from .accounts import add_accounts_routes
from .control import add_control_routes
from .faults import Fault
from .models import Account, Limits
from .phones import add_phone_routes
from .site import NOTICE_SECONDS, Site
from .state import (
    DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET,
    DEFAULT_REDIRECT_URIS,
    DEFAULT_SENDER_IDS,
    SandboxState,
)
from .voice import add_voice_routes

type Host = Literal["accounts", "voice"]


class Sandbox(SandboxState):
    """A Zoho that runs while it is entered as a context manager."""

    def __init__(
        self,
        redirect_uris: Iterable[str] = DEFAULT_REDIRECT_URIS,
        accounts_port: int = 0,
        voice_port: int = 0,
        *,
        client_id: str = DEFAULT_CLIENT_ID,
        client_secret: str = DEFAULT_CLIENT_SECRET,
        account: Account | None = None,
        sender_ids: Iterable[str] = DEFAULT_SENDER_IDS,
        limits: Limits | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare both hosts; port 0 takes any free one."""
        super().__init__(
            redirect_uris,
            client_id=client_id,
            client_secret=client_secret,
            account=account,
            sender_ids=sender_ids,
            limits=limits,
            log=log,
        )
        accounts_app, voice_app = web.Application(), web.Application()
        add_accounts_routes(accounts_app, self)
        add_control_routes(accounts_app, self)
        add_phone_routes(accounts_app, self)
        add_voice_routes(voice_app, self)
        self._sites: dict[Host, Site] = {
            "accounts": Site(accounts_app, accounts_port),
            "voice": Site(voice_app, voice_port),
        }
        self._refused_by_fault = False
        self._refuse_timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Listen on both ports, or raise OSError if one is taken."""
        try:
            for site in self._sites.values():
                await site.start()
        except OSError:
            await self.stop()
            raise
        self.accounts_url = self._sites["accounts"].url
        self.voice_url = self._sites["voice"].url

    async def stop(self) -> None:
        """Give up both ports and end what is still being answered."""
        self._forget_refuse_fault()
        await self.delivery.stop()
        for site in self._sites.values():
            await site.stop()

    async def refuse(self, host: Host = "voice") -> None:
        """Refuse connections from now on and close the open ones."""
        if host == "voice":
            self._forget_refuse_fault()
        self._sites[host].refuse()
        await asyncio.sleep(NOTICE_SECONDS)

    async def listen(self, host: Host = "voice") -> None:
        """Accept connections again."""
        if host == "voice":
            self._forget_refuse_fault()
        self._sites[host].listen()

    @override
    def begin_fault(self, fault: Fault) -> None:
        """Begin a fault of the Voice port at once.

        A client of the same event loop only notices that its open connection is
        gone when the loop goes on: `await refuse()` waits for that.
        """
        self._forget_refuse_fault()
        self._sites["voice"].refuse()
        self._refused_by_fault = True
        if fault.seconds is not None:
            self._refuse_timer = asyncio.get_running_loop().call_later(
                fault.seconds, self._end_refuse_fault
            )

    @override
    def clear_faults(self) -> None:
        """Let nothing fail any more."""
        super().clear_faults()
        if self._refused_by_fault:
            self._end_refuse_fault()

    def _end_refuse_fault(self) -> None:
        self._forget_refuse_fault()
        self._sites["voice"].listen()

    def _forget_refuse_fault(self) -> None:
        self._refused_by_fault = False
        if self._refuse_timer is not None:
            self._refuse_timer.cancel()
            self._refuse_timer = None
