"""Steps, performed in turn, and the table of how they went."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
import time

import aiohttp
from playwright.async_api import Error  # type: ignore[import-not-found]

from scripts.lib.demo.step import bold, green, red, say
from scripts.lib.hass import HassError
from scripts.lib.process import ProcessError

from .person import Person

_LINES = 6  # of an error that are worth printing
_SEEN = 40  # texts of a screen that are worth printing
_INDENT = "      "


class BrokenError(RuntimeError):
    """A step that others need did not go to its end."""


@dataclass(frozen=True)
class Step:
    """What a person does; nothing after a vital one makes sense if it fails."""

    title: str
    perform: Callable[[Person], Awaitable[None]]
    vital: bool = False


@dataclass
class Result:
    """How a step went."""

    theme: str
    title: str
    seconds: float
    screens: int
    problems: list[str] = field(default_factory=list)


class Report:
    """Performs the steps and tells how they went."""

    def __init__(self) -> None:
        """Start without any."""
        self.results: list[Result] = []

    @property
    def failed(self) -> int:
        """Return how many steps were not as they should be."""
        return sum(bool(result.problems) for result in self.results)

    async def perform(self, person: Person, theme: str, steps: Iterable[Step]) -> None:
        """Perform the steps of a theme. Raises BrokenError after a vital one."""
        say(f"\n{bold(theme.replace('_', ' ').capitalize())}")
        for step in steps:
            if not await self._perform_one(person, theme, step) and step.vital:
                raise BrokenError

    async def _perform_one(self, person: Person, theme: str, step: Step) -> bool:
        """Perform a step; return if it went to its end."""
        start, screens = time.monotonic(), len(person.effort.screens)
        person.problems.clear()
        person.before = await person.stage.received()
        ended = True
        try:
            await step.perform(person)
        except (
            AssertionError,
            Error,
            HassError,
            LookupError,
            ProcessError,
            TimeoutError,
            aiohttp.ClientError,
        ) as error:
            ended = False
            lines = f"{type(error).__name__}: {error}".splitlines()
            person.problems.append("\n".join(lines[:_LINES]))
            seen = await person.show_failure()
            person.problems.append(f"saw: {' | '.join(seen[:_SEEN])}")
        self.note(
            Result(
                theme,
                step.title,
                time.monotonic() - start,
                len(person.effort.screens) - screens,
                [*person.problems],
            )
        )
        return ended

    def note(self, result: Result) -> None:
        """Show a result at once, with all that is wrong."""
        self.results.append(result)
        mark = red("✗") if result.problems else green("✓")
        say(f"  {mark} {result.title}  {result.seconds:.1f} s")
        for problem in result.problems:
            text = problem.replace("\n", f"\n{_INDENT}  ")
            say(f"{_INDENT}{text}")

    def table(self) -> str:
        """Return a line for each step."""
        width = max(len(result.title) for result in self.results)
        return "\n".join(
            f"{number:3} {result.title:{width}} {result.screens:3} screens"
            f" {result.seconds:5.1f} s  {'failed' if result.problems else 'ok'}"
            for number, result in enumerate(self.results, 1)
        )

    def summary(self) -> str:
        """Say in one line how it went."""
        number = len(self.results)
        if self.failed:
            return red(f"{number} steps, {self.failed} not as they should be")
        return green(f"{number} steps, all as they should be")
