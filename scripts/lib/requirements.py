"""Print what Home Assistant would install by itself for integrations.

Those of the UI (`ui`, or if none is named), or the ones that are named.
"""

import json
from pathlib import Path
import sys

import homeassistant
from homeassistant import bootstrap

COMPONENTS = Path(homeassistant.__file__).parent / "components"
# What scripts/lib/hass.py configures, and what a UI cannot do without.
INTEGRATIONS = {
    "alert",
    "automation",
    "config",
    "frontend",
    "history",
    "logbook",
    "notify",
    "recorder",
    "scene",
    "script",
}
# Loaded when one of these is named as an after-dependency, too.
SUPPORTING = {"ffmpeg", "hassio", "infrared", "radio_frequency"}


def runtime_requirements(wanted: set[str]) -> set[str]:
    """Collect the requirements of the integrations and of all they depend on."""
    seen: set[str] = set()
    requirements: set[str] = set()
    while wanted:
        domain = wanted.pop()
        path = COMPONENTS / domain / "manifest.json"
        if domain in seen or not path.exists():
            continue
        seen.add(domain)
        manifest = json.loads(path.read_text())
        requirements.update(manifest.get("requirements", ()))
        wanted.update(manifest.get("dependencies", ()))
        wanted.update(SUPPORTING.intersection(manifest.get("after_dependencies", ())))
    return requirements


def main() -> None:
    """Print the requirements, one a line."""
    wanted = set(sys.argv[1:]) or {"ui"}
    if "ui" in wanted:
        wanted = wanted - {"ui"} | INTEGRATIONS
    wanted |= bootstrap.DEFAULT_INTEGRATIONS | bootstrap.CORE_INTEGRATIONS
    sys.stdout.writelines(f"{line}\n" for line in sorted(runtime_requirements(wanted)))


if __name__ == "__main__":
    main()
