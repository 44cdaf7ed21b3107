"""What a measurement hands over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .rounds import Spread


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under a head; the first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that shall not be above its limit, or not below it."""

    name: str
    value: Spread
    limit: float
    at_least: bool = False
    unit: str = "times"

    @property
    def met(self) -> bool:
        """Return if the median keeps the limit."""
        if self.at_least:
            return self.value.median >= self.limit
        return self.value.median <= self.limit

    @property
    def limit_text(self) -> str:
        """Return the limit as a table shows it."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:,.4g} {self.unit}"


@dataclass(slots=True)
class Result:
    """The tables of a measurement, its targets, and all raw figures for the JSON."""

    key: str
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
