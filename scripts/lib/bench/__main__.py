"""Run scripts/bench: measure, compare with the targets, tell and write it down."""

import argparse
import asyncio
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict
import json
from pathlib import Path
import sys
import tempfile
import time

from homeassistant.core import HomeAssistant
from homeassistant.runner import create_event_loop

from scripts.lib.process import ProcessError
from scripts.lib.sandbox import Sandbox

from . import (
    expired_token,
    imports,
    large_account,
    many_recipients,
    one_sms,
    report,
    set_up,
    start,
    steps,
    stretch,
)
from .bench import Bench
from .core import configuration, enter_credentials, running_core
from .machine import this_machine
from .mail import MailServer
from .result import Result
from .scale import FULL, QUICK, Scale
from .text import show
from .zoho import WrongResultError, Zoho, add_entry, remove_entry

#: Recipients of the account that sends, unless its size is what is measured.
RECIPIENTS = 10
_NAMES = (
    "one_sms",
    "steps",
    "many_recipients",
    "stretch",
    "large_account",
    "expired_token",
    "set_up",
    "imports",
    "start",
)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true", help="few rounds, under 60 s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all raw figures")
    parser.add_argument(
        "--report", action="store_true", help="write docs/performance.md and its plot"
    )
    parser.add_argument(
        "--check", action="store_true", help="end with 1 if a target is missed"
    )
    parser.add_argument("--only", nargs="+", choices=_NAMES, default=_NAMES)
    options = parser.parse_args()
    if options.report and options.only is not _NAMES:
        parser.error("--report needs everything measured")
    return options


@contextmanager
def progress(text: str) -> Generator[None]:
    """Say on stderr what is going on, and how long it took."""
    begin = time.monotonic()
    print(f"{text} ", end="", file=sys.stderr, flush=True)
    yield
    print(f"{time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)


async def measure(directory: Path, wanted: list[str], scale: Scale) -> list[Result]:
    """Measure what is wanted."""
    results: list[Result] = []
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            Sandbox(
                directory / "sandbox.log", ["http://127.0.0.1"], arguments=["--quiet"]
            )
        )
        zoho = await stack.enter_async_context(Zoho(sandbox))
        mail = await stack.enter_async_context(MailServer())
        config = directory / "config"
        token = (await zoho.token())["access_token"]
        text = configuration(zoho.send_url, token)
        async with running_core(config, text) as hass:
            await enter_credentials(hass)
            bench = Bench(hass, zoho, token, scale)
            results += await _measure_core(bench, mail, wanted)
            if "start" in wanted:
                await _add_both(hass, zoho, mail)
        if "imports" in wanted:
            with progress("imports"):
                results.append(await imports.measure(scale))
        if "start" in wanted and scale.start:
            with progress("start"):
                results.append(await start.measure(scale, config))
    return results


async def _measure_core(
    bench: Bench, mail: MailServer, wanted: list[str]
) -> list[Result]:
    """Measure what needs a core that runs."""
    results = []
    entry = await bench.zoho.entry(RECIPIENTS)
    await add_entry(bench.hass, entry)
    for module in (one_sms, steps, many_recipients, stretch):
        if (name := module.__name__.rpartition(".")[2]) in wanted:
            with progress(name):
                results.append(await module.measure(bench, entry))
    await remove_entry(bench.hass, entry)
    if "large_account" in wanted:
        with progress("large_account"):
            results.append(await large_account.measure(bench))
    if "expired_token" in wanted:
        entry = await bench.zoho.entry(RECIPIENTS)
        await add_entry(bench.hass, entry)
        with progress("expired_token"):
            results.append(await expired_token.measure(bench, entry))
        await remove_entry(bench.hass, entry)
    if "set_up" in wanted:
        with progress("set_up"):
            results.append(await set_up.measure(bench, mail))
    return results


async def _add_both(hass: HomeAssistant, zoho: Zoho, mail: MailServer) -> None:
    """Leave an entry of each in the configuration."""
    await add_entry(hass, await zoho.entry(start.RECIPIENTS))
    await add_entry(hass, mail.entry(start.RECIPIENTS))


def main() -> None:
    """Run; a missed target is no failure unless asked for."""
    options = arguments()
    scale = QUICK if options.quick else FULL
    machine = this_machine()
    with (
        tempfile.TemporaryDirectory(prefix="zoho-voice-bench-") as directory,
        asyncio.Runner(loop_factory=create_event_loop) as runner,
    ):
        try:
            results = runner.run(measure(Path(directory), [*options.only], scale))
        except (WrongResultError, ProcessError) as error:
            sys.exit(f"\nscripts/bench: {error}")
    print(show(results))
    command = "scripts/bench" + " --quick" * options.quick
    if options.json:
        content = {
            "command": command,
            "machine": asdict(machine),
            "results": [asdict(result) for result in results],
        }
        options.json.write_text(json.dumps(content, indent=1))
    if options.report:
        report.write(results, machine, command)
    missed = any(not target.met for result in results for target in result.targets)
    sys.exit(1 if options.check and missed else 0)


if __name__ == "__main__":
    main()
