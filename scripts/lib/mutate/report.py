"""What became of the mutants: a table, JSON, and a section of docs/quality.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
import re
import tomllib

from .trial import Result

_TITLE = "## Mutation testing"
_SECTION = """\
{title}

A mutant is the code with one small change: another comparison, a number that is one
more or less, a condition turned around, a statement left out. Each should make a test
fail. Each is tried with up to {nearest} of the tests that touch it; what survives them
is explained in `scripts/lib/mutate/explained.toml`. Texts and log messages stay as they
are.

{table}

By `{command}` on {date}, with {tests:,} tests.
"""


@dataclass(slots=True)
class Module:
    """Hold what became of a module's mutants; not all of them may have been tried."""

    name: str
    mutants: int
    explained: frozenset[str]
    results: list[Result] = field(default_factory=list)

    @property
    def alive(self) -> list[str]:
        """Return the mutants that no test noticed."""
        return [mutant.name for mutant, by in self.results if by is None]

    @property
    def unexplained(self) -> list[str]:
        """Return those of them that nobody explained."""
        return [name for name in self.alive if name not in self.explained]

    @property
    def out_of_date(self) -> list[str]:
        """Return what is explained without need, once all were tried."""
        if len(self.results) < self.mutants:
            return []
        return sorted(self.explained - {*self.alive})

    @property
    def row(self) -> tuple[str, ...]:
        """Return it as a row of the table."""
        tried, alive = len(self.results), len(self.alive)
        wrong = len(self.unexplained)
        numbers = (self.mutants, tried, tried - alive, alive - wrong, wrong)
        return f"`{self.name}`", *(f"{number:,}" for number in numbers)


def read_explained(path: Path) -> dict[str, frozenset[str]]:
    """Return the mutants of each module whose survival is explained.

    Raises ValueError if one has no reason.
    """
    explained: dict[str, frozenset[str]] = {}
    entries = tomllib.loads(path.read_text())["explained"] if path.exists() else []
    for entry in entries:
        if not entry["reason"].strip():
            raise ValueError(f"no reason: {entry['mutants'][0]}")
        before = explained.get(entry["path"], frozenset())
        explained[entry["path"]] = before | {*entry["mutants"]}
    return explained


def table(modules: Sequence[Module]) -> str:
    """Return the figures as a table in Markdown."""
    total = [sum(_numbers(module.row)[i] for module in modules) for i in range(5)]
    rows = [
        ("module", "mutants", "tried", "killed", "explained", "unexplained"),
        *(module.row for module in modules if module.mutants),
        ("all", *(f"{number:,}" for number in total)),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = [
        "-" * width if not index else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    lines = []
    for row in (rows[0], rule, *rows[1:]):
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(it.rjust(width) for it, width in others)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _numbers(row: Sequence[str]) -> list[int]:
    return [int(cell.replace(",", "")) for cell in row[1:]]


def write_section(
    page: Path, modules: Sequence[Module], command: str, tests: int, nearest: int
) -> None:
    """Put the figures into a page, in place of the last ones."""
    text = page.read_text() if page.exists() else "# Quality\n"
    section = _SECTION.format(
        title=_TITLE,
        nearest=nearest,
        table=table(modules),
        command=command,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        tests=tests,
    )
    before, found, after = text.partition(f"{_TITLE}\n")
    following = re.search(r"^## ", after, re.MULTILINE) if found else None
    rest = f"\n{after[following.start() :]}" if following else ""
    page.write_text(f"{before.rstrip()}\n\n{section}{rest}")


def as_json(modules: Sequence[Module]) -> list[dict[str, object]]:
    """Return all of it."""
    return [
        {
            "module": module.name,
            "mutants": module.mutants,
            "unexplained": module.unexplained,
            "out_of_date": module.out_of_date,
            "tried": {mutant.name: by for mutant, by in module.results},
        }
        for module in modules
    ]
