"""Read what Home Assistant wrote into its log."""

from collections.abc import Iterator
import re

_RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+(?:[+-]\d\d:\d\d)? ([A-Z]+) \(.*?\) \[.*?\] "
)


def records(log: str) -> Iterator[tuple[str, str]]:
    """Split a log into records, each with its level, "" for what is not a record."""
    level, lines = "", list[str]()
    for line in log.splitlines():
        if match := _RECORD.match(line):
            if lines:
                yield level, "\n".join(lines)
            level, lines = match[1], []
        lines.append(line)
    if lines:
        yield level, "\n".join(lines)


def without_time(record: str) -> str:
    """Return a record without its time, whose digits could look like a number."""
    return _RECORD.sub("", record)
