"""Import time of the integration, against `smtp`, `ntfy` and `monzo`."""

from pathlib import Path

from .bench import run_worker
from .figures import Result, Spread, Table, Target, ratio
from .zoho import DOMAIN

MODEL, LIBRARY = "monzo", "phonenumbers"
#: Of what the model and the library take together.
LIMIT = 1.2
_PACKAGES = {
    f"custom_components.{DOMAIN}": DOMAIN,
    **{f"homeassistant.components.{it}": it for it in ("smtp", "ntfy", MODEL)},
    LIBRARY: LIBRARY,
}


async def measure(_: Path) -> Result:
    """Import each in processes of their own."""
    integrations = [package for package in _PACKAGES if package != LIBRARY]
    answer = await run_worker("import_worker", "25", LIBRARY, *integrations)
    seconds: dict[str, list[float]] = {}
    modules: dict[str, str] = {}
    for package, samples in answer.items():
        name = _PACKAGES[package]
        seconds[name] = [each for each, _ in samples]
        modules[name] = str(samples[-1][1])
    ours = seconds[DOMAIN]
    allowed = [sum(it) for it in zip(seconds[MODEL], seconds[LIBRARY], strict=True)]
    table = Table(
        "Import of all modules",
        ("", "ms", "modules not loaded before", f"{DOMAIN} ÷ this"),
        [
            (
                name,
                Spread.of(of_one, 1000),
                modules[name],
                "" if of_one is ours else ratio(ours, of_one),
            )
            for name, of_one in seconds.items()
        ],
    )
    title = f"Import: {DOMAIN} ÷ ({MODEL} + {LIBRARY})"
    return Result(tables=[table], targets=[Target(title, ratio(ours, allowed), LIMIT)])
