"""Putting an SMS into a sandbox that runs elsewhere."""

import socket

import pytest

from sandbox import Sandbox
from sandbox.receive import receive

from .conftest import Receiver


async def test_receive(sandbox: Sandbox) -> None:
    """The SMS comes in, and what came in is told."""
    told = await receive(f"{sandbox.accounts_url}/", "14805550100", "STOP", None)
    assert told == "sms from +14805550100 to +18885550100: 'STOP'"
    told = await receive(sandbox.accounts_url, "22395", "x", "18885550100")
    assert told == "sms from 22395 to 18885550100: 'x'"
    assert [sms.message for sms in sandbox.message_log] == ["STOP", "x"]


async def test_refused(sandbox: Sandbox) -> None:
    """The sandbox says what is wrong."""
    with pytest.raises(ValueError, match="no sender ID of the account"):
        await receive(sandbox.accounts_url, "14805550100", "STOP", "+1")


async def test_somebody_else_answers(sandbox: Sandbox, receiver: Receiver) -> None:
    """A URL of something else is told from one where nobody answers."""
    for url in (sandbox.voice_url, receiver.url):
        with pytest.raises(ValueError, match="something else than a sandbox"):
            await receive(url, "14805550100", "STOP", None)


async def test_nobody_answers() -> None:
    """The URL that was tried is named."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ValueError, match=f"no sandbox answers at {url}: "):
        await receive(url, "14805550100", "STOP", None)
