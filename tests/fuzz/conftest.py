"""Fixtures: an account at a Zoho that may answer anything, and a log that is read."""

from collections.abc import AsyncGenerator
import gc
import logging
from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .zoho import AnyZoho


class Log:
    """What is logged; an error or a traceback in it is a defect."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __enter__(self) -> None:
        """Begin an example, whatever the one before it left."""
        self._caplog.clear()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Check what was logged, unless there is a defect already."""
        if kind is None:
            self.check()

    def check(self) -> None:
        """Check what was logged since the last time."""
        formatter = logging.Formatter()
        records = [
            formatter.format(record)
            for record in self._caplog.records
            if record.exc_info or record.levelno >= logging.ERROR
        ]
        self._caplog.clear()
        assert records == []


@pytest.fixture
async def log(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> AsyncGenerator[Log]:
    """Return the log, which is checked in the end, too."""
    # It would write down the stack at each step of the loop.
    hass.loop.set_debug(False)
    log = Log(caplog)
    yield log
    await hass.async_block_till_done()
    # A task whose error nobody asked for says so when it is thrown away.
    gc.collect()
    log.check()


@pytest.fixture
async def zoho(socket_enabled: None) -> AsyncGenerator[AnyZoho]:
    """Run a Zoho that may answer anything."""
    zoho = AnyZoho()
    async with await zoho.start():
        yield zoho


@pytest.fixture
def storage(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Keep what has to be remembered in a folder of the test."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path / ".storage"


@pytest.fixture
def entry(
    hass: HomeAssistant, entry: MockConfigEntry, zoho: AnyZoho, storage: Path
) -> MockConfigEntry:
    """Return an account at that Zoho, which is not set up."""
    hass.config_entries.async_update_entry(
        entry,
        data={**entry.data, "accounts_url": zoho.url, "voice_url": zoho.url},
        options={"flood_limit": 0, "keep_trying": 3600},
    )
    return entry
