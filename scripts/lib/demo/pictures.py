"""Take the README's pictures in a real browser, which also shows that the UI works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
import shutil
from typing import Any

from PIL import Image

# Only in the environment of whoever asks for pictures, and not where mypy runs.
from playwright.async_api import (  # type: ignore[import-not-found]
    Error,
    async_playwright,
)

from scripts.lib.hass import HassError

from .set_up import DOMAIN, SENDER_ID, TEST_NUMBER
from .stage import Record, Stage

type Page = Any
type Locator = Any

# Beside the sidebar there are 800 pixels, which the scale makes 1200 of; high enough
# not to scroll.
SIDEBAR, WIDTH, HEIGHT, SCALE = 256, 1056, 1400, 1.5
MARGIN = 32
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
]
LIMIT = 60_000  # milliseconds until something has to be there
SETTLED = 1500  # milliseconds until animations and late icons are through
ACTION = {
    "action": "zoho_voice.send_sms",
    "data": {
        "entity_id": ["notify.night_shift"],
        "recipients": ["+14805550140"],
        "message": "There is water in the cellar!",
        "title": "Leak sensor",
    },
}


async def take_pictures(stage: Stage, directory: Path) -> None:
    """Set the account up once more, this time in the browser, and take pictures."""
    directory.mkdir(parents=True, exist_ok=True)
    path = f"/api/config/config_entries/entry/{stage.entry_id}"
    await stage.hass.rest("DELETE", path)
    try:
        async with _browser(stage) as page:
            visit = Visit(stage, page, directory)
            await visit.sign_in()
            await visit.choose_sender()
            await visit.add_recipients()
            await visit.perform_action()
            await visit.look_at_phone()
    except Error as error:
        raise HassError(f"the browser did not get through: {error}") from error


@asynccontextmanager
async def _browser(stage: Stage) -> AsyncIterator[Page]:
    """Open a browser that is signed in."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        context = await browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            device_scale_factor=SCALE,
            locale="en-US",
            timezone_id="America/New_York",
            reduced_motion="reduce",
            service_workers="block",
        )
        context.set_default_timeout(LIMIT)
        tokens, origin = json.dumps(stage.hass.tokens), json.dumps(stage.hass.url)
        await context.add_init_script(
            f"if (location.origin === {origin}) {{"
            f" localStorage.setItem('hassTokens', {json.dumps(tokens)});"
            " localStorage.setItem('selectedLanguage', '\"en\"'); }"
        )
        try:
            yield await context.new_page()
        finally:
            await browser.close()


class Visit:
    """A person who sets the integration up, looks around and takes pictures."""

    def __init__(self, stage: Stage, page: Page, directory: Path) -> None:
        """Start on any page."""
        self._stage = stage
        self._page = page
        self._directory = directory
        self._form = page.locator("step-flow-form")

    async def sign_in(self) -> None:
        """Add the integration, as far as the sign-in at the consent page."""
        await self._open("/config/integrations/dashboard")
        await self._press("Add integration")
        dialog = self._page.locator("dialog-add-integration")
        await dialog.get_by_placeholder("Search for a brand name").fill("Zoho Voice")
        await dialog.get_by_role("listitem").filter(has_text="Zoho Voice").click()
        await self._form.locator("ha-select").click()
        other = re.compile(r"^\s*Other\s*$")
        await self._page.locator("ha-dropdown-item").filter(has_text=other).click()
        await self._press("Submit")
        sandbox = self._stage.sandbox
        await self._fill("Accounts server", sandbox.accounts_url)
        await self._fill("Zoho Voice server", sandbox.voice_url)
        async with self._page.context.expect_page() as opened:
            await self._press("Submit")
        consent = await opened.value
        await consent.get_by_role("button", name="Accept").click()

    async def choose_sender(self) -> None:
        """Enter the sender ID, with a test SMS."""
        await self._fill("Sender ID", SENDER_ID)
        await self._fill("Send a test SMS to", TEST_NUMBER)
        await self._take_dialog("sender")
        await self._press("Submit")

    async def add_recipients(self) -> None:
        """Fill in the form that opens by itself, then another one."""
        await self._fill_in_recipient("Alice", ["(480) 555-0111"])
        await self._press("Submit")
        await self._press("Finish")
        await self._open(f"/config/integrations/integration/{DOMAIN}")
        await self._press("Add recipient")
        numbers = ["+1 480 555 0112", "+1 480 555 0113"]
        await self._fill_in_recipient("Night shift", numbers)
        await self._take_dialog("recipient")
        await self._press("Submit")
        await self._press("Finish")
        await self._open(f"/config/integrations/integration/{DOMAIN}")
        await self._page.get_by_text("1 entity").nth(1).wait_for()
        await self._take_content("integration", "ha-config-integration-page .container")

    async def perform_action(self) -> None:
        """Fill in the action in the tools and perform it."""
        await self._open("/config/tools/action")
        # The page remembers here what was entered last.
        await self._page.evaluate(
            "data => localStorage.setItem('panel-dev-action-state-service-data', data)",
            json.dumps(ACTION),
        )
        await self._page.reload()
        await self._press("Perform action")
        await self._page.get_by_text("log_id").first.wait_for()
        await self._take_content("action", "tools-action ha-card")

    async def look_at_phone(self) -> None:
        """Look at what was sent, and answer it."""
        await self._page.goto(self._stage.sandbox.accounts_url)
        await self._page.set_viewport_size({"width": 560, "height": 760})
        phone = self._page.get_by_role("region").filter(has_text="Leak sensor").first
        await phone.get_by_role("textbox").fill("On my way")
        await phone.get_by_role("button", name="Send").click()
        await phone.get_by_text("On my way").wait_for()
        await phone.get_by_text("delivered").last.wait_for()
        await self._page.evaluate("scrollTo(0, 0)")
        await self._save("phone", None)

    async def _fill_in_recipient(self, name: str, numbers: list[str]) -> None:
        await self._fill("Name", name)
        for index, number in enumerate(numbers):
            await self._form.get_by_role("button", name="Add").click()
            await self._form.locator("input[type=tel]").nth(index).fill(number)

    async def _open(self, path: str) -> None:
        await self._page.goto(f"{self._stage.hass.url}{path}")

    async def _press(self, name: str) -> None:
        await self._page.get_by_role("button", name=name).click()

    async def _fill(self, label: str, value: str) -> None:
        await self._form.get_by_role("textbox", name=label).fill(value)

    async def _take_dialog(self, name: str) -> None:
        """Take a picture of the dialog."""
        await self._page.wait_for_timeout(SETTLED)
        dialog = self._page.locator("dialog-data-entry-flow wa-dialog dialog")
        box = await dialog.bounding_box()
        clip = {
            "x": box["x"] - MARGIN,
            "y": box["y"] - MARGIN,
            "width": box["width"] + 2 * MARGIN,
            "height": box["height"] + 2 * MARGIN,
        }
        await self._save(name, clip)

    async def _take_content(self, name: str, selector: str) -> None:
        """Take a picture of what is beside the sidebar, from top to bottom."""
        await self._page.wait_for_timeout(SETTLED)
        box = await self._page.locator(selector).first.bounding_box()
        height = min(box["y"] + box["height"] + MARGIN / 2, HEIGHT)
        clip = {"x": SIDEBAR, "y": 0, "width": WIDTH - SIDEBAR, "height": height}
        await self._save(name, clip)

    async def _save(self, name: str, clip: Record | None) -> None:
        """Save a picture with a palette, which makes it a third as large."""
        path = self._directory / f"{name}.png"
        await self._page.mouse.move(1, HEIGHT / 2)
        await self._page.wait_for_timeout(SETTLED)
        await self._page.screenshot(path=path, clip=clip)
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
