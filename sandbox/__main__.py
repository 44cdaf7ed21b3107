"""Runs the sandbox alone: python -m sandbox."""

import argparse
import asyncio
from collections.abc import Sequence
import signal
import sys

from .server import Sandbox
from .state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REDIRECT_URIS


def main(argv: Sequence[str] | None = None) -> int:
    """Run until interrupted and return the exit code."""
    return asyncio.run(_run(_parse(argv)))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Zoho on localhost, to send SMS to nobody.",
    )
    parser.add_argument("--accounts-port", type=int, default=8500, metavar="PORT")
    parser.add_argument("--voice-port", type=int, default=8501, metavar="PORT")
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
        "--quiet", action="store_true", help="print nothing per request"
    )
    return parser.parse_args(argv)


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
        await stop.wait()
    finally:
        await sandbox.stop()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
