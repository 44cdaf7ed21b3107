"""Figures, and what is said of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median, quantiles
from typing import NamedTuple, Self

#: How many values have quartiles.
MIN_ROUNDS = 3


class Sample(NamedTuple):
    """What one turn took (seconds), on the clock and of the processor.

    Where the event loop was watched, its longest single step, too.
    """

    wall: float
    cpu: float
    step: float | None = None
    step_cpu: float | None = None


#: What tables call the times of a sample.
TIMES = {
    "wall": "wall",
    "cpu": "CPU",
    "step": "longest step",
    "step_cpu": "longest step, CPU",
}

type Group = Mapping[str, Sequence[Sample]]


def times(samples: Sequence[Sample], what: str = "wall") -> list[float]:
    """Return one of the times of all samples (seconds)."""
    return [getattr(sample, what) for sample in samples]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the quartiles around it."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float], factor: float = 1) -> Self:
        """Describe values, each times a factor."""
        low, _, high = (
            quantiles(values, n=4, method="inclusive")
            if len(values) > 1
            else [*values] * 3
        )
        middle = median(values)
        return cls(middle * factor, low * factor, high * factor, len(values))

    def __str__(self) -> str:
        """Return it as a table shows it, with about three digits."""
        values = (self.median, self.low, self.high)
        digits = sum(self.median < limit for limit in (100, 10, 0.1))
        if all(value == int(value) for value in values):
            digits = 0
        shown, low, high = (f"{value:,.{digits}f}" for value in values)
        return shown if low == high else f"{shown} ({low}-{high})"


def ms(samples: Sequence[Sample], what: str = "wall") -> Spread:
    """Describe one of the times in milliseconds."""
    return Spread.of(times(samples, what), 1000)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Compare round by round: noise that lasts hits both sides."""
    return Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])


class Verdict(StrEnum):
    """Whether a target is met.

    That is not decided if the quartiles lie on both sides, or there are none.
    """

    MET = "✓"
    MISSED = "✗"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that shall not be above its limit, or not below it."""

    name: str
    value: Spread
    limit: float
    unit: str = "times"
    at_least: bool = False

    @property
    def verdict(self) -> Verdict:
        """Compare with the limit."""
        kept = {
            value >= self.limit if self.at_least else value <= self.limit
            for value in (self.value.low, self.value.high)
        }
        if len(kept) > 1 or self.value.count < MIN_ROUNDS:
            return Verdict.UNDECIDED
        return Verdict.MET if kept.pop() else Verdict.MISSED

    @property
    def limit_text(self) -> str:
        """Return the limit as a table shows it."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:,.4g} {self.unit}"


type Row = Sequence[str | Spread]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head."""

    title: str
    head: Sequence[str]
    rows: Sequence[Row]


@dataclass(slots=True)
class Result:
    """What a measurement hands over.

    `in_short` are rows for the table that comes first: what is done, what it takes with
    the integration, what it takes with something else, and with what.
    """

    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    in_short: list[Row] = field(default_factory=list)


def in_short(title: str, ours: Sequence[Sample], theirs: Group, name: str) -> Row:
    """Return the row that tells everybody what ours takes, and what another."""
    return f"{title}, ms", ms(ours), ms(theirs[name]), name


def compare(
    title: str, labels: Sequence[str], groups: Mapping[str, Group], *ours: str
) -> Table:
    """Show what each contestant of a group took, and how many times that ours took.

    One label names the contestants; two, the groups and the contestants.
    """
    group = next(iter(groups.values()))
    sample = next(iter(group.values()))[0]
    measured = {what: name for what, name in TIMES.items() if getattr(sample, what)}
    return Table(
        title,
        [
            *labels,
            *(f"{name}, ms" for name in measured.values()),
            *(f"{own} ÷ this, {name}" for own in ours for name in measured.values()),
        ],
        [
            [
                *(label, name)[-len(labels) :],
                *(ms(samples, what) for what in measured),
                *(
                    ""
                    if name == own
                    else ratio(times(group[own], what), times(samples, what))
                    for own in ours
                    for what in measured
                ),
            ]
            for label, group in groups.items()
            for name, samples in group.items()
        ],
    )


def ratio_targets(
    title: str,
    group: Group,
    ours: str,
    theirs: str,
    *,
    limit: float,
    whats: Sequence[str] = ("wall", "cpu"),
) -> Iterator[Target]:
    """Return the targets for how many times of theirs ours takes."""
    for what in whats:
        value = ratio(times(group[ours], what), times(group[theirs], what))
        yield Target(f"{title}: {ours} ÷ {theirs}, {TIMES[what]}", value, limit)
