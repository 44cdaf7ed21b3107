"""A real browser, and the signs of trouble in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
from typing import Any

import axe_playwright_python  # type: ignore[import-not-found]

# Only in the environment of this script, and not where mypy runs.
from playwright.async_api import async_playwright  # type: ignore[import-not-found]

from .stage import Stage

type Page = Any
type Browser = Any

WIDTH, HEIGHT = 1056, 900
PHONE_WIDTH, PHONE_HEIGHT = 390, 844
SCALE = 1.5
LIMIT = 30_000  # milliseconds until something has to be there
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
]
_LOOK = Path(__file__).with_name("look.js")
_AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")

# What the frontend says on any Home Assistant without the internet.
_NOT_OURS = re.compile(
    r"brands\.home-assistant\.io|/api/brands/(?!integration/zoho_voice)"
    r"|ERR_INTERNET_DISCONNECTED|ERR_NAME_NOT_RESOLVED"
)


@asynccontextmanager
async def open_browser(executable: str) -> AsyncIterator[Browser]:
    """Start a Chromium that is installed."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=_ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()


async def sign_in(browser: Browser, stage: Stage, language: str = "en") -> Page:
    """Open a page in which the owner is signed in, in a language of the frontend."""
    context = await browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        device_scale_factor=SCALE,
        locale=language,
        timezone_id="America/New_York",
        color_scheme="light",
        reduced_motion="reduce",
        service_workers="block",
        accept_downloads=True,
    )
    context.set_default_timeout(LIMIT)
    tokens, origin = json.dumps(stage.hass.tokens), json.dumps(stage.hass.url)
    await context.add_init_script(
        f"if (location.origin === {origin}) {{"
        f" localStorage.setItem('hassTokens', {json.dumps(tokens)});"
        f" localStorage.setItem('selectedLanguage', '\"{language}\"'); }}"
    )
    for script in (_LOOK, _AXE):
        await context.add_init_script(path=script)
    return await context.new_page()


class Console:
    """What a page complains about."""

    def __init__(self, page: Page) -> None:
        """Listen to it."""
        self._found: list[str] = []
        page.on("console", self._message)
        page.on("pageerror", lambda error: self._found.append(f"{error}"))

    def _message(self, message: Any) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and not _NOT_OURS.search(f"{message.text} {where}"):
            self._found.append(f"{message.text} ({where})")

    def take(self) -> list[str]:
        """Return what came since the last time."""
        found, self._found = self._found, []
        return [f"console: {text}" for text in found]
