"""Run scripts/bench: measure, compare with the targets, tell and write it down.

A measurement is a module with `async def measure(bench: Bench) -> Result`. To belong to
the rest, it only has to be named in `MEASUREMENTS`.
"""

import argparse
import asyncio
from dataclasses import asdict
import json
from pathlib import Path
import sys
import tempfile

from aiohttp import ClientSession
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.runner import create_event_loop

from scripts.lib.process import ProcessError
from scripts.lib.sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox

from . import (
    imports,
    many_recipients,
    one_sms,
    outbox,
    page,
    set_up,
    start,
    thousand_calls,
    tracking,
)
from .bench import Bench
from .core import WrongResultError, configuration, running_core
from .figures import Result, Verdict
from .mail import mail_server
from .zoho import DOMAIN, Zoho

MEASUREMENTS = {
    "one_sms": one_sms,
    "many_recipients": many_recipients,
    "outbox": outbox,
    "set_up": set_up,
    "tracking": tracking,
    # Ends the tokens that others use.
    "thousand_calls": thousand_calls,
}
#: These take processes of their own, which takes too long for a quick run.
AFTERWARDS = {"imports": imports, "start": start}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--check", action="store_true")
    names = [*MEASUREMENTS, *AFTERWARDS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    options = parser.parse_args()
    if options.report and (options.quick or options.only is not names):
        parser.error("--report needs everything measured")
    if options.quick:
        options.only = [name for name in options.only if name in MEASUREMENTS]
    return options


async def measure(directory: Path, wanted: list[str], *, quick: bool) -> list[Result]:
    """Measure what is wanted."""
    log, config = directory / "sandbox.log", directory / "config"
    results: list[Result] = []
    async with (
        Sandbox(log, ["http://127.0.0.1"], arguments=["--quiet"]) as sandbox,
        ClientSession(sandbox.accounts_url) as session,
        mail_server() as mail_port,
    ):
        zoho = Zoho(sandbox, session)
        token = (await zoho.token())["access_token"]
        async with running_core(config, configuration(zoho.send_url, token)) as hass:
            credential = ClientCredential(CLIENT_ID, CLIENT_SECRET, "Sandbox")
            await async_import_client_credential(hass, DOMAIN, credential)
            bench = Bench(hass, zoho, mail_port, quick)
            for name in (name for name in MEASUREMENTS if name in wanted):
                print(name, file=sys.stderr)
                results.append(await MEASUREMENTS[name].measure(bench))
            await start.prepare(bench)
        for name in (name for name in AFTERWARDS if name in wanted):
            print(name, file=sys.stderr)
            results.append(await AFTERWARDS[name].measure(config))
    return results


def main() -> None:
    """Run; a missed target is no failure unless asked for."""
    options = arguments()
    machine = page.describe_machine()
    with (
        tempfile.TemporaryDirectory(prefix="zoho-voice-bench-") as directory,
        asyncio.Runner(loop_factory=create_event_loop) as runner,
    ):
        try:
            results = runner.run(
                measure(Path(directory), options.only, quick=options.quick)
            )
        except (WrongResultError, ProcessError) as error:
            sys.exit(f"\nscripts/bench: {error}")
    print(page.show(results))
    if options.json:
        content = {"machine": machine, "results": [asdict(it) for it in results]}
        options.json.write_text(json.dumps(content, indent=1))
    if options.report:
        page.write(results, machine, "scripts/bench")
    missed = any(
        target.verdict is Verdict.MISSED
        for result in results
        for target in result.targets
    )
    sys.exit(1 if options.check and missed else 0)


if __name__ == "__main__":
    main()
