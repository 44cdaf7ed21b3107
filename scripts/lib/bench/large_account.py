"""Whether an account with 1,000 recipients slows down what is sent."""

from collections.abc import Callable
from functools import partial

from .bench import Bench
from .contestants import ACTION, ENTITY, REST_COMMAND, call, entity_ids
from .many_recipients import MAX_NUMBERS, growth
from .one_sms import send_in_turns
from .result import Result, Table
from .rounds import Sample, Spread, cpus, interleave, ratio, walls
from .scale import SIZES
from .zoho import DOMAIN, TEXT, add_entry, numbers, recipient_number, remove_entry

RECIPIENTS = 1000
CALLS = 10


async def measure(bench: Bench) -> Result:
    """Send one SMS, then to ever more of the recipients in one call."""
    result = Result("large_account")
    hass = bench.hass
    entry = await bench.zoho.entry(RECIPIENTS)
    await add_entry(hass, entry)
    contestants = {
        name: send
        for name, send in bench.contestants(entry).items()
        if name in {ACTION, ENTITY, REST_COMMAND}
    }
    rounds = bench.scale.large_account
    samples = await send_in_turns(bench, contestants, rounds * 2 + 1, CALLS)
    result.raw["one SMS"] = samples
    result.tables.append(
        Table(
            f"One SMS from an account with {RECIPIENTS:,} recipients",
            ("sent by", "wall, ms", "CPU, ms", "CPU of rest_command's"),
            [
                (
                    name,
                    Spread.of(walls(of_one)).text(1000),
                    Spread.of(cpus(of_one)).text(1000),
                    ratio(cpus(of_one), cpus(samples[REST_COMMAND])).text(),
                )
                for name, of_one in samples.items()
            ],
        )
    )
    await _send_to_recipients(bench, result, entity_ids(hass, entry))
    await remove_entry(hass, entry)
    return result


async def _send_to_recipients(
    bench: Bench, result: Result, entities: list[str]
) -> None:
    hass = bench.hass
    ways: dict[str, tuple[str, list[str], Callable[[int], str]]] = {
        "entities": ("entity_id", entities, recipient_number),
        "names": (
            "recipients",
            [f"Person {index}" for index in range(RECIPIENTS)],
            recipient_number,
        ),
        "numbers": ("recipients", numbers(RECIPIENTS), numbers(RECIPIENTS).__getitem__),
    }
    raw: dict[str, dict[int, list[Sample]]] = {name: {} for name in ways}
    for size in SIZES:
        turns = {
            name: partial(
                call,
                hass,
                f"{DOMAIN}.send_sms",
                {"message": TEXT, field: values[:size]},
            )
            for name, (field, values, _) in ways.items()
        }

        async def check(name: str, size: int = size) -> None:
            number_of = ways[name][2]
            await bench.zoho.check(
                [number_of(index) for index in range(size)], -(-size // MAX_NUMBERS)
            )

        samples = await interleave(bench.scale.large_account, turns, check)
        for name, of_one in samples.items():
            raw[name][size] = of_one
    result.raw["one call"] = raw
    result.tables.append(
        Table(
            f"One call of zoho_voice.send_sms, account with {RECIPIENTS:,} recipients:"
            " CPU, ms",
            ("recipients in the call", *(f"as {name}" for name in ways)),
            [
                (
                    f"{size:,}",
                    *(Spread.of(cpus(raw[name][size])).text(1000, 1) for name in ways),
                )
                for size in SIZES
            ],
        )
    )
    result.targets += [
        growth(
            f"CPU of one call to {name}",
            {size: cpus(of_one) for size, of_one in raw[name].items()},
        )
        for name in ways
    ]
