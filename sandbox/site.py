"""A port of 127.0.0.1 that can refuse connections and listen again."""

import asyncio
from contextlib import suppress
import errno
import socket

from aiohttp import web

HOST = "127.0.0.1"

# Time for clients in the same event loop to notice that they were cut off.
NOTICE_SECONDS = 0.01

_BACKLOG = 128


class Site:
    """An application on a port; both stay while connections are refused."""

    def __init__(self, app: web.Application, port: int) -> None:
        """Keep what is to be started."""
        # A late answer neither outlives a client that gave up nor delays the stop.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        self._port = port
        self._socket: socket.socket | None = None
        self._listening = False
        self._accepting: set[asyncio.Task[object]] = set()

    @property
    def url(self) -> str:
        """Return where the site is."""
        return f"http://{HOST}:{self._port}"

    async def start(self) -> None:
        """Take the port and listen."""
        await self._runner.setup()
        try:
            self._socket = self._bind()
            self._port = self._socket.getsockname()[1]
            self.listen()
        except OSError as err:
            raise OSError(
                err.errno or errno.EADDRINUSE,
                f"Cannot listen on {HOST}:{self._port}: {err.strerror}",
            ) from err

    def listen(self) -> None:
        """Accept connections from now on."""
        if self._socket is None:
            raise RuntimeError("The sandbox is not running")
        if not self._listening:
            self._socket.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._socket, self._accept)
            self._listening = True

    def refuse(self) -> None:
        """Refuse connections from now on and close the open ones."""
        if self._socket is None:
            raise RuntimeError("The sandbox is not running")
        if self._listening:
            self._close()
            # Bound but not listening refuses connections and keeps the port ours.
            self._socket = self._bind()
        if (server := self._runner.server) is not None:
            for connection in server.connections:
                connection.force_close()

    async def stop(self) -> None:
        """Give up the port and end what is still being answered."""
        if self._socket is not None:
            self._close()
            self._socket = None
        if self._accepting:
            await asyncio.wait(self._accepting)
        await self._runner.cleanup()

    def _bind(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.settimeout(0)
            sock.bind((HOST, self._port))
        except BaseException:
            sock.close()
            raise
        return sock

    def _close(self) -> None:
        if self._socket is not None:
            if self._listening:
                asyncio.get_running_loop().remove_reader(self._socket)
                self._listening = False
            self._socket.close()

    def _accept(self) -> None:
        # Accepting by hand: asyncio's Server cannot stop and begin at once, within
        # a plain call, without letting go of its port.
        loop = asyncio.get_running_loop()
        server = self._runner.server
        if self._socket is None or server is None:
            return
        with suppress(BlockingIOError, ConnectionAbortedError):
            for _ in range(_BACKLOG):
                connection, _address = self._socket.accept()
                connection.settimeout(0)
                task: asyncio.Task[object] = loop.create_task(
                    loop.connect_accepted_socket(server, connection)
                )
                self._accepting.add(task)
                task.add_done_callback(self._accepting.discard)
