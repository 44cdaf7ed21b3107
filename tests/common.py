"""What several tests do or look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
import resource
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.zoho_voice import accounts
from custom_components.zoho_voice.const import DOMAIN
from sandbox import Account, Sandbox

from .conftest import DAVE, TRANSLATIONS, placeholders_in, recipient


def file_of(storage: Path, entry: MockConfigEntry) -> Path:
    """Return where an account keeps what it has to remember."""
    return storage / f"zoho_voice.{entry.entry_id}"


async def send(hass: HomeAssistant, **data: Any) -> list[dict[str, Any]]:
    """Send by the action, to Alice unless `data` says otherwise."""
    response = await hass.services.async_call(
        DOMAIN,
        "send_sms",
        {"recipients": "Alice", "message": "Water", **data},
        blocking=True,
        return_response=True,
    )
    return response["messages"]


async def outbox(hass: HomeAssistant) -> dict[str, list[dict[str, Any]]]:
    """Return what waits, and what ended."""
    return await hass.services.async_call(
        DOMAIN, "get_outbox", {}, blocking=True, return_response=True
    )


def add_other_account(
    hass: HomeAssistant, sandbox: Sandbox, entry: MockConfigEntry, *names: str
) -> MockConfigEntry:
    """Add a second account, whose recipients all have Dave's number."""
    sandbox.account = Account(zuid="20002", email="other@example.com")
    other = MockConfigEntry(
        domain=DOMAIN,
        unique_id="20002",
        title="other@example.com",
        data={
            **entry.data,
            "sender_id": "ZohoVoice",
            "webhook_id": "other",
            "token": {**sandbox.issue_token(), "expires_at": time.time() + 3600},
        },
        subentries_data=[recipient(name, DAVE) for name in names],
    )
    other.add_to_hass(hass)
    return other


async def let_time_pass(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **span: float
) -> None:
    """Move the clock, and let happen what is due by then."""
    freezer.tick(timedelta(**span))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(**span))
    await hass.async_block_till_done()


async def start_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Forget what is in memory, as a crash does, and start again."""
    await hass.config_entries.async_unload(entry.entry_id)
    account = hass.data[accounts._ACCOUNTS].pop(entry.entry_id)
    account.stop()
    registry = ir.async_get(hass)
    for issue in [*registry.issues.values()]:
        if not issue.is_persistent:
            registry.async_delete(issue.domain, issue.issue_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the system write no more than a few bytes to any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the issues by what they are about; all of them can be read."""
    found = {
        issue.translation_key: issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }
    for key, issue in found.items():
        texts = TRANSLATIONS["issues"][key]
        shown = [texts["title"]]
        if issue.is_fixable:
            (step,) = texts["fix_flow"]["step"].values()
            shown += [step["title"], step["description"]]
        else:
            shown.append(texts["description"])
        for text in shown:
            assert placeholders_in(text) <= set(issue.translation_placeholders), text
    return found
