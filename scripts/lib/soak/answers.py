"""What an answer of Home Assistant's REST API tells the caller of each number."""

from collections.abc import Mapping, Sequence
import re
from typing import Any

from .history import Told

_SENTENCE_END = re.compile(r"\.(?:\s+|$)")
_SHOWN = 4


class SurpriseError(RuntimeError):
    """The answer is none that a caller can make sense of."""


def read_response(
    response: Mapping[str, Any], numbers: Sequence[str]
) -> dict[str, Told]:
    """Read the response of `zoho_voice.send_sms`. Raises SurpriseError."""
    rows = {row["recipient"]: row for row in response["messages"]}
    if sorted(rows) != sorted(numbers):
        raise SurpriseError(f"the response is about {sorted(rows)}")
    return {
        number: Told.KEPT if rows[number]["status"] == "QUEUED" else Told.SENT
        for number in numbers
    }


def read_error(message: str, numbers: Sequence[str]) -> dict[str, Told]:
    """Read the message of an error, which names numbers by their last digits.

    Raises SurpriseError if it leaves open what became of one.
    """
    sentences = _SENTENCE_END.split(message)
    return {number: _told_of(number, sentences, message) for number in numbers}


def _told_of(number: str, sentences: Sequence[str], message: str) -> Told:
    name = f"…{number[-_SHOWN:]}"
    for sentence in sentences:
        if name not in sentence:
            continue
        if sentence.startswith("Sent to "):
            return Told.SENT
        if "is waiting to be sent" in sentence:
            return Told.KEPT
        if "may have been sent" in sentence:
            return Told.UNCLEAR
    if "othing was sent" in message:
        return Told.NOT_SENT
    raise SurpriseError(f"the error says {message!r}")
