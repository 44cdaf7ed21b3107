"""Import time of the integration, against `smtp`, `ntfy` and `monzo`."""

from .child import run_worker
from .import_worker import LIBRARY
from .result import Result, Table, Target
from .rounds import Spread, ratio
from .scale import Scale

OURS, MODEL = "zoho_voice", "monzo"
INTEGRATIONS = (OURS, "smtp", "ntfy", MODEL)
LIMIT = 1.2


async def measure(scale: Scale) -> Result:
    """Import each in processes of their own."""
    result = Result("imports")
    answer = await run_worker("import_worker", str(scale.imports), *INTEGRATIONS)
    result.raw = answer
    seconds: dict[str, list[float]] = answer["seconds"]
    allowed = [
        model + library
        for model, library in zip(seconds[MODEL], seconds[LIBRARY], strict=True)
    ]
    result.tables.append(
        Table(
            "Import, all modules",
            (
                "integration",
                "ms",
                "modules that were not loaded yet",
                "ours against it",
            ),
            [
                (
                    name,
                    Spread.of(values).text(1000, 1),
                    str(answer["modules"][name]),
                    "" if name == OURS else ratio(seconds[OURS], values).text(),
                )
                for name, values in seconds.items()
            ],
        )
    )
    result.targets.append(
        Target(
            f"Import time, of {MODEL}'s plus {LIBRARY}'",
            ratio(seconds[OURS], allowed),
            LIMIT,
        )
    )
    return result
