"""Zoho's data centers: which servers belong to which account."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataCenter:
    """Hold the two servers of one data center, as URLs without a trailing slash."""

    accounts_url: str
    voice_url: str


#: The known data centers by key (zoho-voice-api.md section 3). Zoho documents the
#: Voice host of `us` only, the others are inferred from their accounts servers.
DATA_CENTERS = {
    "us": DataCenter("https://accounts.zoho.com", "https://voice.zoho.com"),
    "eu": DataCenter("https://accounts.zoho.eu", "https://voice.zoho.eu"),
    "in": DataCenter("https://accounts.zoho.in", "https://voice.zoho.in"),
    "au": DataCenter("https://accounts.zoho.com.au", "https://voice.zoho.com.au"),
    "jp": DataCenter("https://accounts.zoho.jp", "https://voice.zoho.jp"),
    "ca": DataCenter("https://accounts.zohocloud.ca", "https://voice.zohocloud.ca"),
    "sa": DataCenter("https://accounts.zoho.sa", "https://voice.zoho.sa"),
    "uk": DataCenter("https://accounts.zoho.uk", "https://voice.zoho.uk"),
    "cn": DataCenter("https://accounts.zoho.com.cn", "https://voice.zoho.com.cn"),
}

_EUROPEAN_COUNTRIES = frozenset(
    {
        "AT",
        "BE",
        "BG",
        "CH",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LI",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    }
)
_COUNTRIES = {
    "AU": "au",
    "NZ": "au",
    "CA": "ca",
    "CN": "cn",
    "GB": "uk",
    "IN": "in",
    "JP": "jp",
    "SA": "sa",
}


def data_center_of_country(country: str | None) -> str:
    """Return the key of the data center Zoho most likely uses for a country.

    `country` is an ISO 3166 code such as `DE`, or None when it is not known.
    """
    if country in _EUROPEAN_COUNTRIES:
        return "eu"
    return _COUNTRIES.get(country or "", "us")
