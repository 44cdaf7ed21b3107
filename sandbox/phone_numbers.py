"""Phone numbers as Zoho writes them."""

from functools import lru_cache
import re

import phonenumbers

_NUMBER = re.compile(r"\+?[0-9]+")


def is_number(sender_id: str) -> bool:
    """Return whether a sender ID is a number, which can be answered, or a name."""
    return _NUMBER.fullmatch(sender_id) is not None


def sender_key(sender_id: str) -> str:
    """Return what two ways to write the same sender ID have in common."""
    return sender_id.removeprefix("+") if is_number(sender_id) else sender_id


def describe_sender(sender_id: str) -> tuple[str, str]:
    """Return the notation and the country of a sender ID; a name has no country."""
    if not is_number(sender_id):
        return sender_id, ""
    return describe(f"+{sender_id.removeprefix('+')}")


@lru_cache(maxsize=4096)
def describe(number: str) -> tuple[str, str]:
    """Return the international notation and the country ("us") of an E.164 number.

    What is not one, such as a number that is masked, is written as it is.
    """
    if not is_number(number):
        return number, ""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number, ""
    notation = phonenumbers.format_number(
        parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    country = phonenumbers.region_code_for_number(parsed) or ""
    return notation, country.lower()
