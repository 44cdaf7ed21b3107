"""Run scripts/demo: start both processes, perform the steps, tell how they went."""

import argparse
import asyncio
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
import shutil
import sys
import tempfile

from scripts.lib.develop import RESTART, ended_first
from scripts.lib.hass import Hass, HassError
from scripts.lib.process import ROOT, ProcessError, free_port, port_is_free, run
from scripts.lib.sandbox import Sandbox

from .log_check import check_log
from .outbox import OUTBOX
from .replies import REPLIES
from .sends import SCRIPTS, SENDS
from .set_up import SET_UP
from .stage import Stage
from .step import BrokenError, Play, Report, bold, progress, say

CACHE = ROOT / ".cache" / "demo"
USERNAME, PASSWORD = "demo", "demo-password"
KEPT = """
It stays up until Ctrl-C:

  Home Assistant   {hass.url}
    user           {username}
    password       {password}
    log            {hass.log_path}
  Zoho's phone     {sandbox.accounts_url}   shows what was sent, and lets you answer
"""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--keep", action="store_true", help="leave it running")
    parser.add_argument("--port", type=int)
    parser.add_argument("--accounts-port", type=int)
    parser.add_argument("--voice-port", type=int)
    return parser.parse_args()


def choose_port(wanted: int | None, default: int, *, keep: bool) -> int:
    """Return the wanted port; to click around in, the usual one, if nobody has it."""
    if wanted is not None:
        return wanted
    return default if keep and port_is_free(default) else free_port()


async def demo(options: argparse.Namespace, report: Report, directory: Path) -> None:
    """Start both, perform the steps, stay up if asked to."""
    (directory / "config").mkdir()
    (directory / "config" / "scripts.yaml").write_text(SCRIPTS)
    hass = Hass(
        directory / "config",
        port=choose_port(options.port, 8123, keep=options.keep),
        # Python's own deprecations get into the log, too.
        env={"PYTHONWARNINGS": "default::DeprecationWarning"},
    )
    sandbox = Sandbox(
        directory / "sandbox.log",
        [hass.redirect_uri, hass.redirect_uri.replace("127.0.0.1", "localhost")],
        accounts_port=choose_port(options.accounts_port, 8500, keep=options.keep),
        voice_port=choose_port(options.voice_port, 8501, keep=options.keep),
        arguments=["--auto-deliver-seconds", "0.5"],
    )
    stage = Stage(hass, sandbox)
    async with sandbox:
        with progress(f"Starting Home Assistant {version('homeassistant')}"):
            await hass.start()
        try:
            await hass.onboard(USERNAME, PASSWORD, name="Demo")
            await perform(stage, report)
            if options.keep:
                await asyncio.sleep(1)
                search_log(stage, report)
                await keep(hass, sandbox)
        finally:
            with progress("\nStopping Home Assistant"):
                await hass.stop()
        if not options.keep:
            search_log(stage, report)


async def perform(stage: Stage, report: Report) -> None:
    """Perform the steps, as far as they get."""
    plays: list[Play] = [*SET_UP, *(send.play() for send in SENDS), *REPLIES, *OUTBOX]
    try:
        await report.perform(stage, plays)
    except BrokenError:
        say("\nThe other steps are left out: they need this one.")
    # Once more, to remember what must not be in the log.
    await stage.received()


def search_log(stage: Stage, report: Report) -> None:
    """Search the log, as the last step."""
    report.number += 1
    say(f"\n{bold(f"{report.number}. Home Assistant's log")}")
    report.conclude(check_log(stage))
    say(f"\n{report.summary()}")


async def keep(hass: Hass, sandbox: Sandbox) -> None:
    """Stay up until Ctrl-C."""
    say(KEPT.format(hass=hass, sandbox=sandbox, username=USERNAME, password=PASSWORD))
    with suppress(asyncio.CancelledError):
        while await ended_first(hass, sandbox) == RESTART:
            await hass.stop()
            await hass.start()
        for each in (sandbox, hass):
            each.check()


def main() -> int:
    """Run it in a folder of its own, which stays only if something went wrong."""
    options = arguments()
    for name in ("port", "accounts_port", "voice_port"):
        if (port := getattr(options, name)) and not port_is_free(port):
            sys.exit(f"port {port} is taken")
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    CACHE.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=CACHE, prefix="run."))
    report = Report()
    try:
        status = run(demo(options, report, directory))
    except (HassError, ProcessError) as error:
        say(f"\n{error}")
        status = 1
    if status == 0 and report.failed:
        status = 1
    if status == 1:
        say(f"What they wrote is in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
