"""Fixtures: a real Home Assistant core beside a Zoho on localhost."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from datetime import timedelta
import json
from pathlib import Path
from string import Formatter
import time
from typing import Any
from unittest.mock import patch

import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import ConfigSubentryData, OptionsFlowManager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import (
    FlowHandler,
    FlowManager,
    FlowResult,
    FlowResultType,
    section,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from hypothesis import HealthCheck, settings
import pytest
from pytest_homeassistant_custom_component import plugins
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

# Without this import first, Home Assistant does not find the integration.
import custom_components.zoho_voice
from custom_components.zoho_voice.const import DOMAIN
from sandbox import Sandbox

SENDER_ID = "+18885550100"
ALICE = "+14805550100"
BOB = "+14805550111"
CAROL = "+14805550122"
DAVE = "+14805550133"

type Look = Callable[..., Awaitable[int]]

INTEGRATION = Path(custom_components.zoho_voice.__file__).parent
TRANSLATIONS = json.loads((INTEGRATION / "translations" / "en.json").read_text())

#: When a test takes place, unless it says otherwise (UTC).
NOW = "2026-11-22 12:00:00"
#: When a test that is marked `clock` takes place. Home Assistant is in US/Pacific.
MOMENTS = [
    NOW,
    "2026-12-31 23:59:59",
    "2027-01-01 07:59:59",  # 31 December, 23:59:59
    "2027-03-14 09:59:59",  # the clock is put forward in a second
    "2027-11-07 08:59:59",  # the clock is put back in a second
    "2027-11-07 09:30:00",  # the clock shows 1:30 for the second time
    "2028-02-29 23:59:59",
]

# Each run tries the same examples, so that none fails by chance. `--hypothesis-seed=N`
# tries others, and ten times as many.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("others", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("same")


def examples(count: int) -> settings:
    """Return how many examples a test tries, which share its fixtures."""
    return settings(
        max_examples=count * settings.default.max_examples // 100,
        suppress_health_check=[
            HealthCheck.data_too_large,
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Try other examples if there is a seed for them."""
    if config.getoption("--hypothesis-seed") is not None:
        settings.load_profile("others")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop the calendar, before any test is read, until the end.

    Time goes on passing for whoever measures how much of it did: the event loop and
    all that waits.
    """
    for name in ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"):
        setattr(freezegun.api, f"fake_{name}", getattr(freezegun.api, f"real_{name}"))
    # Freezegun's own lacks the offset from UTC, which aiohttp's access log wants.
    freezegun.api.fake_localtime = _localtime
    # Nobody is left out, so what is near a thread's beginning reads no other time.
    freezegun.configure(default_ignore_list=[])
    # Freezegun, as the test framework mends it before each test.
    plugins.pytest_runtest_setup()
    # Once: it looks for clocks in all modules. What a test begins on top does not.
    calendar = freezegun.freeze_time(NOW)
    calendar.start()
    session.config.add_cleanup(calendar.stop)


def _localtime(seconds: float | None = None) -> time.struct_time:
    """Return a time since the epoch, or the one that stands still, in local time."""
    return freezegun.api.real_localtime(time.time() if seconds is None else seconds)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what deals with time at every awkward moment."""
    if clock := metafunc.definition.get_closest_marker("clock"):
        metafunc.parametrize("moment", [*MOMENTS, *clock.args])


@pytest.fixture
def moment() -> str:
    """Return when the test takes place (UTC)."""
    return NOW


@pytest.fixture(autouse=True)
def freezer(freezer: FrozenDateTimeFactory, moment: str) -> FrozenDateTimeFactory:
    """Return the clock, which stands still unless the test moves it."""
    freezer.move_to(moment)
    return freezer


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    freezer: FrozenDateTimeFactory, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration, and start at the test's time."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return a snapshot assertion that understands Home Assistant's objects."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def waits() -> Generator[list[float]]:
    """Return how long was waited between the tries of a request; nobody really does."""
    seconds: list[float] = []

    async def sleep(delay: float) -> None:
        seconds.append(delay)

    with patch("custom_components.zoho_voice.zoho.client.sleep", sleep):
        yield seconds


@pytest.fixture
async def sandbox(socket_enabled: None) -> AsyncGenerator[Sandbox]:
    """Run a Zoho on localhost."""
    async with Sandbox(
        redirect_uris=["https://example.com/auth/external/callback"]
    ) as sandbox:
        yield sandbox


@pytest.fixture
def storage(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return where the test's own files are."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path / ".storage"


@pytest.fixture
async def credentials(hass: HomeAssistant, sandbox: Sandbox, storage: Path) -> None:
    """Enter the OAuth client of the sandbox."""
    hass.config.country = "US"
    assert await async_setup_component(hass, "application_credentials", {})
    # Before any client: a server that runs takes no more views.
    assert await async_setup_component(hass, "webhook", {})
    await async_import_client_credential(
        hass,
        DOMAIN,
        ClientCredential(sandbox.client_id, sandbox.client_secret, "Sandbox"),
    )


def recipient(name: str, *numbers: str, **data: Any) -> ConfigSubentryData:
    """Return the data of a recipient."""
    return ConfigSubentryData(
        data={"phone_numbers": list(numbers), **data},
        subentry_type="recipient",
        title=name,
        unique_id=None,
    )


@pytest.fixture
def recipients() -> list[ConfigSubentryData]:
    """Return the recipients of the entry."""
    return [recipient("Alice", ALICE), recipient("Night shift", BOB, CAROL)]


@pytest.fixture
def options() -> dict[str, Any]:
    """Return the options of the entry."""
    return {}


@pytest.fixture
def entry(
    hass: HomeAssistant,
    sandbox: Sandbox,
    credentials: None,
    recipients: list[ConfigSubentryData],
    options: dict[str, Any],
) -> MockConfigEntry:
    """Return an account that is known to Home Assistant but not set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=sandbox.account.zuid,
        title=sandbox.account.email,
        data={
            "auth_implementation": DOMAIN,
            "data_center": "other",
            "accounts_url": sandbox.accounts_url,
            "voice_url": sandbox.voice_url,
            "sender_id": SENDER_ID,
            "token": {**sandbox.issue_token(), "expires_at": time.time() + 3600},
        },
        options=options,
        subentries_data=recipients,
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def account(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return an account that is set up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
def look(hass: HomeAssistant, freezer: FrozenDateTimeFactory, sandbox: Sandbox) -> Look:
    """Return how to let time pass; it tells how often the log was asked for.

    Without a time, it is as long as the log is not asked for twice.
    """

    async def pass_time(**time: float) -> int:
        before = len(sandbox.reads)
        for entry in hass.config_entries.async_loaded_entries(DOMAIN):
            await entry.runtime_data.async_wait()
        await hass.async_block_till_done()
        span = timedelta(**(time or {"seconds": 61}))
        freezer.tick(span)
        async_fire_time_changed(hass, dt_util.utcnow() + span)
        await hass.async_block_till_done(wait_background_tasks=True)
        return len(sandbox.reads) - before

    return pass_time


@pytest.fixture
def translated_flows() -> Generator[None]:
    """Check that whatever a flow shows has a text, and whatever the text names."""
    handle_step = FlowManager._async_handle_step

    async def check_step(
        manager: FlowManager, flow: FlowHandler, *args: Any
    ) -> FlowResult:
        result = await handle_step(manager, flow, *args)
        texts = TRANSLATIONS["config"]
        if isinstance(flow.handler, tuple):
            texts = TRANSLATIONS["config_subentries"][flow.handler[1]]
        elif isinstance(manager, OptionsFlowManager):
            texts = TRANSLATIONS["options"]
        placeholders = {*(result.get("description_placeholders") or {})}
        for text in _texts_shown(texts, result):
            missing = placeholders_in(text) - placeholders
            assert not missing, f"{text!r} names {missing}"
        return result

    with patch.object(FlowManager, "_async_handle_step", check_step):
        yield


def placeholders_in(text: str) -> set[str]:
    """Return the names of a text's placeholders."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _texts_shown(texts: dict[str, Any], result: FlowResult) -> list[str]:
    """Return the texts of a flow's result; KeyError where there is none."""
    if result["type"] is FlowResultType.ABORT:
        return [texts["abort"][result["reason"]]]
    if result["type"] is not FlowResultType.FORM:
        return []
    step = texts["step"][result["step_id"]]
    return [
        step["title"],
        *_texts_of_fields(step, result["data_schema"]),
        *(texts["error"][error] for error in (result["errors"] or {}).values()),
    ]


def _texts_of_fields(texts: dict[str, Any], schema: Any) -> list[str]:
    """Return the texts of a form or of one of its sections."""
    shown = [texts.get("description", "")]
    for field, kind in (schema.schema if schema else {}).items():
        name = str(field)
        if isinstance(kind, section):
            group = texts["sections"][name]
            shown += [group["name"], *_texts_of_fields(group, kind.schema)]
        else:
            shown += [texts["data"][name], texts["data_description"][name]]
    return shown
