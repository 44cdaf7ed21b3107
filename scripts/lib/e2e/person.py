"""A person at the browser: clicks, types, looks closely."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
import re
import time
from typing import Any

from playwright.async_api import (  # type: ignore[import-not-found]
    TimeoutError as LateError,
    expect,
)

from scripts.lib.demo.stage import Received

from .browser import (
    HEIGHT,
    LIMIT,
    PHONE_HEIGHT,
    PHONE_WIDTH,
    WIDTH,
    Browser,
    Console,
    Page,
    sign_in,
)
from .pictures import Pictures
from .stage import Stage

type Locator = Any
type Name = str | re.Pattern[str]

_PULSE = 0.1  # seconds between two looks at whether a screen is at rest
_LATE = 3.0  # seconds in which what is missing on a screen may still come
_NO_DIALOG = "!history.state?.dialog && !history.state?.open"
_DEFINED = "typeof look === 'object'"


@dataclass
class Effort:
    """What it takes a person to get somewhere."""

    clicks: int = 0
    entries: int = 0
    words: int = 0
    screens: list[str] = field(default_factory=list)


class Person:
    """Uses the frontend, and notes whatever is wrong with a screen in `problems`."""

    def __init__(
        self, stage: Stage, page: Page, shots: Path, pictures: Pictures
    ) -> None:
        """Sit down in front of a page; screenshots go into a folder."""
        self.stage = stage
        self.page = page
        self.pictures = pictures
        self.effort = Effort()
        self.problems: list[str] = []
        self.on_phone = False
        self.before = Received([], [], [])
        """What Zoho's side had received when the step began."""
        self.frontend: set[str] = set()
        """What axe says of the frontend's own components."""
        self._console = Console(page)
        self.shots = shots
        self._number = 0
        self._height = HEIGHT

    @classmethod
    @asynccontextmanager
    async def at(
        cls,
        browser: Browser,
        stage: Stage,
        shots: Path,
        pictures: Pictures,
        language: str = "en",
    ) -> AsyncIterator[Person]:
        """Let a person who reads a language use the browser for a while."""
        page = await sign_in(browser, stage, language)
        try:
            yield cls(stage, page, shots, pictures)
        finally:
            await page.context.close()

    # What a person does

    async def open(self, path: str) -> None:
        """Go to a page of Home Assistant."""
        # A dialog that was just closed goes back in the browser's history.
        with suppress(LateError):
            await self.page.wait_for_function(_NO_DIALOG, timeout=LIMIT / 10)
        await self.page.goto(f"{self.stage.hass.url}{path}")
        await self.page.locator("home-assistant-main").wait_for(state="attached")

    async def click(self, target: Locator) -> None:
        """Click on what is there, once it is at rest."""
        await target.click()
        self.effort.clicks += 1

    async def press(self, name: Name, *, within: Locator | None = None) -> None:
        """Press a button that is called exactly so."""
        exact = {"exact": True} if isinstance(name, str) else {}
        button = (within or self.page).get_by_role("button", name=name, **exact)
        await self.click(button.first)

    async def type(self, target: Locator, value: str) -> None:
        """Enter a text."""
        await target.fill(value)
        self.effort.entries += 1

    async def fill(self, label: str, value: str) -> None:
        """Enter a text into the field with a label."""
        await self.type(self.field(label), value)

    async def choose(self, label: str, option: str) -> None:
        """Choose one option of a list that drops down."""
        picker = self.page.locator("ha-picker-field").filter(has_text=label)
        await self.click(picker.first)
        await self.choose_option(option)

    async def choose_option(self, option: str) -> None:
        """Choose one option of the list that has dropped down."""
        choice = re.compile(rf"^\s*{re.escape(option)}\s*$")
        items = self.page.locator("ha-dropdown-item").filter(has_text=choice)
        await self.click(items.locator("visible=true").first)

    async def pick(self, text: str, *, search: str | None = None) -> None:
        """Search in the picker that has opened, and choose what is found."""
        fields = self.page.get_by_placeholder("Search").locator("visible=true")
        await self.type(fields.last, search or text)
        items = self.page.locator("ha-picker-combo-box ha-combo-box-item")
        found = items.filter(has_text=text).locator("visible=true")
        await self.click(found.first)

    async def close_dialog(self) -> None:
        """Close the dialog on top by the button that ends it."""
        name = re.compile("^(Finish|Close)$")
        footer = self.page.locator("ha-dialog-footer")
        await self.press(name, within=footer)

    def field(self, label: str) -> Locator:
        """Return the text field with a label."""
        name = re.compile(rf"^{re.escape(label)}\*?$")
        return self.page.get_by_role("textbox", name=name).first

    # What a person sees

    async def see(self, text: Name, *, within: Locator | None = None) -> None:
        """Wait until a text is there to be read."""
        found = (within or self.page).get_by_text(text).first
        await expect(found).to_be_visible(timeout=LIMIT)

    def check(self, text: str, *, held: bool, otherwise: object = None) -> None:
        """Note what is not as it should be."""
        if not held:
            self.problems.append(f"not so: {text}; {otherwise}")

    def expect(self, text: str, actual: object, wanted: object) -> None:
        """Note if two things are not the same."""
        self.check(text, held=actual == wanted, otherwise=f"{actual!r}, not {wanted!r}")

    async def received(self) -> Received:
        """Return what Zoho's side received in this step."""
        return (await self.stage.received()).since(self.before)

    async def look(
        self, name: str, *, phone: bool = True, allow: Collection[str] = ()
    ) -> None:
        """Look closely at a screen, on a computer and on a phone, and photograph it.

        `allow` lists parts of what may be found here because the frontend does it on
        every screen like this one.
        """
        await self.settle()
        self.effort.words += await self.page.evaluate("look.words()")
        self.effort.screens.append(name)
        found = await self._find("look.check()", allow)
        await self._photograph(name)
        found += await self._accessibility()
        if self.on_phone:
            found += await self._find_cut_off(allow)
        elif phone:
            await self.take(phone=True)
            await self.settle()
            found += await self._find_cut_off(allow)
            await self._photograph(f"{name}-phone")
            await self.take(phone=False)
            await self.settle()
        found += self._console.take()
        self.problems += [f"{name}: {problem}" for problem in _without(found, allow)]

    async def take(self, *, phone: bool) -> None:
        """Go on with a phone, or with a computer."""
        width, height = (PHONE_WIDTH, PHONE_HEIGHT) if phone else (WIDTH, self._height)
        await self.page.set_viewport_size({"width": width, "height": height})
        self.on_phone = phone

    async def resize(self, height: int = HEIGHT) -> None:
        """Make the window as high as what is to be seen."""
        self._height = height
        await self.take(phone=self.on_phone)

    async def _find_cut_off(self, allow: Collection[str]) -> list[str]:
        """Return what cannot be read on a phone."""
        found = await self._find("look.cutOff()", allow)
        return [f"{problem} (at {PHONE_WIDTH} pixels)" for problem in found]

    async def _find(self, check: str, allow: Collection[str]) -> list[str]:
        """Return what is wrong, once what comes late has had the time to come."""
        end = time.monotonic() + _LATE
        while found := _without(await self.page.evaluate(check), allow):
            if time.monotonic() > end:
                break
            await asyncio.sleep(_PULSE)
        return found

    async def settle(self, limit: float = LIMIT / 1000) -> None:
        """Wait until nothing moves or loads any more."""
        end = time.monotonic() + limit
        last = None
        while time.monotonic() < end:
            await asyncio.sleep(_PULSE)
            if not await self.page.evaluate(_DEFINED):
                continue
            state = await self.page.evaluate("look.state()")
            if state and state == last:
                return
            last = state
        self.problems.append(f"the screen did not come to rest within {limit:.0f} s")

    async def show_failure(self) -> list[str]:
        """Photograph what is there when a step fails; return the texts on it."""
        await self._photograph("failed")
        if not await self.page.evaluate(_DEFINED):
            return []
        return list(await self.page.evaluate("look.text()"))

    async def _photograph(self, name: str) -> None:
        self._number += 1
        path = self.shots / f"{self._number:03}-{name}.png"
        await self.page.screenshot(path=path, scale="css", animations="disabled")

    async def _accessibility(self) -> list[str]:
        """Run axe over the dialog on top, or the panel; return what is ours."""
        ours: list[str] = []
        for violation in await self.page.evaluate("look.accessibility()"):
            text = "{rule} in {component}: {help}".format_map(violation)
            if violation["owner"] == "ours":
                ours.append(f"axe: {text}: {violation['html']}")
            else:
                self.frontend.add(text)
        return ours


def _without(problems: Iterable[str], allow: Collection[str]) -> list[str]:
    """Return the problems that are not allowed."""
    return [
        problem for problem in problems if not any(part in problem for part in allow)
    ]
