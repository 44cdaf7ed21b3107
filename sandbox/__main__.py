"""Runs the sandbox alone: python -m sandbox."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
import signal
import sys

from . import control
from .receive import receive
from .server import Sandbox
from .state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REDIRECT_URIS

_ACCOUNTS_PORT, _VOICE_PORT = 8500, 8501
_DUE_SECONDS = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run until interrupted, or do what is asked, and return the exit code."""
    args = _parse(argv)
    if args.command == "receive":
        return asyncio.run(_receive(args))
    return asyncio.run(_run(args))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Zoho on localhost, to send SMS to nobody. The page at the accounts"
        " URL shows everybody's\nphone, where a person can answer.",
        epilog=control.describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--accounts-port", type=int, default=_ACCOUNTS_PORT, metavar="PORT"
    )
    parser.add_argument("--voice-port", type=int, default=_VOICE_PORT, metavar="PORT")
    parser.add_argument(
        "--redirect-uri",
        action="append",
        metavar="URI",
        help="a redirect URI of the client; may be given several times"
        f" (default: {', '.join(DEFAULT_REDIRECT_URIS)})",
    )
    parser.add_argument("--client-id", default=DEFAULT_CLIENT_ID)
    parser.add_argument("--client-secret", default=DEFAULT_CLIENT_SECRET)
    parser.add_argument(
        "--answer-ms",
        type=float,
        default=0,
        metavar="N",
        help="time that the send endpoint takes to answer",
    )
    parser.add_argument(
        "--auto-deliver-seconds",
        type=float,
        metavar="N",
        help="time after which SMS are sent, and again until they are delivered"
        " (default: they stay queued)",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="print nothing per request"
    )
    commands = parser.add_subparsers(
        dest="command", title="commands for a sandbox that runs already"
    )
    incoming = commands.add_parser(
        "receive", help="let an SMS come in", description="Let an SMS come in."
    )
    incoming.add_argument("number", metavar="FROM", help="whose phone it comes from")
    incoming.add_argument("text", metavar="TEXT")
    incoming.add_argument(
        "--to",
        metavar="SENDER",
        help="the sender ID it goes to (default: the one that wrote to FROM last)",
    )
    incoming.add_argument(
        "--url",
        default=f"http://127.0.0.1:{_ACCOUNTS_PORT}",
        help="the accounts URL of the sandbox (default: %(default)s)",
    )
    return parser.parse_args(argv)


async def _receive(args: argparse.Namespace) -> int:
    try:
        _say(await receive(args.url, args.number, args.text, args.to))
    except ValueError as err:
        sys.stderr.write(f"{err}\n")
        return 1
    return 0


async def _run(args: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    sandbox = Sandbox(
        args.redirect_uri or DEFAULT_REDIRECT_URIS,
        args.accounts_port,
        args.voice_port,
        client_id=args.client_id,
        client_secret=args.client_secret,
        log=None if args.quiet else _say,
    )
    sandbox.answer_seconds = args.answer_ms / 1000
    sandbox.auto_deliver_seconds = args.auto_deliver_seconds
    try:
        await sandbox.start()
    except OSError as err:
        sys.stderr.write(f"{err.strerror}\n")
        return 1
    try:
        _say(f"accounts URL   {sandbox.accounts_url} (open it to see what was sent)")
        _say(f"Voice URL      {sandbox.voice_url}")
        _say(f"client ID      {sandbox.client_id}")
        _say(f"client secret  {sandbox.client_secret}")
        _say(f"sender IDs     {', '.join(sorted(sandbox.sender_ids))}")
        _say(f"redirect URIs  {', '.join(sorted(sandbox.redirect_uris))}")
        _say(f"sandbox ready accounts={sandbox.accounts_url} voice={sandbox.voice_url}")
        await _send_due_until(stop, sandbox)
    finally:
        await sandbox.stop()
    return 0


async def _send_due_until(stop: asyncio.Event, sandbox: Sandbox) -> None:
    """Look again and again for what is scheduled and due."""
    while not stop.is_set():
        sandbox.send_due()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _DUE_SECONDS)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
