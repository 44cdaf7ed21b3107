"""What a phone number and a sender ID have to be."""

import re
import unicodedata

from homeassistant.exceptions import ServiceValidationError
import phonenumbers
from phonenumbers import PhoneNumber, ValidationResult

from .const import DOMAIN

_NUMBER = re.compile(r"\+?[\d\s()./\-\u2010-\u2015\u2212]+")
_SENDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._&-]{0,19}")
#: How many digits of a number may show.
_SHOWN = 4
_NUMBER_IN_TEXT = re.compile(r"\+?\d(?:[\s()./-]*\d){6,}")


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


def parse_phone_number(value: str | int, country: str | None) -> str:
    """Return a number in E.164, read as it is written in a country (ISO 3166).

    A number without `+` may have lost it (YAML reads `+1480…` as an integer) or may
    be a national one. Where both readings make sense it is refused: an SMS to a
    stranger is worse than none. A number that is possible but not in use as far as is
    known passes when it was written as text, since new ranges come up; an integer may
    have lost a leading zero and has to be valid.

    Raises PhoneNumberError.
    """
    written = str(value)
    # Numbers pasted from an address book bring invisible characters along.
    text = "".join(c for c in written if unicodedata.category(c) != "Cf").strip()
    if not _NUMBER.fullmatch(text):
        raise PhoneNumberError("invalid_phone_number", written)
    if text.startswith("+"):
        number = _read(text, None)
    else:
        number = _read_without_plus(text, country, written)
    if number is None or (isinstance(value, int) and not _is_valid(number)):
        if country is None and not text.startswith("+"):
            raise PhoneNumberError("phone_number_needs_country", written)
        raise PhoneNumberError("invalid_phone_number", written)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def parse_sender_id(value: str, country: str | None) -> str:
    """Return a sender ID: a number in E.164, or a name or short code as it is.

    Raises PhoneNumberError.
    """
    text = value.strip()
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


def _read_without_plus(
    text: str, country: str | None, written: str
) -> PhoneNumber | None:
    """Read a number that may be a national one or may have lost its `+`."""
    if country is None:
        home, trunk_prefix = None, None
    else:
        home = _read(text, country)
        trunk_prefix = phonenumbers.ndd_prefix_for_region(
            country, strip_non_digits=False
        )
    abroad = None if text.lstrip(" (").startswith("0") else _read(f"+{text}", None)
    if abroad is None or not _is_valid(abroad):
        return home
    if home is None or abroad == home:
        return abroad
    if abroad.country_code == home.country_code:
        return abroad
    # Where national numbers are written without a leading 0, there is no doubt.
    if _is_valid(home) and trunk_prefix != "0":
        return home
    raise PhoneNumberError("ambiguous_phone_number", written)


def _read(text: str, country: str | None) -> PhoneNumber | None:
    """Return a number that is possible, with its area code; None for any other."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == ValidationResult.IS_POSSIBLE else None


def _is_valid(number: PhoneNumber) -> bool:
    """Return if a number is in a range that is in use."""
    return phonenumbers.is_valid_number(number)
