"""The command line."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
import signal
import socket
import sys

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Sandbox, ScheduledSms, Sms, __main__ as command_line

ROOT = Path(__file__).parents[2]


async def start(*options: str) -> Process:
    """Start the command line."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *options, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )


async def read_line(process: Process) -> str:
    """Return the next line that is printed."""
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().rstrip()


@asynccontextmanager
async def running(*options: str) -> AsyncGenerator[tuple[Process, dict[str, str]]]:
    """Run the command line, and return its URLs and what it printed before."""
    process = await start("--accounts-port=0", "--voice-port=0", *options)
    try:
        lines = []
        while not (line := await read_line(process)).startswith("sandbox ready "):
            assert line, "ended before it was ready"
            lines.append(line)
        words = dict(word.split("=") for word in line.split()[2:])
        yield process, words | {"text": "\n".join(lines)}
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def send(http: ClientSession, urls: dict[str, str]) -> int:
    """Send an SMS, and return the status."""
    async with http.post(f"{urls['accounts']}/sandbox/token") as response:
        token = (await response.json())["access_token"]
    async with http.post(
        f"{urls['voice']}/rest/json/v1/sms/send",
        json={
            "senderId": "ZohoVoice",
            "customerNumber": "+14805550100",
            "message": "Hi\nthere",
        },
        headers={
            "Authorization": f"Zoho-oauthtoken {token}",
            "Accept": "application/json",
        },
    ) as response:
        return response.status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_run(http: ClientSession, number: signal.Signals) -> None:
    """It says where it is, then what it receives, one line each, and stops cleanly."""
    async with running("--client-id=abc", "--redirect-uri=http://x/y") as (
        process,
        urls,
    ):
        assert "abc" in urls["text"]
        assert "sandbox-secret" in urls["text"]
        assert "http://x/y" in urls["text"]
        assert await send(http, urls) == 200
        expected = r"sms to +14805550100 from ZohoVoice: 'Hi\nthere'"
        assert await read_line(process) == expected
        await http.post(
            f"{urls['accounts']}/oauth/v2/token", data={"grant_type": "refresh_token"}
        )
        assert await read_line(process) == "token request refresh_token: invalid_client"
        process.send_signal(number)
        out, err = await asyncio.wait_for(process.communicate(), 20)
        assert (process.returncode, out, err) == (0, b"", b"")


async def test_quiet_and_slow(http: ClientSession) -> None:
    """Nothing is printed per request, and answers take their time."""
    async with running("--quiet", "--answer-ms=100") as (process, urls):
        loop = asyncio.get_running_loop()
        begin = loop.time()
        assert await send(http, urls) == 200
        assert loop.time() - begin >= 0.1
        process.terminate()
        out, err = await asyncio.wait_for(process.communicate(), 20)
        assert (process.returncode, out, err) == (0, b"", b"")


async def run(*options: str) -> tuple[int | None, str, str]:
    """Run the command line to its end."""
    process = await start(*options)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, out.decode(), err.decode()


async def test_receive() -> None:
    """An SMS comes into a sandbox that runs, or the error says why not."""
    async with running("--quiet") as (_, urls):
        command = ("receive", "14805550100", "On my\nway", f"--url={urls['accounts']}")
        code, out, err = await run(*command)
        assert (code, err) == (0, "")
        assert out == "sms from +14805550100 to +18885550100: 'On my\\nway'\n"
        code, out, err = await run(*command, "--to=+1")
        assert (code, out) == (1, "")
        assert err == "'+1' is no sender ID of the account\n"


async def test_delivers_by_itself(http: ClientSession) -> None:
    """SMS are delivered after a while."""
    async with running("--quiet", "--auto-deliver-seconds=0.01") as (_, urls):
        assert await send(http, urls) == 200
        statuses: list[str] = []
        async with asyncio.timeout(20):
            while statuses != ["DELIVERED"]:
                url = f"{urls['accounts']}/sandbox/messages"
                async with http.get(url) as response:
                    messages = (await response.json())["messages"]
                statuses = [each["status"] for each in messages]


async def test_sends_what_is_due(
    freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scheduled SMS are sent when their time has come, until the end."""
    monkeypatch.setattr(command_line, "_DUE_SECONDS", 0.01)
    sandbox, stop = Sandbox(), asyncio.Event()
    sms = Sms("1", "+14805550100", "+18885550100", "x", None, None, None, None, 0)
    due_at = datetime.fromisoformat("2025-12-05 00:00:00Z").timestamp()
    sandbox.scheduled.append(ScheduledSms("1", due_at, sms, sandbox.account))
    task = asyncio.create_task(command_line._send_due_until(stop, sandbox))
    await asyncio.sleep(0.05)
    assert len(sandbox.message_log) == 0
    freezer.move_to("2025-12-05 00:00:00")
    async with asyncio.timeout(5):
        while len(sandbox.message_log) == 0:
            await asyncio.sleep(0.01)
    stop.set()
    await task


async def test_help() -> None:
    """The help names the control API, the settings and the faults."""
    code, out, err = await run("--help")
    assert (code, err) == (0, "")
    for word in ("/sandbox/report", "auto_deliver_seconds", "read_garbage", "receive"):
        assert word in out


@pytest.mark.parametrize("option", ["--accounts-port", "--voice-port"])
async def test_busy_port(option: str) -> None:
    """A port that is taken is named, without a traceback."""
    other = {"--accounts-port": "--voice-port", "--voice-port": "--accounts-port"}
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        process = await start(f"{option}={port}", f"{other[option]}=0")
        out, err = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, out) == (1, b"")
    assert (
        err.decode() == f"Cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )
