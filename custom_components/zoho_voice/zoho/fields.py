"""Read single values of Zoho's JSON, of whatever type they come.

What can't be read is None: an oddity in one field must not hide the others.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
import re
from typing import Any

#: How many digits a number has that is written without `+`, but with its country code.
_INTERNATIONAL = range(11, 16)

_NUMBER = re.compile(r"\+?[0-9\s().\-/\u2010-\u2015]+")
_COUNT = re.compile(r"[0-9]{1,9}")


def digits(number: str) -> str:
    """Return the digits of a number: Zoho reformats, so only they can be compared."""
    return "".join(filter(str.isdigit, number))


def mend(text: str) -> str:
    """Return a text with half emoji replaced, which nothing can store or pass on."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_text(value: Any) -> str | None:
    """Return a text that is not blank, or a whole number as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return mend(str(value)).strip() or None


def read_count(value: Any) -> int | None:
    """Return a number of things, which may be written as text."""
    text = read_text(value)
    return int(text) if text and _COUNT.fullmatch(text) else None


def read_moment(milliseconds: Any) -> datetime | None:
    """Return a time since the epoch, in UTC."""
    try:
        return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
    except TypeError, ValueError, OverflowError, OSError:
        return None


def read_number(value: Any) -> str | None:
    """Return a phone number with `+` and digits only, or as it is written.

    It stays as it is if it is masked or a name. Bare digits get their `+` if there
    are 11 to 15 of them and no leading 0: Zoho gives them with their country code
    (zoho-voice-api.md section 1). Fewer may be a short code, or lack that code.
    """
    text = read_text(value)
    if text is None or not _NUMBER.fullmatch(text) or not (number := digits(text)):
        return text
    if text.startswith("+") or (
        len(number) in _INTERNATIONAL and not number.startswith("0")
    ):
        return f"+{number}"
    return text


def by_plain_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values by names that `logid`, `logId`, and `log_id` have in common."""
    plain: dict[str, Any] = {}
    for name, value in row.items():
        plain.setdefault(name.replace("_", "").replace("-", "").casefold(), value)
    return plain
