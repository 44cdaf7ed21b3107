"""Results as the terminal and docs/performance.md show them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
import os
from pathlib import Path
import platform
import re

from scripts.lib.process import ROOT

from .figures import Result, Row

PATH = ROOT / "docs" / "performance.md"

_SHORT_HEAD = ("", "Zoho Voice", "alternative", "which is")
_HEAD = """\
# Performance

How fast the integration is, how much memory it needs, and how an alternative compares:

{in_short}

A real Home Assistant core sends through the sandbox, a separate process on the same
machine. Each figure is a median with its quartiles. Ratios are taken round by round,
with all contestants taking turns. Measured by `{command}` on {date}: {machine}.

## Targets

{targets}

A target is met (✓) or missed (✗) if both quartiles lie on the same side of the limit,
and undecided otherwise. The limits compare with something that does the same work:
`rest_command` makes the same request. "notify.send_message, bare POST" is an entity
that does nothing else. "smtp, registered alike" is Home Assistant's own `smtp` if each
of its recipients had a device, a subentry, and an action of its own, as here. "outbox
off, after a synced write" waits for the disk once before it sends, the least that keeps
an SMS safe.
"""


def describe_machine() -> str:
    """Return what the figures depend on."""
    cpu_info = Path("/proc/cpuinfo")
    found = cpu_info.exists() and re.search(
        r"model name\s*: (.*)", cpu_info.read_text()
    )
    packages = ("homeassistant", "aiohttp", "phonenumberslite", "aiosmtplib")
    return ", ".join(
        (
            found[1] if found else platform.processor(),
            f"{os.process_cpu_count()} cores",
            f"load {os.getloadavg()[0]:.1f}",
            f"Python {platform.python_version()}",
            *(f"{name} {version(name)}" for name in packages),
        )
    )


def write(results: Sequence[Result], machine: str, command: str) -> None:
    """Write the page."""
    in_short = chain.from_iterable(result.in_short for result in results)
    head = _HEAD.format(
        in_short="\n".join(_lines(_SHORT_HEAD, [*in_short])),
        command=command,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine,
        targets="\n".join(_target_lines(results)),
    )
    PATH.write_text("\n".join([head, *_tables(results)]))


def show(results: Sequence[Result]) -> str:
    """Return everything, the targets last."""
    return "\n".join([*_tables(results), "## Targets\n", *_target_lines(results)])


def _tables(results: Sequence[Result]) -> Iterator[str]:
    for table in chain.from_iterable(result.tables for result in results):
        yield f"## {table.title}\n"
        yield from _lines(table.head, table.rows)
        yield ""


def _target_lines(results: Sequence[Result]) -> Iterator[str]:
    targets = chain.from_iterable(result.targets for result in results)
    return _lines(
        ("", "target", "measured", "limit"),
        [(it.verdict, it.name, it.value, it.limit_text) for it in targets],
    )


def _lines(head: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    """Set a table in Markdown that can be read as it is, too."""
    cells = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        padded = (cell.ljust(it) for cell, it in zip(row, widths, strict=True))
        yield f"| {' | '.join(padded)} |"
