"""One SMS: every way to send it."""

from collections.abc import Iterable
from functools import partial

from .bench import FAST, Bench
from .clock import take_turns
from .contestants import (
    ACTION,
    BARE_ENTITY,
    ENTITY,
    OURS,
    REST_COMMAND,
    Send,
    all_ways,
    by_bare_entity,
)
from .figures import Result, Sample, compare, in_short, ratio_targets
from .zoho import recipient_numbers

#: Of an entity that does no more than the POST, and shows the same.
LIMIT = 1.10


async def measure(bench: Bench) -> Result:
    """Send one after another, in turns."""
    result = Result()
    async with bench.account() as entry:
        ways = all_ways(bench, entry)
        ways[BARE_ENTITY] = await by_bare_entity(bench, entry)
        async for situation in bench.situations():
            rounds, calls = (101, 25) if situation == FAST else (15, 10)
            group = await send_in_turns(bench, ways, bench.rounds(rounds, 9), calls)
            title = f"One SMS, {situation}"
            result.tables.append(compare(title, ["sent by"], {"": group}, *OURS))
            result.targets += ratio_targets(
                title, group, ENTITY, BARE_ENTITY, limit=LIMIT
            )
            row = in_short(title, group[ACTION], group, REST_COMMAND)
            result.in_short.append(row)
    if bench.quick:
        return result
    async with bench.account(1000) as entry:
        ways = all_ways(bench, entry)
        some = {name: ways[name] for name in (REST_COMMAND, ACTION, ENTITY)}
        group = await send_in_turns(bench, some, bench.rounds(19), 10)
        title = "One SMS, account with 1,000 recipients"
        table = compare(title, ["sent by"], {"": group}, ACTION, ENTITY)
        result.tables.append(table)
    return result


async def send_in_turns(
    bench: Bench, ways: dict[str, Send], rounds: Iterable[int], calls: int
) -> dict[str, list[Sample]]:
    """Return what one call took of each turn; a quick run makes fewer calls."""
    [number] = recipient_numbers(1)
    # What ran before the first calls of a turn is not theirs; they are not timed.
    warm = 1 if bench.quick else 3
    calls = calls // 5 if bench.quick else calls

    async def send(count: int, name: str) -> None:
        for _ in range(count):
            await ways[name](number)

    async def check(_: str) -> None:
        sends = warm + calls
        await bench.zoho.check([number] * sends, sends)

    group = await take_turns(
        rounds,
        {name: partial(send, calls, name) for name in ways},
        before=partial(send, warm),
        after=check,
        measure=bench.take_in,
    )
    return {
        name: [Sample(each.wall / calls, each.cpu / calls) for each in samples]
        for name, samples in group.items()
    }
