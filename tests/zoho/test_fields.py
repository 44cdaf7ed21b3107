"""Single values of Zoho's JSON."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.zoho_voice.zoho.fields import (
    by_plain_name,
    digits,
    mend,
    read_count,
    read_moment,
    read_number,
    read_text,
)


def test_only_digits_are_compared() -> None:
    assert digits("+1 (480) 555-0100") == "14805550100"
    assert digits("Zoho") == ""


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("", ""),
        ("Grüße 🎄", "Grüße 🎄"),
        ("\ufeffHi", "\ufeffHi"),
        ("\ud83c", "\ufffd"),
        ("\udf84!", "\ufffd!"),
        ("a\ud83cb", "a\ufffdb"),
        ("\ud83c\udf84", "🎄"),
        ("\udf84\ud83c", "\ufffd\ufffd"),
    ],
)
def test_half_emoji_are_replaced(text: str, mended: str) -> None:
    assert mend(text) == mended


@given(st.text(st.characters(categories=None)))
def test_mended_text_can_be_stored(text: str) -> None:
    mended = mend(text)
    mended.encode()
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert mended == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (" a b\n", "a b"),
        (7, "7"),
        ("\ud83c", "\ufffd"),
        ("", None),
        (" ", None),
        (True, None),
        (1.5, None),
        (None, None),
        (["a"], None),
        ({}, None),
    ],
)
def test_text_is_read(value: Any, text: str | None) -> None:
    assert read_text(value) == text


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (3, 3),
        ("3", 3),
        ("03 ", 3),
        (0, 0),
        (-1, None),
        ("3.0", None),
        (3.0, None),
        ("٣", None),
        (True, None),
        (10**9, None),
        ("", None),
        (None, None),
    ],
)
def test_count_is_read(value: Any, count: int | None) -> None:
    assert read_count(value) == count


@pytest.mark.parametrize("value", [1764831248860, "1764831248860", 1764831248860.0])
def test_moment_is_read(value: Any) -> None:
    assert read_moment(value) == datetime(2025, 12, 4, 6, 54, 8, 860000, UTC)


@pytest.mark.parametrize("value", [None, "", "now", [], 1e300, 10**400, float("nan")])
def test_moment_that_is_none(value: Any) -> None:
    assert read_moment(value) is None


@pytest.mark.parametrize(
    ("written", "number"),
    [
        # written in full
        ("+14805550100", "+14805550100"),
        ("+1 480-555-0100", "+14805550100"),
        ("+1 (480) 555.0100 ", "+14805550100"),
        ("+44\u00a020 7946\u20110958", "+442079460958"),
        ("+45 1234 5678", "+4512345678"),
        # digits with a country code, as in Zoho's samples
        ("14805550100", "+14805550100"),
        (14805550100, "+14805550100"),
        ("1 480 555 0100", "+14805550100"),
        ("123456789012345", "+123456789012345"),
        # digits that may lack it, or be no number of a phone
        ("480-555-0100", "480-555-0100"),
        ("4805550100", "4805550100"),
        ("12345", "12345"),
        (12345, "12345"),
        ("0044 20 7946 0958", "0044 20 7946 0958"),
        ("1234567890123456", "1234567890123456"),
        # masked, names, several, and what is no number at all
        ("+1****", "+1****"),
        ("+1 4XXXXXXXX73", "+1 4XXXXXXXX73"),
        ("Zoho Voice", "Zoho Voice"),
        ("+14805550100,+14805550111", "+14805550100,+14805550111"),
        ("+", "+"),
        ("+-", "+-"),
        ("", None),
        (None, None),
        (14805550100.0, None),
        (["+14805550100"], None),
    ],
)
def test_number_is_read(written: Any, number: str | None) -> None:
    assert read_number(written) == number


def test_names_are_compared_without_case_and_what_separates_words() -> None:
    for name in ("logid", "logId", "LogID", "log_id", "LOG-ID"):
        assert by_plain_name({name: 1}) == {"logid": 1}
    assert by_plain_name({"logid": 1, "log_id": 2}) == {"logid": 1}
