"""Zoho's data centers."""

import phonenumbers
import pytest

from custom_components.zoho_voice.zoho.data_center import (
    DATA_CENTERS,
    DataCenter,
    data_center_of_country,
)


def test_the_documented_servers() -> None:
    assert DATA_CENTERS["us"] == DataCenter(
        "https://accounts.zoho.com", "https://voice.zoho.com"
    )


@pytest.mark.parametrize("key", DATA_CENTERS)
def test_both_servers_are_of_one_domain_and_https(key: str) -> None:
    data_center = DATA_CENTERS[key]
    domain = data_center.accounts_url.removeprefix("https://accounts.")
    assert data_center == DataCenter(
        f"https://accounts.{domain}", f"https://voice.{domain}"
    )
    assert domain.startswith("zoho")
    assert not domain.endswith("/")


def test_no_server_is_in_two_data_centers() -> None:
    assert len({*DATA_CENTERS.values()}) == len(DATA_CENTERS) == 9


@pytest.mark.parametrize(
    ("country", "key"),
    [
        ("US", "us"),
        ("DE", "eu"),
        ("FR", "eu"),
        ("CH", "eu"),
        ("GB", "uk"),
        ("IN", "in"),
        ("AU", "au"),
        ("NZ", "au"),
        ("JP", "jp"),
        ("CA", "ca"),
        ("SA", "sa"),
        ("CN", "cn"),
        ("BR", "us"),
        ("XX", "us"),
        ("", "us"),
        (None, "us"),
    ],
)
def test_data_center_of_a_country(country: str | None, key: str) -> None:
    assert data_center_of_country(country) == key


@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_has_a_known_data_center(country: str) -> None:
    assert data_center_of_country(country) in DATA_CENTERS
