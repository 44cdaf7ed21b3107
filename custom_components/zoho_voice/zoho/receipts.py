"""Find out which row of Zoho's answer is about which number.

What `send` looks like for several numbers is not documented, and numbers come back
reformatted or masked, such as `+1****` (zoho-voice-api.md section 1). An id of another
number is worse than none.
"""

from collections.abc import Mapping, Sequence
import re
from typing import Any

from .fields import digits

type Row = Mapping[str, Any]

_HIDDEN = re.compile(r"[*•#xX…]+")
#: How many digits a number without its country code has to show, at least.
_NATIONAL = 7
#: What is longer was not written for up to 10 numbers (rows, characters of a number);
#: to compare it would only take long.
_MAX_ROWS = 100
_MAX_WRITTEN = 300


def match_rows(send: Any, numbers: Sequence[str]) -> list[Row | None]:
    """Return the row of each number, None where that is in doubt.

    `send` is a list of rows, or one row that stands for all numbers unless it names
    one of several.
    """
    if isinstance(send, dict):
        named = [n for n in numbers if _digits(send) == digits(n)]
        return [send if number in named or not named else None for number in numbers]
    if not isinstance(send, list) or len(send) > _MAX_ROWS:
        return [None] * len(numbers)
    rows = [row for row in send if isinstance(row, dict)]
    complete = len(rows) == len(send) == len(numbers)
    found = _by_number(rows, numbers, complete=complete)
    if complete and None in found:
        found = _by_order(rows, numbers, found)
    return [None if index is None else rows[index] for index in found]


def _by_number(
    rows: Sequence[Row], numbers: Sequence[str], *, complete: bool
) -> list[int | None]:
    """Match by all digits, then by those that show, where they fit one number only."""
    first = {_digits(row): index for index, row in reversed([*enumerate(rows)])}
    found = [first.get(digits(number)) for number in numbers]
    named = {digits(number) for number in numbers}
    free = {index for index, row in enumerate(rows) if _digits(row) not in named}
    while True:
        fitting: dict[int, list[int]] = {}
        for index in free:
            if not complete and not _shows_anything(rows[index]):
                continue
            positions = [
                position
                for position, number in enumerate(numbers)
                if found[position] is None and fits(_written(rows[index]), number)
            ]
            if len(positions) == 1:
                fitting.setdefault(positions[0], []).append(index)
        sure = {p: indexes[0] for p, indexes in fitting.items() if len(indexes) == 1}
        for position, index in sure.items():
            found[position] = index
        free -= {*sure.values()}
        # What is left over says something only if there is a row for each number.
        if not sure or not complete:
            return found


def _by_order(
    rows: Sequence[Row], numbers: Sequence[str], found: list[int | None]
) -> list[int | None]:
    """Match the rest by order, unless anything that shows speaks against it."""
    in_order = all(
        index == position
        if index is not None
        else fits(_written(rows[position]), numbers[position])
        for position, index in enumerate(found)
    )
    return [*range(len(rows))] if in_order else found


def _written(row: Row) -> str:
    """Return a row's number as it stands there, empty where there is none."""
    written = row.get("customerNumber")
    if not isinstance(written, str | int):
        return ""
    text = str(written)
    return text.strip() if len(text) <= _MAX_WRITTEN else ""


def _digits(row: Row) -> str:
    """Return the number that a row names in full, or nothing."""
    written = _written(row)
    return "" if _HIDDEN.search(written) else digits(written)


def _shows_anything(row: Row) -> bool:
    """Return if a row tells any digit of its number."""
    return digits(_written(row)) != ""


def fits(written: str, number: str) -> bool:
    """Return if what Zoho wrote, masked or reformatted, can be a number in E.164.

    What shows no digit can be any number. What shows all of them with a `+` can be
    one only; without a `+` the country code may be missing.
    """
    written = written.strip()
    shown = [digits(part) for part in _HIDDEN.split(written)]
    if not any(shown):
        return True
    if len(shown) == 1 and (written.startswith("+") or len(shown[0]) < _NATIONAL):
        return shown[0] == digits(number)
    if not written.startswith("+"):
        shown[0] = shown[0].removeprefix("0")
        shown.insert(0, "")
    return re.fullmatch(r"\d*".join(shown), digits(number)) is not None
