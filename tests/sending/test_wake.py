"""What waits goes as soon as it can, not only when its pause is over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.zoho_voice import accounts
from custom_components.zoho_voice.sending import journal
from sandbox import FaultKind, Sandbox

from ..common import issues, let_time_pass, outbox, send
from ..conftest import ALICE, BOB


@pytest.fixture(autouse=True)
def auto_storage(storage: Path) -> None:
    """Keep what has to be remembered in a folder of the test."""


@pytest.fixture
def options() -> dict[str, Any]:
    """Let the account keep trying for a day."""
    return {"keep_trying": 86400, "incoming_interval": 0}


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Return which servers were asked whether they are there."""
    urls: list[str] = []
    can_reach = accounts.async_can_reach

    async def ask(session: Any, url: str) -> bool:
        urls.append(url)
        return await can_reach(session, url)

    with patch.object(accounts, "async_can_reach", ask):
        yield urls


@pytest.fixture
def writes() -> Iterator[list[Path]]:
    """Return what was written to disk."""
    paths: list[Path] = []
    write = journal._write

    def count(path: Path, content: bytes) -> None:
        paths.append(path)
        write(path, content)

    with patch.object(journal, "_write", count):
        yield paths


def sent(sandbox: Sandbox) -> list[str]:
    return [sms.number for sms in sandbox.sent]


async def wait_for_the_longest_pause(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Let so many tries fail that the next one is minutes away."""
    for _ in range(8):
        await let_time_pass(hass, freezer, minutes=10)


@pytest.mark.parametrize("host", ["voice", "accounts"])
async def test_network_that_comes_back_is_noticed_within_seconds(
    hass: HomeAssistant,
    asked: list[str],
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    writes: list[Path],
    host: Any,
) -> None:
    if host == "accounts":
        # It has to be asked for a token, and can't be.
        hass.config_entries.async_update_entry(
            account,
            data={
                **account.data,
                "token": {**account.data["token"], "expires_at": 1},
            },
        )
    await sandbox.refuse(host)
    await send(hass)
    await wait_for_the_longest_pause(hass, freezer)
    asked.clear()
    writes.clear()
    await let_time_pass(hass, freezer, seconds=11)
    (url,) = asked
    assert url.startswith(getattr(sandbox, f"{host}_url"))
    assert writes == []
    assert sent(sandbox) == []
    await sandbox.listen(host)
    await let_time_pass(hass, freezer, seconds=11)
    await let_time_pass(hass, freezer, seconds=0)
    assert sent(sandbox) == [ALICE]
    assert await outbox(hass) == {"waiting": [], "ended": []}


async def test_nobody_is_asked_unless_something_waits_for_the_network(
    hass: HomeAssistant,
    asked: list[str],
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    with pytest.raises(Exception, match="Could not connect"):
        await send(hass, keep_trying=False)
    await let_time_pass(hass, freezer, seconds=60)
    assert asked == []
    await sandbox.listen()
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS, times=None)
    await send(hass)
    await let_time_pass(hass, freezer, seconds=60)
    assert asked == []
    sandbox.clear_faults()
    await sandbox.refuse()
    await let_time_pass(hass, freezer, minutes=10)
    await let_time_pass(hass, freezer, seconds=11)
    assert len(asked) == 1
    await hass.services.async_call("zoho_voice", "clear_outbox", {}, blocking=True)
    await let_time_pass(hass, freezer, seconds=60)
    assert len(asked) == 1


async def test_zoho_that_answers_but_takes_nothing_is_not_overrun(
    hass: HomeAssistant,
    asked: list[str],
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The accounts server is there, but its token endpoint hangs up."""
    sandbox.expire_access_tokens()
    sandbox.add_fault(FaultKind.TOKEN_DROP, times=None)
    await send(hass)
    await wait_for_the_longest_pause(hass, freezer)
    before = len(sandbox.token_requests)
    asked.clear()
    for _ in range(10):
        await let_time_pass(hass, freezer, seconds=11)
    assert len(asked) == 10
    assert len(sandbox.token_requests) - before <= 1
    assert sent(sandbox) == []


async def test_one_return_of_the_network_sends_all_that_waits_in_order(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    for text in ("one", "two"):
        await send(hass, recipients=[ALICE, BOB], message=text)
    await wait_for_the_longest_pause(hass, freezer)
    await sandbox.listen()
    await let_time_pass(hass, freezer, seconds=11)
    await let_time_pass(hass, freezer, seconds=0)
    assert [(sms.number, sms.message) for sms in sandbox.sent] == [
        (ALICE, "one"),
        (BOB, "one"),
        (ALICE, "two"),
        (BOB, "two"),
    ]
    assert issues(hass) == {}


async def test_reload_tries_at_once(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    await sandbox.refuse()
    await send(hass)
    await wait_for_the_longest_pause(hass, freezer)
    await sandbox.listen()
    await hass.config_entries.async_reload(account.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert sent(sandbox) == [ALICE]
