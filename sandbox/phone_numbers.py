"""Phone numbers as Zoho writes them."""

from functools import lru_cache

import phonenumbers


@lru_cache(maxsize=4096)
def describe(number: str) -> tuple[str, str]:
    """Return the international notation and the country ("us") of an E.164 number."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number, ""
    notation = phonenumbers.format_number(
        parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    country = phonenumbers.region_code_for_number(parsed) or ""
    return notation, country.lower()
