"""Measures the integration beside others, in a real core (scripts/bench)."""

import time

#: When it began, before the imports that take long.
BEGIN = time.monotonic()
