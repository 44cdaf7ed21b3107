"""Fixtures of what goes through the actions."""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest


@pytest.fixture
def storage(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Keep what has to be remembered in a folder of the test."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path / ".storage"
