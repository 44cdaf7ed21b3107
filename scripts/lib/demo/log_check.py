"""Search Home Assistant's log for what must not be in it."""

from collections.abc import Sequence
import json
from pathlib import Path

from scripts.lib.hass_log import records, without_time
from scripts.lib.process import ROOT

from .stage import Stage

_COMPLAINTS = {"WARNING", "ERROR", "CRITICAL"}
_SHOWN_LINES = 10
_UNAVOIDABLE = "We found a custom integration zoho_voice which has not been tested"


def check_log(stage: Stage) -> list[tuple[bool, str]]:
    """Return what was checked, and whether it held."""
    secrets = stage.secrets | _stored_tokens(stage.hass.directory)
    # The folder that all of this lies in may be called anything.
    log = stage.hass.log.replace(str(ROOT), "")
    found = list(records(log))
    about_us = [text for level, text in found if level and "zoho_voice" in text]
    complaints = [
        text
        for level, text in found
        if level in _COMPLAINTS
        and "zoho_voice" in text
        and _UNAVOIDABLE not in text
        and not any(error.rstrip(".") in text for error in stage.errors)
    ]
    private = [
        text
        for level, text in found
        if level != "DEBUG" and any(each in without_time(text) for each in stage.texts)
    ]
    leaks = [text for _, text in found if any(each in text for each in secrets)]
    return [
        (
            len(about_us) > 0,
            f"{len(found)} records, {len(about_us)} about zoho_voice",
        ),
        _none(
            "no warning, error, deprecation or blocking call concerns it, but what the"
            " calls that had to fail said",
            complaints,
        ),
        _none(
            f"none of {len(stage.texts)} numbers and texts above debug level", private
        ),
        _none(f"none of {len(secrets)} tokens and secrets at any level", leaks),
    ]


def _none(text: str, found: Sequence[str]) -> tuple[bool, str]:
    """Say that nothing was found, or how much, with an example."""
    if not found:
        return True, text
    lines = found[0].splitlines()
    if len(lines) > _SHOWN_LINES:
        half = _SHOWN_LINES // 2
        lines[half:-half] = ["…"]
    example = "\n".join(lines)
    return False, f"{text}\nbut {len(found)} of them, the first is:\n{example}"


def _stored_tokens(directory: Path) -> set[str]:
    """Return the tokens that Home Assistant keeps."""
    path = directory / ".storage" / "core.config_entries"
    if not path.exists():
        return set()
    stored = json.loads(path.read_text())
    return {
        entry["data"]["token"][kind]
        for entry in stored["data"]["entries"]
        if entry["domain"] == "zoho_voice"
        for kind in ("access_token", "refresh_token")
    }
