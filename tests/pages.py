"""The pages of the documentation, and where their links lead."""

import os
from pathlib import Path
import re

ROOT = Path(__file__).parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
}
_LINKS = r"\]\(([^)]+)\)", r'src="([^"]+)"', r"(?m)^\[\w+\]: (.+)$"


def anchors_of(page: str) -> set[str]:
    """Return what links to a page can lead to."""
    text = re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def links_in(text: str) -> list[str]:
    """Return where the links and images of a page, or of a part of it, lead."""
    return [link for pattern in _LINKS for link in re.findall(pattern, text)]


def leads_somewhere(link: str, page: str) -> bool:
    """Return if a link on a page leads to a file, and to a heading if it names one.

    Links to other sites are taken on trust.
    """
    if link.startswith("https://"):
        return True
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    if not anchor:
        return target.is_file()
    named = Path(os.path.relpath(target, ROOT)).as_posix()
    return named in PAGES and anchor in anchors_of(named)
