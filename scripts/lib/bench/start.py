"""What the integration adds to Home Assistant's start, by its own timings."""

from pathlib import Path

from .child import run_worker
from .result import Result, Table
from .rounds import Spread, ratio
from .scale import Scale

OURS, THEIRS = "zoho_voice", "smtp"
RECIPIENTS = 10


async def measure(scale: Scale, directory: Path) -> Result:
    """Start again and again on a configuration with an entry of each."""
    result = Result("start")
    found: list[dict[str, float]] = [
        await run_worker("start_worker", str(directory)) for _ in range(scale.start)
    ]
    result.raw["timings"] = found
    seconds = {name: [each[name] for each in found] for name in (OURS, THEIRS, "all")}
    result.tables.append(
        Table(
            f"At start, an entry with {RECIPIENTS} recipients (its own timings)",
            ("integration", "ms", "zoho_voice against it"),
            [
                (
                    "the whole start" if name == "all" else name,
                    Spread.of(values).text(1000, 0),
                    "" if name == OURS else ratio(seconds[OURS], values).text(digits=3),
                )
                for name, values in seconds.items()
            ],
        )
    )
    return result
