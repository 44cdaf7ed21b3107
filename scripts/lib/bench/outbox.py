"""What the outbox costs: for a message that goes at once, and for 1,000 that wait."""

import asyncio
from collections import defaultdict
import os
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.storage import STORAGE_DIR

from .bench import FAST, Bench
from .clock import watched
from .contestants import ACTION, ENTITY, Send, call
from .core import add_entry, entity_ids, remove_entry
from .figures import Result, Sample, Target, compare, ms, ratio_targets
from .one_sms import send_in_turns
from .zoho import DOMAIN, TEXT, numbers

KEEP_TRYING = 3600.0
OFF, ON, SYNCED = "outbox off", "outbox on", "outbox off, after a synced write"
#: Of the same message with the outbox off.
LIMIT = 1.5
#: Of the same message after the least that a disk has to be waited for.
SYNCED_LIMIT = 1.10

WAITING = 1000
KEPT, LOADED, SENT = "kept, account not loaded", "loaded at start", "sent after that"
#: The longest that loading and any step may take (milliseconds).
LOAD_LIMIT = 100
STEP_LIMIT = 20


async def measure(bench: Bench) -> Result:
    """Send with the outbox and without; then let 1,000 messages wait."""
    result = Result()
    await _measure_at_once(bench, result)
    await _measure_waiting(bench, result)
    return result


async def _measure_at_once(bench: Bench, result: Result) -> None:
    """Compare two accounts that differ in nothing else."""

    def by(action: str, entry: ConfigEntry) -> Send:
        [entity_id] = entity_ids(bench.hass, entry)
        return lambda _: call(bench, action, entity_id=entity_id)

    async with (
        bench.account(1) as entry_off,
        bench.account(1, keep_trying=KEEP_TRYING) as entry_on,
    ):
        async for situation in bench.situations():
            groups = {}
            for action in (ACTION, ENTITY):
                rounds = bench.rounds(51 if situation == FAST else 9)
                off, on = by(action, entry_off), by(action, entry_on)
                ways = {OFF: off, SYNCED: _after_synced_write(bench, off), ON: on}
                groups[action] = await send_in_turns(bench, ways, rounds, 10)
            title, labels = f"One SMS, outbox on or off, {situation}", ("sent by", "")
            result.tables.append(compare(title, labels, groups, ON))
            title, group = f"One SMS, {situation}", groups[ACTION]
            # If Zoho takes no time, the disk takes longer than all else.
            limits = {SYNCED: SYNCED_LIMIT} if situation == FAST else {OFF: LIMIT}
            for theirs, limit in limits.items():
                result.targets += ratio_targets(title, group, ON, theirs, limit=limit)


def _after_synced_write(bench: Bench, send: Send) -> Send:
    """Return a way that waits for the disk before it sends, as little as can be."""
    path = Path(bench.hass.config.path("synced"))
    path.write_bytes(bytes(4096))

    def write() -> None:
        file = os.open(path, os.O_WRONLY | os.O_DSYNC)
        os.write(file, TEXT.encode() * 12)
        os.close(file)

    async def write_and_send(number: str) -> None:
        await bench.hass.async_add_executor_job(write)
        await send(number)

    return write_and_send


async def _measure_waiting(bench: Bench, result: Result) -> None:
    """Keep them, load them as after a crash, and send them."""
    group: defaultdict[str, list[Sample]] = defaultdict(list)
    to = numbers(WAITING)
    for _ in bench.rounds(9):
        async with bench.account(1, keep_trying=KEEP_TRYING) as entry:
            await bench.hass.config_entries.async_unload(entry.entry_id)
            group[KEPT].append(await watched(call(bench, ACTION, recipients=to)))
            await bench.zoho.check([])
            # One may be tried at this moment, and would be reported as unclear.
            content = _file(bench, entry).read_text().replace("submitting", "queued")
        entry = await bench.zoho.entry(1, keep_trying=KEEP_TRYING)
        _file(bench, entry).write_text(content)
        group[LOADED].append(await watched(add_entry(bench.hass, entry)))
        group[SENT].append(await watched(_until_all_sent(bench, entry)))
        await bench.zoho.check(to)
        await remove_entry(bench.hass, entry)
    title = f"{WAITING:,} waiting messages"
    result.tables.append(compare(title, [""], {"": group}))
    load = ms(group[LOADED])
    result.targets.append(Target(f"{title}: {LOADED}", load, LOAD_LIMIT, "ms"))
    for name, samples in group.items():
        step = ms(samples, "step")
        target = Target(f"{title}, {name}: longest step", step, STEP_LIMIT, "ms")
        result.targets.append(target)


def _file(bench: Bench, entry: ConfigEntry) -> Path:
    """Return where an account keeps what waits."""
    return Path(bench.hass.config.path(STORAGE_DIR, f"{DOMAIN}.{entry.entry_id}"))


async def _until_all_sent(bench: Bench, entry: ConfigEntry) -> None:
    """Wait until the account's sensor says that nothing waits any more."""
    unique_id = f"{entry.entry_id}_messages_waiting"
    registry = er.async_get(bench.hass)
    entity_id = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
    while not bench.hass.states.is_state(str(entity_id), "0"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
