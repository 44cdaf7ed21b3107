"""Prints how long imports take, in seconds; run as a process of its own.

Loads first what a running core has loaded anyway, then forks for each sample: each
import is the first one of its process, with the files in the system's cache.
"""

import argparse
import importlib
import importlib.util
import json
import os
from pathlib import Path
import pkgutil
import sys
import time

#: Loaded by Home Assistant itself, by `default_config:` and by nearly every set-up.
BASE = (
    "homeassistant.bootstrap",
    "homeassistant.components.application_credentials",
    "homeassistant.components.cloud",
    "homeassistant.components.config",
    "homeassistant.components.diagnostics",
    "homeassistant.components.event",
    "homeassistant.components.http",
    "homeassistant.components.media_source",
    "homeassistant.components.notify.legacy",
    "homeassistant.components.repairs",
    "homeassistant.components.sensor",
    "homeassistant.components.tts",
    "homeassistant.components.update",
    "homeassistant.components.webhook",
    "homeassistant.helpers.config_entry_oauth2_flow",
    "homeassistant.helpers.selector",
    "homeassistant.helpers.update_coordinator",
    "homeassistant.runner",
)
LIBRARY = "phonenumbers"


def modules_of(name: str) -> list[str]:
    """Return all modules of an integration: Home Assistant imports each in time."""
    package = (
        f"custom_components.{name}"
        if Path("custom_components", name).is_dir()
        else f"homeassistant.components.{name}"
    )
    found = importlib.util.find_spec(package)
    paths = found.submodule_search_locations if found else None
    names = [package]
    names += [
        f"{package}.{module.name}"
        for module in pkgutil.iter_modules(paths)
        if not module.ispkg
    ]
    return names


def import_in_child(modules: list[str]) -> tuple[float, int]:
    """Return the seconds an import takes in a fork, and how many modules it brings."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        status = 1
        try:
            before, start = len(sys.modules), time.perf_counter()
            for module in modules:
                importlib.import_module(module)
            seconds = time.perf_counter() - start
            os.write(writer, json.dumps([seconds, len(sys.modules) - before]).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    seconds, count = json.loads(answer)
    return seconds, count


def main() -> None:
    """Import each in turns; print the samples as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", type=int)
    parser.add_argument("integrations", nargs="+")
    options = parser.parse_args()
    for module in BASE:
        importlib.import_module(module)
    jobs = {name: modules_of(name) for name in options.integrations}
    jobs[LIBRARY] = [LIBRARY]
    counts = {name: import_in_child(modules)[1] for name, modules in jobs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(options.rounds):
        for name, modules in jobs.items():
            seconds[name].append(import_in_child(modules)[0])
    print(json.dumps({"seconds": seconds, "modules": counts}))


if __name__ == "__main__":
    main()
