"""Numbers as people write and paste them, in many countries."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.zoho_voice.calls.phone_number import (
    PhoneNumberError,
    mask,
    mask_numbers,
    parse_phone_number,
)
from sandbox import Sandbox

from ..conftest import ALICE

#: By country: a number in E.164, and how people there write it.
USUAL = {
    "AE": (
        "+971501234567",
        ["050 123 4567", "00971 50 123 4567", "+971 (0)50 123 4567"],
    ),
    "AR": ("+5491123456789", ["+54 9 11 2345-6789", "011 15-2345-6789"]),
    "AT": (
        "+436641234567",
        ["0664/123 45 67", "0043 664 1234567", "+43 (0)664 1234567"],
    ),
    "AU": (
        "+61412345678",
        ["0412 345 678", "0011 61 412 345 678", "+61 (0)412 345 678"],
    ),
    "BE": ("+32470123456", ["0470 12 34 56", "0470/12.34.56", "+32 (0)470 12 34 56"]),
    "BR": ("+5511961234567", ["(11) 96123-4567", "+55 11 96123-4567"]),
    "CA": ("+16135550123", ["613-555-0123", "(613) 555-0123", "1 613 555 0123"]),
    "CH": (
        "+41781234567",
        ["078 123 45 67", "0041 78 123 45 67", "+41 (0)78 123 45 67"],
    ),
    "CN": ("+8613123456789", ["131 2345 6789", "+86 131 2345 6789"]),
    "CZ": ("+420601123456", ["601 123 456", "00420 601 123 456"]),
    "DE": (
        "+4915123456789",
        ["0151 23456789", "0151/23456789", "0049 151 23456789", "+49 (0)151 23456789"],
    ),
    "DK": ("+4534412345", ["34 41 23 45", "0045 34 41 23 45"]),
    "ES": ("+34612345678", ["612 34 56 78", "0034 612 345 678"]),
    "FI": ("+358412345678", ["041 2345678", "00358 41 2345678", "+358 (0)41 2345678"]),
    "FR": (
        "+33612345678",
        [
            "06 12 34 56 78",
            "06.12.34.56.78",
            "+33 (0)6 12 34 56 78",
            "0033 6 12 34 56 78",
        ],
    ),
    "GB": (
        "+447700900123",
        ["07700 900123", "(07700) 900123", "+44 (0)7700 900123", "00 44 7700 900123"],
    ),
    "IE": (
        "+353850123456",
        ["085 012 3456", "00353 85 012 3456", "+353 (0)85 012 3456"],
    ),
    "IL": ("+972502345678", ["050-234-5678", "+972-50-234-5678", "00 972 50 234 5678"]),
    "IN": ("+918123456789", ["081234 56789", "81234 56789", "0091 81234 56789"]),
    "IT": ("+393123456789", ["312 345 6789", "0039 312 345 6789"]),
    "JP": (
        "+819012345678",
        ["090-1234-5678", "010 81 90 1234 5678", "+81 (0)90-1234-5678"],
    ),
    "KR": ("+821020000000", ["010-2000-0000", "+82 (0)10-2000-0000"]),
    "MX": ("+522221234567", ["222 123 4567", "+52 222 123 4567"]),
    "NL": (
        "+31612345678",
        ["06 12345678", "06-12345678", "+31 (0)6 12345678", "0031 6 12345678"],
    ),
    "NO": ("+4740612345", ["406 12 345", "0047 406 12 345"]),
    "NZ": ("+64211234567", ["021 123 4567", "00 64 21 123 4567"]),
    "PL": ("+48512345678", ["512 345 678", "0048 512 345 678"]),
    "PT": ("+351912345678", ["912 345 678", "00351 912 345 678"]),
    "RU": ("+79123456789", ["8 (912) 345-67-89", "+7 912 345-67-89"]),
    "SE": (
        "+46701234567",
        ["070-123 45 67", "0046 70 123 45 67", "+46 (0)70 123 45 67"],
    ),
    "SG": ("+6581234567", ["8123 4567", "+65 8123 4567"]),
    "TR": ("+905012345678", ["0501 234 56 78", "+90 (0)501 234 56 78"]),
    "US": (
        "+14805550100",
        [
            "480 555 0100",
            "(480) 555-0100",
            "1-480-555-0100",
            "480.555.0100",
            "011 1 480 555 0100",
        ],
    ),
    "ZA": ("+27711234567", ["071 123 4567", "0027 71 123 4567", "+27 (0)71 123 4567"]),
}
LONDON = "+447700900123"


@pytest.mark.parametrize(
    ("country", "written", "expected"),
    [
        (country, written, expected)
        for country, (expected, ways) in USUAL.items()
        for written in (expected, *ways)
    ],
)
def test_usual_ways_of_writing(country: str, written: str, expected: str) -> None:
    assert parse_phone_number(written, country) == expected


@pytest.mark.parametrize(
    ("country", "written"),
    [
        *(
            (country, "00 44 7700 900123")
            for country in ("DE", "FR", "IN", "US", "AU", None)
        ),
        ("US", "011 44 7700 900123"),
        ("AU", "0011 44 7700 900123"),
        ("JP", "010 44 7700 900123"),
        ("RU", "8~10 44 7700 900123"),
        ("RU", "810 44 7700 900123"),
        *((country, "+44 (0)7700 900123") for country in ("DE", "US", None)),
    ],
)
def test_numbers_of_another_country(country: str | None, written: str) -> None:
    assert parse_phone_number(written, country) == LONDON


@pytest.mark.parametrize(
    "written",
    [
        "tel:+1-480-555-0100",
        "TEL:+14805550100",
        "tel://+14805550100",
        "tel:(480) 555-0100",
        "sms:+14805550100",
        "sms:+14805550100?body=Hello%201",
        "smsto:+14805550100",
        "callto:+14805550100",
        " tel: +1 480 555 0100 ",
        "\uff0b\uff11\uff14\uff18\uff10\uff15\uff15\uff15\uff10\uff11\uff10\uff10",
        "\uff08\uff14\uff18\uff10\uff09\u3000\uff15\uff15\uff15\uff0d\uff10\uff11\uff10\uff10",
        "+\u0661\u0664\u0668\u0660\u0665\u0665\u0665\u0660\u0661\u0660\u0660",
        "+\u06f1\u06f4\u06f8\u06f0\u06f5\u06f5\u06f5\u06f0\u06f1\u06f0\u06f0",
        "\u202a+1 480 555 0100\u202c",
        "\u200e+1\u00a0480\u202f555\u20110100\u200f",
        "\ufeff+1\u200b480\u2060555\u200d0100\u00ad",
        "\u2066tel:+14805550100\u2069",
    ],
)
async def test_pasted_numbers_reach_their_recipient(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, written: str
) -> None:
    await hass.services.async_call(
        "zoho_voice",
        "send_sms",
        {"recipients": written, "message": "Hello"},
        blocking=True,
    )
    assert [sms.number for sms in sandbox.sent] == [ALICE]


@pytest.mark.parametrize(
    "written",
    [
        "tel:Alice",
        "tel:",
        "sms:+1480",
        "tel:+14805550100;ext=5",
        "tel:+14805550100x5",
        "+1 480 555 CALL",
        "+34 (0)612 345 678",
        "00 999 480 555 0100",
        "+1480555010\u00b2" + "3",
    ],
)
async def test_what_can_only_be_a_number_is_refused_as_one(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, written: str
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "zoho_voice",
            "send_sms",
            {"recipients": written, "message": "Hello"},
            blocking=True,
        )
    assert caught.value.translation_key == "invalid_phone_number"
    assert sandbox.requests == []


_SCRIPTS = ["0\uff10"[1], "\u0660", "\u06f0", "\u0966", "0"]
_MARKS = st.text("\u200b\u200e\u200f\u202a\u202c\u2066\u2069\ufeff\u00ad", max_size=2)


@given(
    st.sampled_from([(c, w, e) for c, (e, ways) in USUAL.items() for w in ways]),
    st.lists(st.tuples(_MARKS, st.sampled_from(_SCRIPTS)), min_size=40, max_size=40),
    st.sampled_from(["", "tel:", "sms:", " "]),
)
def test_marks_and_scripts_change_nothing(
    usual: tuple[str, str, str], dress: list[tuple[str, str]], scheme: str
) -> None:
    country, written, expected = usual
    dressed = "".join(
        marks + (chr(ord(zero) + int(c)) if c.isdigit() else c)
        for c, (marks, zero) in zip(written, dress, strict=False)
    )
    assert parse_phone_number(scheme + dressed, country) == expected


@given(st.text("+0123456789\u0664\uff14 ()-./\u200etel:ab", max_size=30))
def test_masked_text_shows_no_more_than_four_digits(text: str) -> None:
    assert sum(map(str.isdigit, mask(text))) <= 4
    try:
        parse_phone_number(text, "US")
    except PhoneNumberError as err:
        said = (err.translation_placeholders or {})["number"]
        assert sum(map(str.isdigit, said)) <= 4


@pytest.mark.parametrize(
    "number",
    [
        "tel:+14805550100",
        "+\u0661\u0664\u0668\u0660\u0665\u0665\u0665\u0660\u0661\u0660\u0660",
        "\u200e+1\u200e480\u200e5550100",
    ],
)
def test_pasted_numbers_in_a_text_are_masked(number: str) -> None:
    assert sum(map(str.isdigit, mask_numbers(f"to {number}!"))) == 4
