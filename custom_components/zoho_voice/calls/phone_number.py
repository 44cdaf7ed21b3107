"""What a phone number and a sender ID have to be."""

from functools import lru_cache
import re
from typing import TypeGuard
import unicodedata

from homeassistant.exceptions import ServiceValidationError
import phonenumbers
from phonenumbers import (
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from ..const import DOMAIN

_SCHEME = re.compile(r"(?:tel|sms|smsto|callto):(?://)?", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[\d\s(][\d\s()./~\-\u2010-\u2015\u2212]*")
_SENDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._&-]{0,19}")
_SHORT_CODE = re.compile(r"[0-9]{3,6}")
#: How many digits a number has, with its country code; E.164 allows no more than 15.
_LENGTHS = range(7, 16)
#: How many digits of a number may show.
_SHOWN = 4
_BETWEEN = (
    r"\s()./~\-\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufeff"
)
_NUMBER_IN_TEXT = re.compile(rf"[+\uff0b]?\d(?:[{_BETWEEN}]*\d){{6,}}")


class PhoneNumberError(ServiceValidationError):
    """Say why a number or sender ID can't be used, with all but its end masked."""

    def __init__(self, translation_key: str, value: str) -> None:
        """Choose the translated message."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders={"number": mask(value)},
        )


def warm_up(country: str | None) -> None:
    """Load what is known of a country's numbers: it lies in a file."""
    if country:
        phonenumbers.example_number(country)


@lru_cache(maxsize=1024, typed=True)
def parse_phone_number(value: str | int, country: str | None) -> str:
    """Return a number in E.164, read as it is written in a country (ISO 3166).

    A number with `+` passes if it is possible: new ranges come up. One without may
    be a national number or may have lost its `+` (YAML reads `+1480…` as an integer).
    Where both readings make sense it is refused: an SMS to a stranger is worse than
    none. An integer may also have lost a leading zero, or have been read as an octal
    number because of one, and has to be a number in use.

    Raises PhoneNumberError.
    """
    written = str(value)
    text = _plain(written)
    if not _NUMBER.fullmatch(text):
        raise PhoneNumberError("invalid_phone_number", written)
    if text.startswith("+"):
        number = _read(text, None)
    else:
        number = _read_without_plus(text, country)
    if isinstance(value, int):
        if not _is_valid(number):
            number = None
        elif number.national_number == value and _is_likely(
            _read(f"0{value:o}", country)
        ):
            raise PhoneNumberError("ambiguous_phone_number", written)
    if number is None:
        if country is None and not text.startswith("+"):
            raise PhoneNumberError("phone_number_needs_country", written)
        raise PhoneNumberError("invalid_phone_number", written)
    return _format(number)


def looks_like_number(text: str) -> bool:
    """Return if a text can only be meant as a number, though it may hold letters."""
    return _plain(text).startswith("+") or _SCHEME.match(text.strip()) is not None


def parse_sender_id(value: str, country: str | None) -> str:
    """Return a sender ID: a number in E.164, or a name or short code as it is.

    Raises PhoneNumberError.
    """
    text = value.strip()
    if _SHORT_CODE.fullmatch(text):
        return text
    try:
        return parse_phone_number(text, country)
    except PhoneNumberError as err:
        if _SENDER_NAME.fullmatch(text):
            return text
        raise PhoneNumberError("invalid_sender_id", value) from err


def mask(text: str) -> str:
    """Return a number by its last four digits; what holds no more stays as it is."""
    digits = "".join(filter(str.isdigit, text))
    return f"…{digits[-_SHOWN:]}" if len(digits) > _SHOWN else text


def mask_numbers(text: str) -> str:
    """Return a text with every phone number in it masked."""
    return _NUMBER_IN_TEXT.sub(lambda match: mask(match[0]), text)


def _plain(written: str) -> str:
    """Return a number without what address books and web pages add to it.

    That is invisible characters, digits of other scripts, and the scheme of a link.
    """
    text = "".join(
        str(unicodedata.decimal(c))
        if c.isdecimal()
        else unicodedata.normalize("NFKC", c)
        for c in written
        if unicodedata.category(c) != "Cf"
    ).strip()
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :].partition("?")[0].strip()
    return text


def _read_without_plus(text: str, country: str | None) -> PhoneNumber | None:
    """Read a number that may be a national one or may have lost its `+`."""
    home = _read(text, country) if country else None
    abroad = None if text.lstrip(" (").startswith("0") else _read(f"+{text}", None)
    if not _is_valid(abroad):
        if _is_likely(home):
            return home
        # 00 is understood as + everywhere, also where another prefix leads abroad.
        return _read(f"+{text[2:]}", None) if text.startswith("00") else None
    if home is None or abroad == home or abroad.country_code == home.country_code:
        return abroad
    # Where national numbers are written without a leading 0, there is no doubt.
    if _is_valid(home) and not _format(home, PhoneNumberFormat.NATIONAL).lstrip(
        "("
    ).startswith("0"):
        return home
    raise PhoneNumberError("ambiguous_phone_number", text)


def _read(text: str, country: str | None) -> PhoneNumber | None:
    """Return a number that is possible, with its area code; None for any other."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    # Where numbers have no fixed length, possible ones may be too short or too long.
    length = len(_format(number)) - len("+")
    if reason != ValidationResult.IS_POSSIBLE or length not in _LENGTHS:
        return None
    return number


def _is_valid(number: PhoneNumber | None) -> TypeGuard[PhoneNumber]:
    """Return if a number is in a range that is in use."""
    return number is not None and phonenumbers.is_valid_number(number)


def _is_likely(number: PhoneNumber | None) -> bool:
    """Return if a number is in use, or at least as long as a mobile one.

    A shorter one most likely lacks its area code.
    """
    return _is_valid(number) or (
        number is not None
        and phonenumbers.is_possible_number_for_type_with_reason(
            number, PhoneNumberType.MOBILE
        )
        == ValidationResult.IS_POSSIBLE
    )


def _format(number: PhoneNumber, style: int = PhoneNumberFormat.E164) -> str:
    """Return a number as text."""
    return phonenumbers.format_number(number, style)
