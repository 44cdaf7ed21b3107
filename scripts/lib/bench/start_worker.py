"""Starts a core on a configuration directory, and prints its own set-up timings."""

import asyncio
import json
from pathlib import Path
import sys
import time

from homeassistant.runner import create_event_loop
from homeassistant.setup import async_get_setup_timings

from .core import running_core


async def timings(directory: Path) -> dict[str, float]:
    """Return the seconds each integration took, as Home Assistant counts them."""
    start = time.perf_counter()
    async with running_core(directory) as hass:
        seconds = time.perf_counter() - start
        return {**async_get_setup_timings(hass), "the whole start": seconds}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=create_event_loop) as runner:
        print(json.dumps(runner.run(timings(Path(sys.argv[1])))))
