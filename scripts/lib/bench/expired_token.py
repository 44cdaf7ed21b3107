"""1,000 calls at once when the access token has expired."""

import asyncio

from homeassistant.config_entries import ConfigEntry

from .bench import Bench
from .contestants import ACTION
from .result import Result, Table, Target
from .rounds import Sample, Spread, cpus, timed, walls
from .zoho import numbers

CALLS = 1000
VALID, EXPIRED = "valid token", "expired token"


async def measure(bench: Bench, entry: ConfigEntry) -> Result:
    """Let all calls find out at the same time; afterwards no other token works."""
    result = Result("expired_token")
    send = bench.contestants(entry)[ACTION]
    to = numbers(CALLS)

    async def turn() -> None:
        await asyncio.gather(*(send(number) for number in to))

    token_requests: list[float] = []
    rows = []
    for seconds, rounds in bench.scale.expired_token.items():
        await bench.zoho.answer_in(seconds)
        samples: dict[str, list[Sample]] = {VALID: [], EXPIRED: []}
        refused: list[float] = []
        for _ in range(rounds):
            samples[VALID].append(await timed(turn))
            await bench.zoho.check(to, CALLS)
            await bench.zoho.expire_access_tokens()
            samples[EXPIRED].append(await timed(turn))
            state = await bench.zoho.check(to, CALLS)
            token_requests.append(len(state["token_requests"]))
            refused.append(len(state["requests"]) - CALLS)
        situation = f"{seconds * 1000:.0f} ms"
        result.raw[situation] = {**samples, "refused": refused}
        rows += [
            (
                situation,
                name,
                Spread.of(token_requests).text(digits=0) if name == EXPIRED else "0",
                Spread.of(refused).text(digits=0) if name == EXPIRED else "0",
                Spread.of(walls(of_one)).text(digits=2),
                Spread.of(cpus(of_one)).text(digits=2),
            )
            for name, of_one in samples.items()
        ]
    await bench.zoho.answer_in(0)
    result.raw["token_requests"] = token_requests
    result.tables.append(
        Table(
            f"{CALLS:,} calls at once",
            (
                "Zoho answers in",
                "with",
                "token requests",
                "refused requests",
                "wall, s",
                "CPU, s",
            ),
            rows,
        )
    )
    result.targets.append(
        Target(
            f"{CALLS:,} calls at once, expired token: token requests",
            Spread.of(token_requests),
            1,
            unit="requests",
        )
    )
    return result
