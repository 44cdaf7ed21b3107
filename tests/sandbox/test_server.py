"""Starting and stopping."""

import socket

from aiohttp import ClientSession
import pytest

from sandbox import FaultKind, Sandbox


async def test_two_ports_of_localhost_only(sandbox: Sandbox) -> None:
    """Accounts and Voice are two hosts, as at Zoho."""
    assert sandbox.accounts_url.startswith("http://127.0.0.1:")
    assert sandbox.voice_url.startswith("http://127.0.0.1:")
    assert sandbox.accounts_url != sandbox.voice_url


async def test_own_credentials() -> None:
    """The client's credentials can be chosen, and so can the senders."""
    async with Sandbox(client_id="a", client_secret="b", sender_ids=["X"]) as sandbox:
        assert (sandbox.client_id, sandbox.client_secret) == ("a", "b")
        assert sandbox.sender_ids == {"X"}


async def test_port_is_free_after_stop() -> None:
    """The same ports can be used again at once."""
    async with Sandbox() as sandbox, ClientSession() as http:
        assert (await http.get(sandbox.accounts_url)).status == 200
        ports = [
            int(url.rpartition(":")[2])
            for url in (sandbox.accounts_url, sandbox.voice_url)
        ]
    async with Sandbox((), *ports) as again, ClientSession() as http:
        assert again.accounts_url == sandbox.accounts_url
        assert (await http.get(again.accounts_url)).status == 200


async def test_busy_port() -> None:
    """The error names the port, and the other port is given up."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        sandbox = Sandbox(voice_port=port)
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            await sandbox.start()


async def test_no_port_to_refuse_before_start() -> None:
    """A sandbox that does not run cannot refuse connections."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        await sandbox.refuse()
    with pytest.raises(RuntimeError, match="not running"):
        await sandbox.listen()
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.add_fault(FaultKind.REFUSE)
