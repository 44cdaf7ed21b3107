"""Starts a core on a configuration directory, and prints its own set-up timings."""

import argparse
import asyncio
import json
from pathlib import Path
import time

from homeassistant.runner import create_event_loop
from homeassistant.setup import async_get_setup_timings

from .core import running_core


async def timings(directory: Path) -> dict[str, float]:
    """Return the seconds each integration took, as Home Assistant counts them."""
    start = time.perf_counter()
    async with running_core(directory) as hass:
        seconds = time.perf_counter() - start
        return {**async_get_setup_timings(hass), "all": seconds}


def main() -> None:
    """Start, print, stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    with asyncio.Runner(loop_factory=create_event_loop) as runner:
        print(json.dumps(runner.run(timings(parser.parse_args().directory))))


if __name__ == "__main__":
    main()
