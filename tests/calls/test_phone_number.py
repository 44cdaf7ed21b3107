"""What a phone number and a sender ID have to be."""
# ruff: noqa: RUF001 (the characters that look alike are the point)

import re
from typing import Any

from hypothesis import example, given, settings, strategies as st
import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
import pytest

from custom_components.zoho_voice.calls.phone_number import (
    PhoneNumberError,
    mask,
    mask_numbers,
    parse_phone_number,
    parse_sender_id,
    warm_up,
)

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
COUNTRIES = st.sampled_from([None, *REGIONS])

# The first number of a country reads a file.
slow = settings(deadline=None)


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Do without Home Assistant."""


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def refusal(value: str | int, country: str | None) -> str | None:
    """Return why a number is refused."""
    with pytest.raises(PhoneNumberError) as raised:
        parse_phone_number(value, country)
    return raised.value.translation_key


# Numbers


@pytest.mark.parametrize(
    ("value", "country", "number"),
    [
        # As in the design
        ("+1 (480) 555-0100", "US", "+14805550100"),
        ("480 555 0100", "US", "+14805550100"),
        ("14805550100", "US", "+14805550100"),
        (14805550100, "US", "+14805550100"),
        (4805550100, "US", "+14805550100"),
        # With +, the country does not matter
        ("+14805550100", None, "+14805550100"),
        ("+14805550100", "DE", "+14805550100"),
        ("+14805550100", "US", "+14805550100"),
        ("+4915112345678", "US", "+4915112345678"),
        ("+49 151 12345678", None, "+4915112345678"),
        ("+49 (0) 151 12345678", "US", "+4915112345678"),
        ("+44 (0)7911 123456", None, "+447911123456"),
        ("+39 06 12345678", "US", "+390612345678"),
        ("+80012345678", "US", "+80012345678"),
        # A + that was lost
        ("14805550100", None, "+14805550100"),
        (14805550100, None, "+14805550100"),
        ("4915112345678", "DE", "+4915112345678"),
        ("4915112345678", "US", "+4915112345678"),
        (4915112345678, "US", "+4915112345678"),
        ("4915112345678", "IT", "+4915112345678"),
        ("919812345678", "IN", "+919812345678"),
        ("393331234567", "IT", "+393331234567"),
        ("447911123456", "GB", "+447911123456"),
        ("33612345678", "FR", "+33612345678"),
        # National
        ("0151 12345678", "DE", "+4915112345678"),
        ("(0151) 12345678", "DE", "+4915112345678"),
        ("0151/12345678", "DE", "+4915112345678"),
        (15112345678, "DE", "+4915112345678"),
        ("07911 123456", "GB", "+447911123456"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("333 123 4567", "IT", "+393331234567"),
        ("06 12345678", "IT", "+390612345678"),
        ("98123 45678", "IN", "+919812345678"),
        ("098123 45678", "IN", "+919812345678"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        # With the prefix for abroad
        ("0049 151 12345678", "FR", "+4915112345678"),
        ("011 49 151 12345678", "US", "+4915112345678"),
        # As address books have it
        ("\u202a+1 (480) 555\u20110100\u202c", "DE", "+14805550100"),
        ("+1\u00a0480\u00a0555\u00a00100", "DE", "+14805550100"),
        ("+1\u200b4805550100", "DE", "+14805550100"),
        ("\ufeff+1\u00ad4805550100\n", "DE", "+14805550100"),
        ("+1–480—555−0100", "DE", "+14805550100"),
        ("+１４８０５５５０１００", "DE", "+14805550100"),
        ("+١٤٨٠٥٥٥٠١٠٠", "DE", "+14805550100"),
        ("  +1.480.555.0100  ", "DE", "+14805550100"),
        # As long as a mobile number, but of a range nobody knows of
        ("+12005550100", None, "+12005550100"),
        ("200 555 0100", "US", "+12005550100"),
    ],
)
def test_number_is_read(value: str | int, country: str | None, number: str) -> None:
    assert parse_phone_number(value, country) == number


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "+",
        "+ ",
        "-",
        "()",
        "0",
        "1",
        "+0",
        "+1",
        "+12",
        "++14805550100",
        "1+4805550100",
        "+014805550100",
        "+999123456789",
        "+1480555010",
        "+148055501000",
        "480555010",
        "48055501000",
        "+1234567890123456",
        "1" * 300,
        "911",
        "112",
        "+911",
        "5550100",
        "555-0100",
        "alice4805550100",
        "1-800-FLOWERS",
        "+1 800 FLOWERS",
        "4805550100 ext. 5",
        "4805550100x5",
        "+14805550100;ext=5",
        "+14805550100#",
        "*4805550100",
        "[480] 5550100",
        "4805550100,4805550111",
        "4805550100 4805550111",
        "+14805550100 +14805550111",
        "４８０５５５０１００＋",
        "notify.alice",
        "\x00",
        "²³",
        0,
        1,
        911,
        5550100,
        2005550100,
        12005550100,
        10**20,
        True,
        False,
    ],
)
def test_what_is_no_number_is_refused(value: str | int) -> None:
    assert refusal(value, "US") == "invalid_phone_number"


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("1234", "DE"),
        ("12345", "DE"),
        ("110", "DE"),
        ("0110", "DE"),
        ("116117", "DE"),
        ("112", "GB"),
        ("999", "GB"),
        ("0612345678", "GB"),
    ],
)
def test_what_is_short_or_long_at_home_is_refused(value: str, country: str) -> None:
    assert refusal(value, country) == "invalid_phone_number"


@pytest.mark.parametrize(
    "value", ["480 555 0100", 4805550100, "0151 12345678", "(480) 555-0100", "911", ""]
)
def test_national_number_needs_a_country(value: str | int) -> None:
    expected = "phone_number_needs_country" if value else "invalid_phone_number"
    assert refusal(value, None) == expected


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("33612345678", "DE"),
        (33612345678, "DE"),
        ("14805550100", "DE"),
        (14805550100, "DE"),
        ("14805550100", "IT"),
        ("6581234567", "IN"),
    ],
)
def test_number_that_can_be_of_two_countries_is_refused(
    value: str | int, country: str
) -> None:
    assert refusal(value, country) == "ambiguous_phone_number"
    assert parse_phone_number(f"+{value}", country) == f"+{value}"


def test_integer_that_yaml_may_have_read_as_octal_is_refused() -> None:
    # 01511234567 without quotes
    assert refusal(220543351, "DE") == "ambiguous_phone_number"
    assert parse_phone_number("0220 543351", "DE") == "+49220543351"


def test_number_with_plus_passes_if_it_is_possible() -> None:
    assert parse_phone_number("+4912345678", "DE") == "+4912345678"
    assert refusal("12345678", "DE") == "invalid_phone_number"


def test_same_number_at_home_is_no_doubt_where_no_zero_is_written() -> None:
    # +65 9234 5678 is a number in Singapore.
    assert parse_phone_number("6592345678", "US") == "+16592345678"


@pytest.mark.parametrize(
    ("region", "kind"),
    [
        (region, kind)
        for region in REGIONS
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
        if phonenumbers.example_number_for_type(region, kind)
    ],
)
def test_number_of_every_country_is_read_as_it_is_written_there(
    region: str, kind: int
) -> None:
    example_number = phonenumbers.example_number_for_type(region, kind)
    expected = e164(example_number)
    international = phonenumbers.format_number(
        example_number, PhoneNumberFormat.INTERNATIONAL
    )
    national = phonenumbers.format_number(example_number, PhoneNumberFormat.NATIONAL)
    for written in (expected, expected[1:], int(expected[1:]), international):
        assert parse_phone_number(written, region) == expected
    assert parse_phone_number(national, region) == expected


@st.composite
def valid_numbers(draw: st.DrawFn) -> phonenumbers.PhoneNumber:
    """Return a valid number of any country: an example with other last digits."""
    region = draw(st.sampled_from(REGIONS))
    number = phonenumbers.example_number_for_type(
        region, draw(st.sampled_from([PhoneNumberType.MOBILE, *range(8)]))
    )
    if number is None:
        number = phonenumbers.example_number(region)
    other = phonenumbers.PhoneNumber()
    other.merge_from(number)
    other.national_number = number.national_number - draw(st.integers(0, 999))
    return other if phonenumbers.is_valid_number(other) else number


SEPARATORS = st.text(" \u00a0-.()/\u2011\u2013\u2212\u200b\u202a\u202c", max_size=2)


@slow
@given(valid_numbers(), COUNTRIES)
def test_valid_number_with_plus_is_itself_everywhere(
    number: phonenumbers.PhoneNumber, country: str | None
) -> None:
    assert parse_phone_number(e164(number), country) == e164(number)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    assert parse_phone_number(international, country) == e164(number)


@slow
@given(valid_numbers(), COUNTRIES, st.data())
def test_separators_and_invisible_characters_do_not_matter(
    number: phonenumbers.PhoneNumber, country: str | None, data: st.DataObject
) -> None:
    plain = e164(number)
    written = "+" + "".join(digit + data.draw(SEPARATORS) for digit in plain[1:])
    assert parse_phone_number(written, country) == plain


@slow
@given(valid_numbers(), COUNTRIES, st.booleans())
def test_number_that_lost_its_plus_goes_to_nobody_abroad_who_was_not_meant(
    number: phonenumbers.PhoneNumber, country: str | None, as_integer: bool
) -> None:
    plain = e164(number)
    written = int(plain[1:]) if as_integer else plain[1:]
    try:
        read = parse_phone_number(written, country)
    except PhoneNumberError as err:
        assert err.translation_key == "ambiguous_phone_number"  # noqa: PT017
    else:
        home = phonenumbers.country_code_for_region(country) if country else None
        assert read == plain or read.startswith(f"+{home}")


WRITTEN = (
    st.text()
    | st.text("+0123456789 ()-./\u2011\u200b٣５", max_size=20)
    | st.from_regex(r"\+?[0-9]{4,16}", fullmatch=True)
    | st.integers()
    | st.integers(10**6, 10**15)
)


@slow
@given(WRITTEN, COUNTRIES)
@example("1234", "DE")
@example("+4920100000000000", None)
@example("+490000", None)
def test_anything_is_a_number_or_refused(value: str | int, country: str | None) -> None:
    try:
        number = parse_phone_number(value, country)
    except PhoneNumberError as err:
        shown = err.translation_placeholders["number"]
        assert sum(map(str.isdigit, shown)) <= 4
    else:
        assert re.fullmatch(r"\+[0-9]{7,15}", number)
        # Of a range that is not in use, a leading 0 may be taken for a prefix.
        if phonenumbers.is_valid_number(phonenumbers.parse(number)):
            assert parse_phone_number(number, None) == number
            assert parse_phone_number(number, country) == number


def test_error_shows_the_last_digits_only() -> None:
    with pytest.raises(PhoneNumberError) as raised:
        parse_phone_number("+1 480 555 010", "US")
    assert raised.value.translation_placeholders == {"number": "…5010"}
    assert "4805" not in f"{raised.value!r}"


# Sender IDs


@pytest.mark.parametrize(
    ("value", "country", "sender_id"),
    [
        ("+1 (888) 555-0100", "DE", "+18885550100"),
        ("888 555 0100", "US", "+18885550100"),
        ("18885550100", "US", "+18885550100"),
        (" +18885550100 ", None, "+18885550100"),
        ("ZohoVoice", "US", "ZohoVoice"),
        (" Zoho Voice ", "US", "Zoho Voice"),
        ("A", "US", "A"),
        ("7Eleven", "US", "7Eleven"),
        ("A.B_C-D&E", "US", "A.B_C-D&E"),
        ("A" * 20, "US", "A" * 20),
        ("12345", "US", "12345"),
        ("12345", "DE", "12345"),
        ("12345", "AT", "12345"),
        ("567674", "IN", "567674"),
        ("123456", None, "123456"),
    ],
)
def test_sender_id_is_read(value: str, country: str | None, sender_id: str) -> None:
    assert parse_sender_id(value, country) == sender_id


@pytest.mark.parametrize(
    "value",
    ["", " ", "+", "+1480", "A" * 21, "-A", " .", "Zoho,Voice", "Zürich", "a\nb", "😀"],
)
def test_what_is_no_sender_id_is_refused(value: str) -> None:
    with pytest.raises(PhoneNumberError) as raised:
        parse_sender_id(value, "US")
    assert raised.value.translation_key == "invalid_sender_id"


@slow
@given(st.text() | st.from_regex(r"\+?[A-Za-z0-9 ._&-]{1,22}"), COUNTRIES)
def test_any_sender_id_is_short_or_refused(value: str, country: str | None) -> None:
    try:
        sender_id = parse_sender_id(value, country)
    except PhoneNumberError as err:
        assert err.translation_key == "invalid_sender_id"  # noqa: PT017
    else:
        assert sender_id.isascii()
        assert len(sender_id) <= 20


# Masks


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+14805550100", "…0100"),
        ("+1 480-555-0100", "…0100"),
        ("12345", "…2345"),
        ("0100", "0100"),
        ("Alice", "Alice"),
        ("", ""),
        ("Alice 14805550100", "…0100"),
    ],
)
def test_mask(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("No SMS to +14805550100.", "No SMS to …0100."),
        ("+1 480-555-0100, 4805550111", "…0100, …0111"),
        ("(480) 555-0100", "(…0100"),
        ("+1\u2011480\u2011555\u20110100!", "…0100!"),
        ("+1–480–555–0100", "…0100"),
        ("Error 4027, 10 numbers", "Error 4027, 10 numbers"),
        ("Bad Request", "Bad Request"),
        ("", ""),
    ],
)
def test_mask_numbers(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked


@slow
@given(valid_numbers(), st.text("abc ,:", max_size=5), st.text("abc ,:", max_size=5))
def test_no_number_shows_more_than_its_last_digits(
    number: phonenumbers.PhoneNumber, before: str, after: str
) -> None:
    for style in (
        PhoneNumberFormat.E164,
        PhoneNumberFormat.INTERNATIONAL,
        PhoneNumberFormat.NATIONAL,
    ):
        written = phonenumbers.format_number(number, style)
        digits = "".join(filter(str.isdigit, written))
        if style == PhoneNumberFormat.NATIONAL and len(digits) < 7:
            continue
        text = mask_numbers(f"{before}{written}{after}")
        assert "".join(filter(str.isdigit, text)) == digits[-4:]
        assert "".join(filter(str.isdigit, mask(written))) == digits[-4:]


@slow
@given(st.text())
def test_masked_twice_is_masked_once(text: str) -> None:
    assert mask_numbers(mask_numbers(text)) == mask_numbers(text)
    assert mask(mask(text)) == mask(text)


# Warming up


@pytest.mark.parametrize("country", [None, "", "US", "DE", "XX"])
def test_any_country_can_be_warmed_up(country: Any) -> None:
    warm_up(country)
    assert parse_phone_number("+14805550100", country) == "+14805550100"
