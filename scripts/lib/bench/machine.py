"""What the figures depend on."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
import os
from pathlib import Path
import platform

PACKAGES = ("homeassistant", "aiohttp", "phonenumberslite", "aiosmtplib")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, the versions, the day."""

    cpu: str
    cores: int
    memory_gib: int
    system: str
    load: float
    date: str
    versions: dict[str, str]


def this_machine() -> Machine:
    """Describe the machine that this runs on."""
    return Machine(
        cpu=_cpu(),
        cores=os.process_cpu_count() or 1,
        memory_gib=round(
            os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        ),
        system=f"{platform.system()} {platform.release()}, {platform.machine()}",
        load=os.getloadavg()[0],
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        versions={
            "Python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
    )


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"
