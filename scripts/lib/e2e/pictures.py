"""The pictures of the documentation, light and dark."""

from pathlib import Path
from typing import Any

from PIL import Image

from scripts.lib.process import ROOT

DIRECTORY = ROOT / "docs" / "images"
MARGIN = 24
SIDEBAR = 256
_COLORS = 128
_SCHEMES = {"light": "", "dark": "-dark"}


class Pictures:
    """Takes the pictures that are asked for, or none."""

    def __init__(self, *, wanted: bool, directory: Path = DIRECTORY) -> None:
        """Say where they go."""
        self.wanted = wanted
        self._directory = directory

    async def take(self, person: Any, name: str, clip: dict[str, float]) -> None:
        """Take a part of the page as `name.png` and `name-dark.png`."""
        if not self.wanted:
            return
        page = person.page
        self._directory.mkdir(parents=True, exist_ok=True)
        # Nothing is highlighted as the pointer is nowhere.
        await page.mouse.move(0, 0)
        for scheme, suffix in _SCHEMES.items():
            await page.emulate_media(color_scheme=scheme)
            await person.settle()
            path = self._directory / f"{name}{suffix}.png"
            await page.screenshot(path=path, clip=clip, animations="disabled")
            _shrink(path)
        await page.emulate_media(color_scheme="light")

    async def take_dialog(self, person: Any, name: str) -> None:
        """Take the dialog on top."""
        if not self.wanted:
            return
        await person.settle()
        box = await person.page.evaluate("look.box()")
        await self.take(
            person,
            name,
            {
                "x": max(box["x"] - MARGIN, 0),
                "y": max(box["y"] - MARGIN, 0),
                "width": box["width"] + 2 * MARGIN,
                "height": box["height"] + 2 * MARGIN,
            },
        )

    async def take_panel(self, person: Any, name: str, selector: str) -> None:
        """Take what is beside the sidebar, down to the end of an element."""
        if not self.wanted:
            return
        await person.settle()
        box = await person.page.locator(selector).first.bounding_box()
        size = person.page.viewport_size
        height = min(box["y"] + box["height"] + MARGIN, size["height"])
        width = size["width"] - SIDEBAR
        clip = {"x": SIDEBAR, "y": 0, "width": width, "height": height}
        await self.take(person, name, clip)


def _shrink(path: Path) -> None:
    """Save a picture with a palette, which makes it a third as large."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
