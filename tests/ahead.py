"""Fit the test framework to a Home Assistant that is newer: `pytest -p tests.ahead`.

As a plugin it is there before those of other packages.
"""

# From 2026.11 on, it puts httpx2 in the place of httpx, which nobody may use before.
from homeassistant.components import logger

#: What the test framework imports, although Home Assistant has it no more.
GONE = "_clear_logger_overwrites"

if not hasattr(logger, GONE):
    setattr(logger, GONE, lambda _: None)
