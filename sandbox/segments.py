"""How many segments an SMS takes, roughly as the mobile networks count."""

from .sms_request import CODING_BINARY, CODING_NON_ENGLISH

# Characters that fit into one SMS, and into each part of a longer one.
_SEVEN_BIT = (160, 153)
_BINARY = (140, 134)
_UNICODE = (70, 67)


def count_segments(message: str, data_coding: int | None = None) -> int:
    """Return how many segments a text takes."""
    length = len(message)
    if data_coding == CODING_BINARY:
        length = len(message.encode())
        single, part = _BINARY
    elif data_coding == CODING_NON_ENGLISH or not message.isascii():
        # Unicode SMS count 16 bit units: an emoji takes two.
        length = len(message.encode("utf-16-le")) // 2
        single, part = _UNICODE
    else:
        single, part = _SEVEN_BIT
    return 1 if length <= single else -(-length // part)
