"""What all measurements share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import gc
import json
import subprocess
import sys
import time
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from scripts.lib.process import ROOT

from . import BEGIN
from .clock import Turn, timed
from .core import WrongResultError, add_entry, remove_entry
from .figures import MIN_ROUNDS, Sample
from .zoho import DOMAIN, Zoho

#: What tables say of how fast the sandbox answers; how long it takes (seconds).
FAST, SLOW = "Zoho answers in 0 ms", "Zoho answers in 50 ms"
SLOW_SECONDS = 0.05
#: When a quick run begins to hurry (seconds).
_QUICK_SECONDS = 20
#: The longest that a worker may take (seconds).
_WORKER_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Bench:
    """A running core, the servers beside it, and how much to measure."""

    hass: HomeAssistant
    zoho: Zoho
    mail_port: int
    quick: bool

    def rounds(self, full: int, quick: int = MIN_ROUNDS) -> Iterator[int]:
        """Count rounds; a quick run that is late makes one, and decides nothing."""
        for number in range(quick if self.quick else full):
            if number and self.quick and time.monotonic() > BEGIN + _QUICK_SECONDS:
                return
            gc.collect()
            yield number

    async def situations(self) -> AsyncIterator[str]:
        """Let the sandbox answer fast, and then, in a full run, slowly."""
        yield FAST
        if not self.quick:
            await self.zoho.answer_in(SLOW_SECONDS)
            yield SLOW
            await self.zoho.answer_in(0)

    async def settle(self) -> None:
        """Let the accounts do now what may wait a second: it is part of the work."""
        for entry in self.hass.config_entries.async_loaded_entries(DOMAIN):
            account = entry.runtime_data
            await account.async_wait()
            await account.journal.async_flush()

    async def take_in(self, turn: Turn) -> Sample:
        """Measure a turn: its time until it returns, the processor's to the end."""
        cpu, (wall, *_) = time.process_time(), await timed(turn)
        await self.settle()
        return Sample(wall, time.process_time() - cpu)

    @asynccontextmanager
    async def account(
        self, recipients: int = 10, **options: object
    ) -> AsyncIterator[ConfigEntry]:
        """Have an account, set up, with options of its own."""
        entry = await self.zoho.entry(recipients, **options)
        await add_entry(self.hass, entry)
        yield entry
        await remove_entry(self.hass, entry)


async def run_worker(name: str, *arguments: str) -> Any:
    """Return what a module of its own process prints in its last line, as JSON."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", f"{__package__}.{name}", *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=_WORKER_SECONDS,
    )
    if done.returncode:
        raise WrongResultError(f"{name} failed:\n{done.stderr.decode()[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])
