"""The other side of core's `smtp`: a mail server that says hello and goodbye."""

import asyncio
from types import MappingProxyType
from typing import Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentryData

DOMAIN = "smtp"

_ANSWERS = {b"QUIT": b"221 bye\r\n", b"DATA": b"554 nothing is sent here\r\n"}


class MailServer:
    """As much of SMTP as a connection check needs."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections = 0

    async def __aenter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        writer.write(b"220 localhost\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            writer.write(_ANSWERS.get(verb, b"250 localhost\r\n"))
            if verb == b"QUIT":
                break
        writer.close()

    def entry(self, recipients: int) -> ConfigEntry:
        """Return a new entry that Home Assistant does not know yet."""
        return ConfigEntry(
            data={
                "server": "127.0.0.1",
                "port": self.port,
                "encryption": "none",
                "sender": "bench@example.com",
                "verify_ssl": False,
            },
            discovery_keys=MappingProxyType({}),
            domain=DOMAIN,
            minor_version=1,
            options={},
            source="user",
            subentries_data=[
                ConfigSubentryData(
                    data={},
                    subentry_type="recipient",
                    title=f"Person {index}",
                    unique_id=f"person{index}@example.com",
                )
                for index in range(recipients)
            ],
            title="Bench mail",
            unique_id=None,
            version=1,
        )
