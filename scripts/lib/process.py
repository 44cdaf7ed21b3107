"""Child processes that end together with the one that started them."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
import os
from pathlib import Path
import re
import signal
import socket
import time
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130


class ProcessError(RuntimeError):
    """A process ended, or did not do what it should."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Tell whether somebody could listen on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def run(main: Coroutine[object, object, None]) -> int:
    """Run to the end (0), or until Ctrl-C, TERM or a closed terminal (130)."""

    async def cancel_on_signal() -> None:
        task = asyncio.current_task()
        if task is not None:
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        await main

    try:
        asyncio.run(cancel_on_signal())
    except KeyboardInterrupt, asyncio.CancelledError:
        return INTERRUPTED
    return 0


class Process:
    """A command in a process group of its own, its output in a log file."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log_path: Path,
        *,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Note what to run; `env` is added to this process's own environment."""
        self.arguments = [str(part) for part in command]
        self.log_path = log_path
        self.cwd = cwd
        self.env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._log_mode = "wb"

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self.stop()

    @property
    def pid(self) -> int | None:
        """Return its process id, which is its group's id, too."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> str:
        """Return what it printed so far."""
        return self.log_path.read_text(errors="replace")

    async def start(self) -> None:
        """Start it, with a log file of its own, which goes on if it starts again."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open(self._log_mode) as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.arguments,
                cwd=self.cwd,
                env=self.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        self._log_mode = "ab"

    async def stop(self, grace: float = 30) -> None:
        """Ask it to end, then make it end, with all that it started."""
        if (process := self._process) is None:
            return
        self._process = None
        self._signal_group(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        finally:
            self._signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    async def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        if (process := self._process) is None:
            return
        self._process = None
        self._signal_group(process.pid, signal.SIGKILL)
        await process.wait()

    async def wait(self) -> int:
        """Wait until it ends by itself; return its exit code."""
        if self._process is None:
            message = f"{self.arguments[0]} was not started"
            raise ProcessError(message)
        return await self._process.wait()

    async def wait_for_log(self, pattern: str, limit: float = 60) -> re.Match[str]:
        """Wait until it has printed something that matches."""
        end = time.monotonic() + limit
        while not (match := re.search(pattern, self.log)):
            self.check()
            if time.monotonic() > end:
                message = f"no {pattern!r} within {limit} s in {self.log_path}"
                raise ProcessError(message)
            await asyncio.sleep(0.05)
        return match

    def check(self) -> None:
        """Raise, with the end of its log, when it is not running any more."""
        if self._process is None or self._process.returncode is not None:
            code = None if self._process is None else self._process.returncode
            tail = "\n".join(self.log.splitlines()[-30:])
            message = (
                f"{self.arguments[0]} ended ({code}); {self.log_path} closes with:"
            )
            raise ProcessError(f"{message}\n{tail}")

    @staticmethod
    def _signal_group(group: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(group, number)
