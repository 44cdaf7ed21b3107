"""The other side of core's `smtp`: a mail server that says hello and goodbye."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homeassistant.config_entries import ConfigEntry

from .core import new_entry

SMTP = "smtp"


@asynccontextmanager
async def mail_server() -> AsyncIterator[int]:
    """Run as much of SMTP as a connection check needs; its port is of 127.0.0.1."""
    async with await asyncio.start_server(_greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say hello, yes to all, and goodbye."""
    writer.write(b"220 localhost\r\n")
    while line := await reader.readline():
        if line.upper().startswith(b"QUIT"):
            writer.write(b"221 bye\r\n")
            break
        writer.write(b"250 localhost\r\n")
    writer.close()


def mail_entry(port: int, recipients: int) -> ConfigEntry:
    """Return a new entry that Home Assistant does not know yet."""
    return new_entry(
        SMTP,
        {
            "server": "127.0.0.1",
            "port": port,
            "encryption": "none",
            "sender": "bench@example.com",
            "verify_ssl": False,
        },
        [({}, f"person{index}@example.com") for index in range(recipients)],
    )
