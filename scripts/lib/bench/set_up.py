"""Set-up of an entry with 1, 100 and 1,000 recipients, against core's `smtp`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
import gc
import tracemalloc

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .bench import Bench
from .mail import DOMAIN as SMTP, MailServer
from .many_recipients import growth
from .result import Result, Table, Target
from .rounds import Sample, Spread, cpus, ratio, timed, walls
from .smtp_alike import registered_like_ours
from .stretch import longest_stretch
from .zoho import (
    DOMAIN as ZOHO,
    WrongResultError,
    add_entry,
    check_loaded,
    remove_entry,
)

#: `smtp` if it registered of each recipient what we do: what that alone takes.
ALIKE = "smtp, registered alike"
THEIRS = (SMTP, ALIKE)
FIRST, AGAIN, RELOAD = "first set-up", "set-up, registered", "reload"
PHASES = (FIRST, AGAIN, RELOAD)
OF = {"wall": walls, "CPU": cpus}
LARGE = 1000
#: With what comes once an account.
_BASE_SIZE = 1


@dataclass(frozen=True, slots=True)
class Contestant:
    """Make an entry with so many recipients, and what has to hold while it lives."""

    new_entry: Callable[[int], Awaitable[ConfigEntry]]
    during: Callable[[], AbstractContextManager[None]] = nullcontext


async def measure(bench: Bench, mail: MailServer) -> Result:
    """Set up all in turns; then again to count bytes."""

    async def smtp_entry(recipients: int) -> ConfigEntry:
        return mail.entry(recipients)

    contestants = {
        ZOHO: Contestant(bench.zoho.entry),
        SMTP: Contestant(smtp_entry),
        ALIKE: Contestant(smtp_entry, registered_like_ours),
    }
    for contestant in contestants.values():  # warm
        await _times(bench.hass, contestant, _BASE_SIZE)
    result = Result("set_up")
    await _measure_time(bench, contestants, result)
    await _measure_memory(bench, contestants, result)
    return result


async def _measure_time(
    bench: Bench, contestants: dict[str, Contestant], result: Result
) -> None:
    samples: dict[str, dict[str, dict[int, list[Sample]]]] = {
        phase: {name: {} for name in contestants} for phase in PHASES
    }
    stretches: dict[str, dict[int, list[float]]] = {name: {} for name in contestants}
    for size, rounds in bench.scale.set_up.items():
        for number in range(rounds):
            names = [*contestants]
            for name in names if number % 2 else reversed(names):
                gc.collect()
                times, stretch = await _times(bench.hass, contestants[name], size)
                stretches[name].setdefault(size, []).append(stretch)
                for phase, sample in times.items():
                    samples[phase][name].setdefault(size, []).append(sample)
    result.raw |= {"time": samples, "stretch": stretches}
    result.tables.append(
        Table(
            "Set-up of an entry",
            (
                "recipients",
                "",
                *(f"{name}, wall, ms" for name in contestants),
                *(f"against {name}, {what}" for name in THEIRS for what in OF),
            ),
            [
                (
                    f"{size:,}",
                    phase,
                    *(
                        Spread.of(walls(samples[phase][name][size])).text(1000, 1)
                        for name in contestants
                    ),
                    *(
                        ratio(
                            of(samples[phase][ZOHO][size]),
                            of(samples[phase][name][size]),
                        ).text()
                        for name in THEIRS
                        for of in OF.values()
                    ),
                )
                for phase in PHASES
                for size in bench.scale.set_up
            ],
        )
    )
    result.tables.append(
        Table(
            "Longest stretch on the event loop during the first set-up: wall, ms",
            ("recipients", *contestants),
            [
                (
                    f"{size:,}",
                    *(
                        Spread.of(stretches[name][size]).text(1000, 1)
                        for name in contestants
                    ),
                )
                for size in bench.scale.set_up
            ],
        )
    )
    result.targets += [
        Target(
            f"Time per recipient, {phase}, of smtp's",
            ratio(
                _per_recipient(samples[phase][ZOHO]),
                _per_recipient(samples[phase][SMTP]),
            ),
            1,
        )
        for phase in PHASES
    ]
    result.targets += [
        growth(
            f"CPU of {phase}",
            {size: cpus(of_one) for size, of_one in samples[phase][ZOHO].items()},
        )
        for phase in (FIRST, RELOAD)
    ]


def _per_recipient(by_size: dict[int, list[Sample]]) -> list[float]:
    """Return what each further recipient takes."""
    base = Spread.of(walls(by_size[_BASE_SIZE])).median
    return [(wall - base) / (LARGE - _BASE_SIZE) for wall in walls(by_size[LARGE])]


async def _times(
    hass: HomeAssistant, contestant: Contestant, recipients: int
) -> tuple[dict[str, Sample], float]:
    """Measure a life of an entry, and its first set-up's longest stretch on the loop.

    It leaves nothing behind.
    """
    entry = await contestant.new_entry(recipients)

    async def set_up() -> None:
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()

    async def reload() -> None:
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()

    with contestant.during():
        with longest_stretch() as stretch:
            samples = {
                FIRST: await timed(lambda: asyncio.create_task(add_entry(hass, entry)))
            }
        _check(hass, entry, recipients)
        await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
        samples[AGAIN] = await timed(set_up)
        _check(hass, entry, recipients)
        samples[RELOAD] = await timed(reload)
        _check(hass, entry, recipients)
    await _forget(hass, entry)
    return samples, stretch.wall


def _check(hass: HomeAssistant, entry: ConfigEntry, recipients: int) -> None:
    """Raise unless every recipient has an entity that works."""
    check_loaded(entry)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    states = [hass.states.get(entity.entity_id) for entity in entities]
    alive = [state for state in states if state and state.state == "unknown"]
    if len(alive) != recipients:
        raise WrongResultError(f"{len(alive)} entities, not {recipients}")


async def _forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove an entry, and what the registries remember of it."""
    await remove_entry(hass, entry)
    er.async_get(hass).deleted_entities.clear()
    dr.async_get(hass)._deleted_devices.clear()  # noqa: SLF001  nothing public does


@contextmanager
def _tracing() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


async def _measure_memory(
    bench: Bench, contestants: dict[str, Contestant], result: Result
) -> None:
    found: dict[str, list[float]] = {name: [] for name in contestants}
    large, rounds = bench.scale.memory
    for _ in range(rounds):
        for name, contestant in contestants.items():
            of_size = []
            for size in (_BASE_SIZE, large):
                gc.collect()
                with contestant.during(), _tracing():
                    entry = await contestant.new_entry(size)
                    await add_entry(bench.hass, entry)
                    gc.collect()
                    of_size.append(tracemalloc.get_traced_memory()[0])
                _check(bench.hass, entry, size)
                await _forget(bench.hass, entry)
            found[name].append((of_size[1] - of_size[0]) / (large - _BASE_SIZE))
    result.raw["memory"] = found
    result.tables.append(
        Table(
            "Memory per recipient",
            ("integration", "KiB"),
            [
                (name, Spread.of(values).text(1 / 1024))
                for name, values in found.items()
            ],
        )
    )
    result.targets.append(
        Target("Memory per recipient, of smtp's", ratio(found[ZOHO], found[SMTP]), 1)
    )
