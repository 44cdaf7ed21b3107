"""Run Home Assistant and the sandbox until Ctrl-C, for working on the integration."""

import argparse
import asyncio
import shutil
import sys

from .hass import Hass
from .process import ROOT, Process, ProcessError, port_is_free, run
from .sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox

DIRECTORY = ROOT / ".cache" / "develop"
USERNAME, PASSWORD = "dev", "dev-password"
RESTART = 100  # the exit code by which Home Assistant asks to be started again
TEXT = """
Home Assistant   {hass.url}
  sign in        {username} / {password}
  configuration  {hass.directory}
  log            {hass.log_path}
Sandbox          accounts {sandbox.accounts_url}, Voice {sandbox.voice_url}
  phones         {sandbox.accounts_url}, where you can answer
  log            {sandbox.log_path}

Settings > Devices & services > Add integration > Zoho Voice, then type:
  client ID      {client_id}
  client secret  {client_secret}
  data center    Other
  accounts URL   {sandbox.accounts_url}
  Voice URL      {sandbox.voice_url}

After a change of the code: Developer tools > Restart, or Ctrl-C and again.
Ctrl-C stops both.
"""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/develop")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--accounts-port", type=int, default=8500)
    parser.add_argument("--voice-port", type=int, default=8501)
    parser.add_argument("--fresh", action="store_true")
    return parser.parse_args()


async def develop(options: argparse.Namespace) -> None:
    """Start both, say how to use them, wait."""
    if options.fresh:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
    hass = Hass(DIRECTORY / "config", port=options.port)
    sandbox = Sandbox(
        DIRECTORY / "sandbox.log",
        [hass.redirect_uri, hass.redirect_uri.replace("127.0.0.1", "localhost")],
        accounts_port=options.accounts_port,
        voice_port=options.voice_port,
        arguments=["--auto-deliver-seconds", "2"],
    )
    print("Starting the sandbox and Home Assistant", flush=True)
    async with sandbox, hass:
        await hass.onboard(USERNAME, PASSWORD)
        print(
            TEXT.format(
                hass=hass,
                sandbox=sandbox,
                username=USERNAME,
                password=PASSWORD,
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
            ),
            flush=True,
        )
        while await ended_first(hass, sandbox) == RESTART:
            print("Restarting Home Assistant", flush=True)
            await hass.stop()
            await hass.start()
        for each in (sandbox, hass):
            each.check()


async def ended_first(*processes: Process) -> int:
    """Wait until the first of the processes ends; return its exit code."""
    waiting = [asyncio.create_task(process.wait()) for process in processes]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    return done.pop().result()


def main() -> None:
    """Refuse taken ports early; run."""
    options = arguments()
    for name in ("port", "accounts_port", "voice_port"):
        if not port_is_free(port := getattr(options, name)):
            flag = name.replace("_", "-")
            sys.exit(f"port {port} is taken: choose another with --{flag}")
    try:
        run(develop(options))
    except ProcessError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
