"""Where it takes place: a fresh Home Assistant that is onboarded, and the sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from scripts.lib.demo.stage import Stage
from scripts.lib.demo.step import progress
from scripts.lib.hass import Hass
from scripts.lib.sandbox import Sandbox

__all__ = ["Stage", "open_stage"]


@asynccontextmanager
async def open_stage(directory: Path) -> AsyncIterator[Stage]:
    """Start both; stop them in the end."""
    hass = Hass(directory / "config")
    sandbox = Sandbox(
        directory / "sandbox.log",
        [hass.redirect_uri],
        arguments=["--auto-deliver-seconds", "0.5"],
    )
    async with sandbox:
        with progress(f"Starting Home Assistant {version('homeassistant')}"):
            await hass.start()
        try:
            await hass.onboard()
            yield Stage(hass, sandbox)
        finally:
            with progress("\nStopping Home Assistant"):
                await hass.stop()
