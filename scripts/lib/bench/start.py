"""What the integration adds to Home Assistant's start, by its own timings."""

from pathlib import Path

from .bench import Bench, run_worker
from .core import add_entry
from .figures import Result, Spread, Table, ratio
from .mail import SMTP, mail_entry
from .zoho import DOMAIN

RECIPIENTS = 10
STARTS = 7
ALL = "the whole start"


async def prepare(bench: Bench) -> None:
    """Leave an entry of each in the configuration."""
    await add_entry(bench.hass, await bench.zoho.entry(RECIPIENTS))
    await add_entry(bench.hass, mail_entry(bench.mail_port, RECIPIENTS))


async def measure(directory: Path) -> Result:
    """Start again and again on that configuration."""
    found = [await run_worker("start_worker", str(directory)) for _ in range(STARTS)]
    seconds = {name: [each[name] for each in found] for name in (DOMAIN, SMTP, ALL)}
    ours = seconds[DOMAIN]
    title = f"Start of Home Assistant, {RECIPIENTS} recipients"
    table = Table(
        f"{title}: its own timings",
        ("", "ms", f"{DOMAIN} ÷ this"),
        [
            (
                name,
                Spread.of(of_one, 1000),
                "" if of_one is ours else ratio(ours, of_one),
            )
            for name, of_one in seconds.items()
        ],
    )
    row = (f"{title}, ms", Spread.of(ours, 1000), Spread.of(seconds[SMTP], 1000), SMTP)
    return Result(tables=[table], in_short=[row])
