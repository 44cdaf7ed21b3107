"""Run scripts/e2e: start everything, perform the steps, tell how they went."""

import argparse
import asyncio
from pathlib import Path
import shutil
import sys
import tempfile
import time

from scripts.lib.demo.log_check import check_log
from scripts.lib.demo.step import say
from scripts.lib.hass import HassError
from scripts.lib.process import ROOT, ProcessError, run

from .browser import Browser, open_browser
from .person import Person
from .pictures import Pictures
from .stage import Stage, open_stage
from .step import BrokenError, Report, Result
from .themes import THEMES, Theme

CACHE = ROOT / ".cache" / "e2e"
SHOTS = CACHE / "screens"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/e2e")
    parser.add_argument("themes", nargs="*", metavar="THEME", help=", ".join(THEMES))
    parser.add_argument("--browser", required=True, help="a Chromium")
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--screens", type=Path, default=SHOTS)
    parser.add_argument("--keep", action="store_true", help="leave it running")
    options = parser.parse_args()
    if unknown := set(options.themes) - set(THEMES):
        parser.error(f"unknown: {', '.join(unknown)} (there are: {', '.join(THEMES)})")
    return options


async def e2e(options: argparse.Namespace, report: Report, directory: Path) -> None:
    """Start everything, and perform the steps as far as they get."""
    shutil.rmtree(options.screens, ignore_errors=True)
    options.screens.mkdir(parents=True)
    async with open_stage(directory) as stage, open_browser(options.browser) as browser:
        pictures = Pictures(wanted=options.pictures)
        async with Person.at(browser, stage, options.screens, pictures) as person:
            try:
                for name, theme in THEMES.items():
                    if theme.needed or not options.themes or name in options.themes:
                        await perform(name, theme, person, browser, report)
            except BrokenError:
                say("\nThe other steps are left out: they need this one.")
            # Once more, to remember what must not be in the log.
            await stage.received()
            if person.frontend:
                say("\nWhat axe says of Home Assistant's own components:")
                for text in sorted(person.frontend):
                    say(f"  {text}")
            if options.keep:
                say(f"\nIt stays up until Ctrl-C: {stage.hass.url} (dev, dev-password)")
                await asyncio.Event().wait()
    search_log(stage, report)


async def perform(
    name: str, theme: Theme, person: Person, browser: Browser, report: Report
) -> None:
    """Perform a theme, with a person who reads its language."""
    if theme.language is None:
        await report.perform(person, name, theme.steps)
        return
    shots = person.shots / name
    shots.mkdir()
    async with Person.at(
        browser, person.stage, shots, person.pictures, theme.language
    ) as reader:
        await report.perform(reader, name, theme.steps)
        person.frontend |= reader.frontend


def search_log(stage: Stage, report: Report) -> None:
    """Search Home Assistant's log, as the last step."""
    start = time.monotonic()
    say()
    problems = [text for held, text in check_log(stage) if not held]
    seconds = time.monotonic() - start
    report.note(Result("log", "Home Assistant's log", seconds, 0, problems))


def main() -> int:
    """Run it in a folder of its own, which stays only if something went wrong."""
    options = arguments()
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    CACHE.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=CACHE, prefix="run."))
    report = Report()
    start = time.monotonic()
    try:
        status = run(e2e(options, report, directory))
    except (HassError, ProcessError) as error:
        say(f"\n{error}")
        status = 1
    if report.results:
        say(f"\n{report.table()}\n")
        say(f"{report.summary()}, {time.monotonic() - start:.0f} s")
    say(f"The screens are in {options.screens}")
    if status == 0 and report.failed:
        status = 1
    if status == 1:
        say(f"What they wrote is in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
