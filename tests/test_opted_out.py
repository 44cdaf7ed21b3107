"""Whoever answers STOP gets nothing more, until START or until a person allows it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.zoho_voice.const import DOMAIN
from sandbox import FaultKind, Sandbox

from .common import full_disk, issues, let_time_pass, outbox, send, start_again
from .conftest import ALICE, BOB, CAROL, TRANSLATIONS, placeholders_in, recipient

BOTH = {"recipients": ["Alice", "Night shift"]}


@pytest.fixture(autouse=True)
def auto_storage(storage: Path) -> None:
    """Keep what has to be remembered in a folder of the test."""


@pytest.fixture
def recipients() -> list[ConfigSubentryData]:
    """Return the recipients of the entry."""
    return [recipient("Alice", ALICE), recipient("Night shift", BOB, CAROL)]


@pytest.fixture
async def account(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return an account that is set up, and has looked into its log."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await entry.runtime_data.coordinator.async_refresh()
    return entry


async def answer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    text: str,
    number: str = ALICE,
) -> None:
    """Answer, and let it be noticed."""
    sandbox.receive(number, text)
    await entry.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()


def numbers(sandbox: Sandbox) -> list[str]:
    return [sms.number for sms in sandbox.sent]


async def test_nothing_is_sent_after_stop_until_start(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await answer(hass, account, sandbox, "Stop.")
    for recipients in ("Alice", ALICE, "notify.alice"):
        with pytest.raises(HomeAssistantError) as caught:
            await send(hass, recipients=recipients)
        assert caught.value.translation_key == "opted_out"
        assert str(caught.value).startswith("Alice (…0100) answered STOP")
    with pytest.raises(HomeAssistantError, match="answered STOP"):
        await hass.services.async_call(
            "notify",
            "send_message",
            {"entity_id": "notify.alice", "message": "Hello"},
            blocking=True,
        )
    assert sandbox.requests == []
    await answer(hass, account, sandbox, "START")
    assert issues(hass) == {}
    await send(hass)
    assert numbers(sandbox) == [ALICE]


async def test_others_of_the_call_get_it(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await answer(hass, account, sandbox, "STOP", BOB)
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, **BOTH)
    assert caught.value.translation_key == "partly_sent"
    assert caught.value.sent_to == {ALICE, CAROL}
    assert "Night shift (…0111) answered STOP" in str(caught.value)
    assert numbers(sandbox) == [ALICE, CAROL]
    with pytest.raises(HomeAssistantError, match="…0111\\) answered STOP"):
        await send(hass, **BOTH, dry_run=True)


async def test_stranger_who_answers_stop_is_marked_too(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await answer(hass, account, sandbox, "unsubscribe", "+14805550199")
    with pytest.raises(HomeAssistantError, match="…0199 answered STOP"):
        await send(hass, recipients="+14805550199")
    placeholders = issues(hass)["opted_out"].translation_placeholders
    assert placeholders == {"account": account.title, "recipient": "…0199"}


async def test_stop_from_a_masked_number_is_of_whom_alone_it_can_be(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await answer(hass, account, sandbox, "STOP", "+148055501**")
    await send(hass, **BOTH)
    await answer(hass, account, sandbox, "STOP", "+1480*****00")
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, **BOTH)
    assert caught.value.sent_to == {BOB, CAROL}


@pytest.mark.clock
async def test_what_waits_for_them_is_refused(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
) -> None:
    sandbox.add_fault(FaultKind.TOO_MANY_REQUESTS)
    rows = await send(hass, **BOTH, keep_trying=True)
    assert {row["status"] for row in rows} == {"QUEUED"}
    await answer(hass, account, sandbox, "STOP")
    (ended,) = (await outbox(hass))["ended"]
    assert (ended["recipient"], ended["state"]) == (ALICE, "refused")
    assert ended["reason"] == "OPTED_OUT"
    await let_time_pass(hass, freezer, minutes=15)
    assert sorted(numbers(sandbox)) == [BOB, CAROL]
    assert (await outbox(hass))["waiting"] == []


async def fixing(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]:
    """Return what posts to the dialogs of issues, and returns the answer."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()

    async def post(path: str, data: dict[str, Any]) -> dict[str, Any]:
        response = await client.post(f"/api/repairs/issues/fix{path}", json=data)
        assert response.status == 200
        return await response.json()

    return post


@pytest.mark.parametrize("choice", ["keep_refusing", "allow"])
async def test_issue_asks_what_to_do(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    hass_client: ClientSessionGenerator,
    choice: str,
) -> None:
    post = await fixing(hass, hass_client)
    await answer(hass, account, sandbox, "STOP")
    issue = issues(hass)["opted_out"]
    assert ALICE[2:] not in str(issue)
    await start_again(hass, account)
    assert issues(hass)["opted_out"].issue_id == issue.issue_id
    shown = await post("", {"handler": DOMAIN, "issue_id": issue.issue_id})
    texts = TRANSLATIONS["issues"]["opted_out"]["fix_flow"]["step"]["init"]
    assert {*shown["menu_options"]} == {*texts["menu_options"]}
    for text in (texts["title"], texts["description"]):
        assert placeholders_in(text) <= {*shown["description_placeholders"]}
    ended = await post(f"/{shown['flow_id']}", {"next_step_id": choice})
    assert ended["type"] == "create_entry"
    assert issues(hass) == {}
    await hass.async_block_till_done(wait_background_tasks=True)
    await start_again(hass, account)
    assert issues(hass) == {}
    if choice == "allow":
        await send(hass)
        assert numbers(sandbox) == [ALICE]
    else:
        with pytest.raises(HomeAssistantError, match="answered STOP"):
            await send(hass)


@pytest.mark.parametrize("choice", ["keep_refusing", "allow"])
async def test_start_while_the_dialog_is_open_decides(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    hass_client: ClientSessionGenerator,
    choice: str,
) -> None:
    post = await fixing(hass, hass_client)
    await answer(hass, account, sandbox, "STOP")
    await answer(hass, account, sandbox, "STOP", BOB)
    issue_id = min(
        issue_id for _, issue_id in ir.async_get(hass).issues if "opted" in issue_id
    )
    shown = await post("", {"handler": DOMAIN, "issue_id": issue_id})
    for number in (ALICE, BOB):
        await answer(hass, account, sandbox, "START", number)
    ended = await post(f"/{shown['flow_id']}", {"next_step_id": choice})
    assert ended["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)
    await start_again(hass, account)
    assert issues(hass) == {}
    await send(hass, **BOTH)
    assert numbers(sandbox) == [ALICE, BOB, CAROL]


async def test_decision_that_can_not_be_written_now_is_written_with_the_next(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    post = await fixing(hass, hass_client)
    await answer(hass, account, sandbox, "STOP")
    issue_id = issues(hass)["opted_out"].issue_id
    shown = await post("", {"handler": DOMAIN, "issue_id": issue_id})
    caplog.clear()
    with full_disk():
        await post(f"/{shown['flow_id']}", {"next_step_id": "allow"})
        await account.runtime_data.async_wait()
    assert "Could not write down who wants no SMS" in caplog.text
    await send(hass)
    assert numbers(sandbox) == [ALICE]
    await start_again(hass, account)
    await send(hass)
    assert issues(hass) == {}


async def test_issue_goes_with_its_account(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await answer(hass, account, sandbox, "STOP")
    assert issues(hass)
    await hass.config_entries.async_remove(account.entry_id)
    assert issues(hass) == {}


async def test_words_of_home_assistants_language_count(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await answer(hass, account, sandbox, "Abmelden")
    assert issues(hass) == {}
    hass.config.language = "de"
    await answer(hass, account, sandbox, "Abmelden")
    assert [*issues(hass)] == ["opted_out"]
