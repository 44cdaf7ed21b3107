"""Set-up of an entry with 1 to 1,000 recipients, and what memory each takes."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
import gc
import tracemalloc
from typing import NamedTuple

from homeassistant.components import smtp
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .bench import Bench
from .clock import timed, watched
from .core import WrongResultError, add_entry, check_loaded, remove_entry
from .figures import (
    Result,
    Sample,
    Spread,
    Table,
    Target,
    compare,
    ratio,
    ratio_targets,
)
from .mail import SMTP, mail_entry
from .many_recipients import SIZES, growth
from .smtp_alike import ALIKE, registered_alike
from .zoho import DOMAIN

#: What each recipient has.
_KINDS = ("notify", "event", "sensor")
#: Of what `smtp` takes that registers the same.
LIMIT = 1.10
FIRST, AGAIN, RELOAD = PHASES = ("first set-up", "set-up, registered", "reload")


class _Contestant(NamedTuple):
    """Make an entry with so many recipients, and what has to hold while it lives."""

    new_entry: Callable[[int], Awaitable[ConfigEntry]]
    during: Callable[[], AbstractContextManager[None]] = nullcontext


async def measure(bench: Bench) -> Result:
    """Set up all in turns; then again to count bytes."""

    async def smtp_entry(recipients: int) -> ConfigEntry:
        return mail_entry(bench.mail_port, recipients)

    contestants = {
        DOMAIN: _Contestant(bench.zoho.entry),
        SMTP: _Contestant(smtp_entry),
        ALIKE: _Contestant(smtp_entry, partial(registered_alike, bench.hass)),
    }
    for contestant in contestants.values():  # warm
        await _live(bench.hass, contestant, 1)
    result = Result()
    await _measure_time(bench, contestants, result)
    await _measure_memory(bench, contestants, result)
    return result


async def _measure_time(
    bench: Bench, contestants: dict[str, _Contestant], result: Result
) -> None:
    sizes = SIZES[:-1] if bench.quick else SIZES
    found: dict[str, dict[str, dict[str, list[Sample]]]] = {
        phase: {f"{size:,}": {name: [] for name in contestants} for size in sizes}
        for phase in PHASES
    }
    for size in sizes:
        for number in bench.rounds(9):
            names = [*contestants]
            for name in names if number % 2 else reversed(names):
                life = await _live(bench.hass, contestants[name], size)
                for phase, sample in zip(PHASES, life, strict=True):
                    found[phase][f"{size:,}"][name].append(sample)
    for phase, groups in found.items():
        title, labels = f"Set-up of an entry: {phase}", ("recipients", "integration")
        result.tables.append(compare(title, labels, groups, DOMAIN))
        largest, group = [*groups.items()][-1]
        title = f"{phase}, {largest} recipients"
        result.targets += ratio_targets(title, group, DOMAIN, ALIKE, limit=LIMIT)
        if phase != AGAIN and not bench.quick:
            result.targets.append(growth(phase, groups, DOMAIN))


async def _live(
    hass: HomeAssistant, contestant: _Contestant, recipients: int
) -> tuple[Sample, Sample, Sample]:
    """Measure the phases of an entry's life, which leaves nothing behind."""
    entry = await contestant.new_entry(recipients)
    entries = hass.config_entries

    async def load(by: Callable[[str], Awaitable[bool]]) -> None:
        await by(entry.entry_id)
        await hass.async_block_till_done()

    with contestant.during():
        first = await watched(add_entry(hass, entry))
        _check(hass, entry)
        await load(entries.async_unload)
        again = await timed(partial(load, entries.async_setup))
        _check(hass, entry)
        reload = await timed(partial(load, entries.async_reload))
        _check(hass, entry)
        await _forget(hass, entry)
    return first, again, reload


def _check(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Raise WrongResultError unless every recipient has the entities that it should.

    `smtp` as it is has a notify entity only.
    """
    check_loaded(entry)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    alive = Counter(
        entity.domain
        for entity in entities
        if entity.domain == "notify" or entity.config_subentry_id
        if hass.states.is_state(entity.entity_id, "unknown")
    )
    kinds = smtp.PLATFORMS if entry.domain == SMTP else _KINDS
    if alive != dict.fromkeys(kinds, len(entry.subentries)):
        raise WrongResultError(f"{alive} for {len(entry.subentries)} recipients")


async def _forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove an entry, and what the registries remember of it."""
    await remove_entry(hass, entry)
    er.async_get(hass).deleted_entities.clear()
    dr.async_get(hass)._deleted_devices.clear()  # noqa: SLF001  nothing public does


async def _measure_memory(
    bench: Bench, contestants: dict[str, _Contestant], result: Result
) -> None:
    large = 100 if bench.quick else 1000
    found: defaultdict[str, list[float]] = defaultdict(list)
    for _ in bench.rounds(3):
        for name, contestant in contestants.items():
            one = await _memory(bench.hass, contestant, 1)
            many = await _memory(bench.hass, contestant, large)
            found[name].append((many - one) / (large - 1))
    title = "Memory of a recipient"
    kib = {name: Spread.of(values, 1 / 1024) for name, values in found.items()}
    result.tables.append(Table(title, ("integration", "KiB"), [*kib.items()]))
    of_theirs = ratio(found[DOMAIN], found[ALIKE])
    result.targets.append(Target(f"{title}: {DOMAIN} ÷ {ALIKE}", of_theirs, LIMIT))
    result.in_short.append((f"{title}, KiB", kib[DOMAIN], kib[SMTP], SMTP))


async def _memory(hass: HomeAssistant, contestant: _Contestant, recipients: int) -> int:
    """Return how many bytes an entry takes."""
    gc.collect()
    with contestant.during():
        tracemalloc.start()
        try:
            entry = await contestant.new_entry(recipients)
            await add_entry(hass, entry)
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        _check(hass, entry)
        await _forget(hass, entry)
    return taken
