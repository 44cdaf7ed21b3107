"""How many segments a text takes: an SMS is counted and paid by them."""

import re

from ..zoho.models import DataCoding

# The default alphabet and its extension table: GSM 03.38, today 3GPP TS 23.038 6.2.1.
# The escape has a place in the first, but is no character that a text could hold.
_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_ESCAPE = "\x1b"

_GSM_TEXT = re.compile(f"[{re.escape(_ALPHABET + _EXTENSION)}]*")
_EXTENDED = re.compile(f"[{re.escape(_EXTENSION)}]")

# A segment has 140 octets; six of them say which of several it is (3GPP TS 23.040
# 9.2.3.24.1). Neither an escape and its character nor surrogates are separated.
_MAX_OCTETS = 140
_MAX_SEPTETS = 160
_BINARY_SEGMENT = re.compile(rb"(?s).{1,134}")
_GSM_SEGMENT = re.compile(rf"(?s).{{1,153}}(?<!{_ESCAPE})")
_UCS2_SEGMENT = re.compile(rb"(?s)(?:..){1,67}(?!(?<=[\xd8-\xdb].)[\xdc-\xdf])")


def estimate_segments(text: str, data_coding: DataCoding) -> int:
    """Return how many segments a text takes, at least 1.

    English text with a character outside of GSM 03.38 goes as UCS-2; binary text is
    counted in UTF-8. What Zoho counted is only in its answer.
    """
    if data_coding is DataCoding.ENGLISH and _GSM_TEXT.fullmatch(text):
        septets = _EXTENDED.sub(rf"{_ESCAPE}\g<0>", text)
        if len(septets) <= _MAX_SEPTETS:
            return 1
        return len(_GSM_SEGMENT.findall(septets))
    if data_coding is DataCoding.BINARY:
        octets, segment = text.encode("utf-8", "surrogatepass"), _BINARY_SEGMENT
    else:
        octets, segment = text.encode("utf-16-be", "surrogatepass"), _UCS2_SEGMENT
    if len(octets) <= _MAX_OCTETS:
        return 1
    return len(segment.findall(octets))
