"""1,000 SMS: what holds up the event loop, and what an expired token adds.

Afterwards nothing works that got its token before.
"""

from collections.abc import Awaitable, Callable, Iterable

from .bench import FAST, Bench
from .clock import take_turns, watched
from .contestants import ACTION, REST_COMMAND, Send, all_ways, call
from .figures import Result, Sample, Spread, Target, compare, ratio_targets
from .zoho import Received, numbers

CALLS = 1000
AT_ONCE, LOOP = "calls at once", "calls one after another"
OURS_AT_ONCE, THEIRS_AT_ONCE = f"{ACTION}, {AT_ONCE}", f"{REST_COMMAND}, {AT_ONCE}"
OURS_LOOP, THEIRS_LOOP = f"{ACTION}, {LOOP}", f"{REST_COMMAND}, {LOOP}"
OURS_ONE_CALL = f"{ACTION}, one call"

#: Of the longest step of `rest_command`'s, which the processor's clock tells best.
LIMIT = 1.2
#: As many calls find out about a token as may be under way at once.
REFUSED = 4


async def measure(bench: Bench) -> Result:
    """Send in turns, and then all at once with a token that is not valid any more."""
    result = Result()
    groups: dict[str, dict[str, list[Sample]]] = {}
    received: list[Received] = []

    async def check(_: str) -> None:
        received.append(await bench.zoho.check(numbers(CALLS)))

    async def expire(_: str) -> None:
        await bench.zoho.expire_access_tokens()

    async with bench.account() as entry:
        ways = all_ways(bench, entry)
        turns = _turns(bench, ways[ACTION], ways[REST_COMMAND])
        at_once = {OURS_AT_ONCE: turns[OURS_AT_ONCE]}
        async for situation in bench.situations():
            rounds, some = (25, turns) if situation == FAST else (3, at_once)
            groups[situation] = await take_turns(
                bench.rounds(rounds),
                some,
                after=check,
                measure=_watched,
            )
            received.clear()
            expired = f"{situation}, token expired"
            groups[expired] = await take_turns(
                bench.rounds(3),
                at_once,
                before=expire,
                after=check,
                measure=_watched,
            )
            tokens = Spread.of([each.tokens for each in received])
            refused = Spread.of([each.refused for each in received])
            result.targets += [
                Target(f"{expired}: token requests", tokens, 1, "requests"),
                Target(f"{expired}: refused", refused, REFUSED, "requests"),
            ]
    title, labels = f"{CALLS:,} SMS", ("", "sent by")
    result.tables.append(compare(title, labels, groups))
    group = groups[FAST]
    for ours, theirs in (
        (OURS_AT_ONCE, THEIRS_AT_ONCE),
        (OURS_LOOP, THEIRS_LOOP),
        (OURS_ONE_CALL, THEIRS_AT_ONCE),
    ):
        result.targets += ratio_targets(
            title, group, ours, theirs, limit=LIMIT, whats=["step_cpu"]
        )
    return result


async def _watched(turn: Callable[[], Iterable[Awaitable[None]]]) -> Sample:
    return await watched(*turn())


def _turns(
    bench: Bench, ours: Send, theirs: Send
) -> dict[str, Callable[[], Iterable[Awaitable[None]]]]:
    """Return what begins at the same time in each turn."""
    to = numbers(CALLS)

    async def loop(send: Send) -> None:
        for number in to:
            await send(number)

    return {
        OURS_AT_ONCE: lambda: map(ours, to),
        THEIRS_AT_ONCE: lambda: map(theirs, to),
        OURS_LOOP: lambda: [loop(ours)],
        THEIRS_LOOP: lambda: [loop(theirs)],
        OURS_ONE_CALL: lambda: [call(bench, ACTION, recipients=to)],
    }
