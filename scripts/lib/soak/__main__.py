"""Run scripts/soak: one run, or one for each break that has to be noticed."""

import argparse
import asyncio
from dataclasses import replace
import json
from pathlib import Path
from random import SystemRandom
import shutil
import sys
import tempfile

from scripts.lib.hass import HassError
from scripts.lib.process import ROOT, ProcessError, run as run_to_end

from .plan import FULL, QUICK
from .prove import BREAKS, Break, StaleBreakError
from .report import as_json, news_table, shown, summary, table
from .run import Run, Settings
from .verdict import Finding

CACHE = ROOT / ".cache" / "soak"
#: How often a break may have another seed to be noticed with.
_TRIES = 2


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("--quick", action="store_true", help="less, in under 90 s")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10_000))
    parser.add_argument("--json", type=Path, metavar="FILE", help="all of it")
    broken = parser.add_mutually_exclusive_group()
    broken.add_argument(
        "--break", dest="broken", choices=BREAKS, help="break the product"
    )
    broken.add_argument("--prove", action="store_true", help="all breaks are noticed")
    return parser.parse_args()


def say(text: str = "") -> None:
    """Print at once."""
    print(text, flush=True)


class WrongError(RuntimeError):
    """Something is wrong: with the product, or with what should notice that."""


async def soak(settings: Settings, directory: Path) -> tuple[Run, list[Finding]]:
    """Do one run. Raises ProcessError if it does not come to an end."""
    run = Run(settings, directory, say)
    limit = settings.scale.limit
    try:
        async with asyncio.timeout(limit):
            await run.run()
    except TimeoutError as error:
        raise ProcessError(f"it did not come to an end within {limit:.0f} s") from error
    return run, run.findings


async def once(options: argparse.Namespace, directory: Path) -> None:
    """Do one run and show it. Raises WrongError."""
    scale = QUICK if options.quick else FULL
    settings = Settings(options.seed, scale)
    if options.broken:
        broken = BREAKS[options.broken].apply(directory)
        settings = replace(settings, integration=broken)
        say(f"The product is broken: {options.broken}")
    say(f"{scale.calls:,} calls, {scale.kills} kills, seed {settings.seed}\n")
    run, findings = await soak(settings, directory)
    if options.json:
        options.json.write_text(json.dumps(as_json(run, findings), indent=1))
    tables = *table(run), "", *news_table(run)
    for line in ("", *tables, "", *summary(run), "", *shown(findings)):
        say(line)
    if findings:
        raise WrongError(f"{len(findings)} things are wrong, after {run.seconds:.0f} s")
    say(f"Nothing lost, nothing twice, all in order, in {run.seconds:.0f} s")


async def prove(options: argparse.Namespace, directory: Path) -> None:
    """Break the product in one way after the other. Raises WrongError."""
    missed = []
    for each in BREAKS.values():
        say(f"\n{each.name}")
        if not await _is_noticed(each, options.seed, directory):
            missed.append(each.name)
    if missed:
        raise WrongError(f"\nNot noticed: {', '.join(missed)}")
    say(f"\nAll {len(BREAKS)} breaks were noticed")


async def _is_noticed(each: Break, seed: int, directory: Path) -> bool:
    for attempt in range(_TRIES):
        place = directory / f"{each.name}-{attempt}"
        integration = each.apply(place)
        settings = Settings(seed + attempt, each.scale, integration, stop_early=True)
        try:
            run, findings = await soak(settings, place)
        except ProcessError as error:
            say(f"  ✗ not noticed: {error}")
            continue
        noticed = [f for f in findings if f.kind in each.noticed]
        if noticed:
            say(f"  ✓ noticed after {run.seconds:.0f} s: {noticed[0]}")
            return True
        say(f"  ✗ not noticed within {run.seconds:.0f} s with seed {settings.seed}")
        for line in shown(findings):
            say(f"    {line}")
    return False


def main() -> int:
    """Run it in a folder of its own, which stays only if something went wrong."""
    options = arguments()
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    CACHE.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=CACHE, prefix="run."))
    work = prove if options.prove else once
    try:
        status = run_to_end(work(options, directory))
    except WrongError as error:
        say(f"{error}")
        status = 1
    except (HassError, ProcessError, StaleBreakError) as error:
        say(f"\n{error}")
        status = 2
    if status in {1, 2} and not options.broken:
        say(f"What Home Assistant wrote is in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
