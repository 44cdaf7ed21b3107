"""One step: perform it, check what came of it, show it to a person."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os
import sys
import threading
import time

import aiohttp

from scripts.lib.hass import HassError
from scripts.lib.process import ProcessError

from .stage import Received, Stage
from .text import INDENT, to_yaml, width

_MARGIN = INDENT * 2


class BrokenError(RuntimeError):
    """The step cannot go on, and none after it."""


@dataclass(frozen=True)
class Play:
    """A step to be performed; nothing after it makes sense when a vital one fails."""

    title: str
    perform: Callable[[Stage, Step], Awaitable[None]]
    vital: bool = False


class Step:
    """What happened in a step, and whether it was right."""

    called: object = None
    got: object = None

    def __init__(self, stage: Stage, before: Received) -> None:
        """Note what was there before."""
        self._stage = stage
        self._before = before
        self.checks: list[tuple[bool, str]] = []

    @property
    def is_right(self) -> bool:
        """Tell whether something was checked and all of it held."""
        return bool(self.checks) and all(held for held, _ in self.checks)

    async def received(self) -> Received:
        """Return what Zoho's side received in this step."""
        return (await self._stage.received()).since(self._before)

    def check(self, text: str, *, held: bool, otherwise: object = None) -> None:
        """Note what was checked; `otherwise` says more when it does not hold."""
        if not held and otherwise is not None:
            text = f"{text}\n{INDENT}but: {otherwise}"
        self.checks.append((held, text))

    def expect(self, text: str, actual: object, wanted: object) -> None:
        """Check that two things are the same."""
        self.check(
            text, held=actual == wanted, otherwise=f"{actual!r}, and not {wanted!r}"
        )


class Report:
    """Performs the steps and tells how they went."""

    def __init__(self) -> None:
        """Start without any."""
        self.number = 0
        self.failed = 0

    async def perform(self, stage: Stage, plays: Iterable[Play]) -> None:
        """Perform the steps in turn."""
        for play in plays:
            if not await self._perform_one(stage, play) and play.vital:
                raise BrokenError

    async def _perform_one(self, stage: Stage, play: Play) -> bool:
        self.number += 1
        say(f"\n{bold(f'{self.number}. {play.title}')}")
        step = Step(stage, await stage.received())
        try:
            await play.perform(stage, step)
        except (
            AssertionError,
            HassError,
            LookupError,
            ProcessError,
            TimeoutError,
            aiohttp.ClientError,
        ) as error:
            step.check("it went to its end", held=False, otherwise=repr(error))
        _show("called", step.called)
        _show("Zoho received", (await step.received()).show())
        _show("Home Assistant got", step.got)
        self.conclude(step.checks)
        return step.is_right

    def conclude(self, checks: Iterable[tuple[bool, str]]) -> None:
        """Show what was checked and count the step as failed if it did."""
        checks = list(checks)
        for held, text in checks:
            lines = text.replace("\n", f"\n{_MARGIN}")
            say(f"{_MARGIN}{green('✓') if held else red('✗')} {lines}")
        if not checks or not all(held for held, _ in checks):
            self.failed += 1

    def summary(self) -> str:
        """Say in one line how it went."""
        if self.failed:
            return red(f"{self.number} steps, {self.failed} not as they should be")
        return green(f"{self.number} steps, all as they should be")


def _show(title: str, value: object) -> None:
    if value is None:
        return
    say(f"{INDENT}{soft(title)}")
    for line in to_yaml(value, width() - len(_MARGIN)):
        say(f"{_MARGIN}{line}")


def say(text: str = "") -> None:
    """Print at once."""
    print(text, flush=True)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Print a dot every few seconds, and in the end how long it took."""
    print(text, end=" ", flush=True)
    start, done = time.monotonic(), threading.Event()

    def pulse() -> None:
        while not done.wait(3):
            print(end=".", flush=True)

    thread = threading.Thread(target=pulse, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        print(f" {time.monotonic() - start:.0f} s", flush=True)


def _style(code: str) -> Callable[[str], str]:
    def apply(text: str) -> str:
        if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
            return text
        return f"\x1b[{code}m{text}\x1b[0m"

    return apply


bold, soft, green, red = map(_style, ("1", "2", "32", "31"))
