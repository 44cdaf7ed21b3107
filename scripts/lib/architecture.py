"""Draw which parts of the integration import which, in docs/architecture.md."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re

ROOT = Path(__file__).parent.parent.parent
INTEGRATION = ROOT / "custom_components" / "zoho_voice"
PAGE = ROOT / "docs" / "architecture.md"

#: The parts, from what people see to what Zoho sees, and what is written on them.
PARTS = {
    "root": (
        "The files of Home Assistant's platforms, services/, and flows/"
        "<br>what people and automations see"
    ),
    "calls": "calls/<br>what a call asks for, checked",
    "account": "account.py, accounts.py<br>one account: the only way an SMS leaves",
    "tracking": "tracking/<br>delivery, incoming SMS, questions, STOP",
    "sending": "sending/<br>requests, limits, kept SMS",
    "connection": "connection/<br>session, tokens, reachability",
    "zoho": "zoho/<br>Zoho's servers: knows nothing of Home Assistant",
}
#: Folders that are drawn together with the files of the platforms.
WITH_ROOT = {"services", "flows"}
#: Used everywhere, and left out.
EVERYWHERE = {"const", "errors", "recipient"}
_DRAWING = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)


def imports_of(file: Path, integration: Path) -> Iterator[str]:
    """Yield the parts that a module imports from, but for its types.

    A folder is a part, and so is a file beside it.
    """
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    package = file.relative_to(integration).parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) + 1 - node.level]
            for name in node.names:
                yield (*base, *(node.module or name.name).split("."))[0]


def arrows(integration: Path = INTEGRATION) -> set[tuple[str, str]]:
    """Return which part imports from which, without those that are everywhere.

    Raises ValueError if a folder has no place in the drawing yet.
    """
    found = set()
    for file in integration.rglob("*.py"):
        start = file.relative_to(integration).with_suffix("").parts[0]
        for end in imports_of(file, integration):
            if not {start, end} & EVERYWHERE:
                found.add((_drawn_as(start, integration), _drawn_as(end, integration)))
    return {(start, end) for start, end in found if start != end}


def _drawn_as(part: str, integration: Path) -> str:
    """Return how a folder, or a file beside it, is drawn."""
    if part in PARTS:
        return part
    if part == "accounts":
        return "account"
    if part not in WITH_ROOT and (integration / part).is_dir():
        raise ValueError(f"Say in {Path(__file__).name} how {part}/ is to be drawn")
    return "root"


def draw() -> str:
    """Return the drawing, in Mermaid's words."""
    order = list(PARTS)
    lines = [f'{part}["{label}"]' for part, label in PARTS.items()]
    lines.append("")
    lines += [
        f"{start} --> {end}"
        for start, end in sorted(
            arrows(), key=lambda arrow: (order.index(arrow[0]), order.index(arrow[1]))
        )
    ]
    return "graph TD\n" + "".join(f"    {line}".rstrip() + "\n" for line in lines)


def page_with(drawing: str) -> str:
    """Return the page with a drawing. Raises ValueError if it has no place for one."""
    page, count = _DRAWING.subn(lambda _: drawing, PAGE.read_text())
    if count != 1:
        raise ValueError(f"There are {count} drawings in {PAGE}")
    return page


if __name__ == "__main__":
    PAGE.write_text(page_with(draw()))
