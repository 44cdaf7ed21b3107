"""The project's Zoho on localhost, as a process."""

from collections.abc import Sequence
from pathlib import Path
import sys

from .process import Process, free_port

CLIENT_ID = "1000.SANDBOXCLIENT"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  known to everybody, good for nothing


class Sandbox(Process):
    """`python -m sandbox`, known by its two addresses once started."""

    accounts_url: str
    voice_url: str

    def __init__(
        self,
        log_path: Path,
        redirect_uris: Sequence[str],
        *,
        accounts_port: int | None = None,
        voice_port: int | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        """Choose the ports; `arguments` are added to the command."""
        command = [sys.executable, "-m", "sandbox"]
        command += ["--accounts-port", str(accounts_port or free_port())]
        command += ["--voice-port", str(voice_port or free_port())]
        for uri in redirect_uris:
            command += ["--redirect-uri", uri]
        super().__init__([*command, *arguments], log_path)

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        await super().start()
        try:
            ready = await self.wait_for_log(r"sandbox ready accounts=(\S+) voice=(\S+)")
        except BaseException:
            await self.stop()
            raise
        self.accounts_url, self.voice_url = ready.groups()
