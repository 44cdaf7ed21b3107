"""Prints how long imports take (seconds); run as a process of its own.

It loads first what a running core has loaded anyway, then forks for each sample: each
import is the first one of its process, with the files in the system's cache.
"""

import importlib
import importlib.util
import json
import os
import pkgutil
import sys
import time

#: Loaded by Home Assistant itself, by `default_config:` and by nearly every set-up.
BASE = [
    "homeassistant.bootstrap",
    "homeassistant.helpers.config_entry_oauth2_flow",
    "homeassistant.helpers.selector",
    "homeassistant.helpers.update_coordinator",
    "homeassistant.runner",
]
BASE += [
    f"homeassistant.components.{name}"
    for name in [
        "application_credentials",
        "cloud",
        "config",
        "diagnostics",
        "event",
        "http",
        "media_source",
        "notify.legacy",
        "repairs",
        "sensor",
        "tts",
        "update",
        "webhook",
    ]
]


def modules_of(package: str) -> list[str]:
    """Return all modules of an integration: Home Assistant imports each in time."""
    found = importlib.util.find_spec(package)
    paths = found.submodule_search_locations if found else None
    # They bring the packages along.
    modules = [module for module in pkgutil.iter_modules(paths) if not module.ispkg]
    return [package, *(f"{package}.{module.name}" for module in modules)]


def import_in_child(modules: list[str]) -> tuple[float, int]:
    """Return the seconds an import takes in a fork, and how many modules it brings."""
    reader, writer = os.pipe()
    if not os.fork():
        before, start = len(sys.modules), time.perf_counter()
        for module in modules:
            importlib.import_module(module)
        seconds = time.perf_counter() - start
        os.write(writer, json.dumps([seconds, len(sys.modules) - before]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        seconds, count = json.load(pipe)
    os.wait()
    return seconds, count


def main(rounds: int, integrations: list[str], library: str) -> None:
    """Import each in turns; print the samples as JSON."""
    for module in BASE:
        importlib.import_module(module)
    jobs = {name: modules_of(name) for name in integrations} | {library: [library]}
    samples: dict[str, list[tuple[float, int]]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, modules in jobs.items():
            samples[name].append(import_in_child(modules))
    print(json.dumps(samples))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[3:], sys.argv[2])
