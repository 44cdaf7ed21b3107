"""How many segments a text takes."""
# ruff: noqa: RUF001 (the characters that look alike are the point)

from hypothesis import given, strategies as st
import pytest

from custom_components.zoho_voice.sending.segments import estimate_segments
from custom_components.zoho_voice.zoho.models import DataCoding

ENGLISH = DataCoding.ENGLISH
BINARY = DataCoding.BINARY
NON_ENGLISH = DataCoding.NON_ENGLISH

# The rows of the tables as 3GPP TS 23.038 shows them; 0x1B is the escape.
DEFAULT_TABLE = [
    "@Δ 0¡P¿p",
    "£_!1AQaq",
    '$Φ"2BRbr',
    "¥Γ#3CScs",
    "èΛ¤4DTdt",
    "éΩ%5EUeu",
    "ùΠ&6FVfv",
    "ìΨ'7GWgw",
    "òΣ(8HXhx",
    "ÇΘ)9IYiy",
    "\nΞ*:JZjz",
    "Ø+;KÄkä",
    "øÆ,<LÖlö",
    "\ræ-=MÑmñ",
    "Åß.>NÜnü",
    "åÉ/?O§oà",
]
BASIC = "".join(DEFAULT_TABLE)
EXTENSION = "\f^{}\\[~]|€"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Do without Home Assistant."""


def greedy(widths: list[int], single: int, several: int) -> int:
    """Fill one segment after another, as a sender does."""
    if sum(widths) <= single:
        return 1
    segments, room = 1, several
    for width in widths:
        if width > room:
            segments, room = segments + 1, several
        room -= width
    return segments


def model(text: str, data_coding: DataCoding) -> int:
    """Count character by character."""
    whole = text.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "surrogatepass"
    )
    if data_coding is BINARY:
        return greedy([1] * len(text.encode("utf-8", "surrogatepass")), 140, 134)
    if data_coding is ENGLISH and set(text) <= {*BASIC, *EXTENSION}:
        return greedy([1 + (char in EXTENSION) for char in text], 160, 153)
    return greedy([1 + (char > "\uffff") for char in whole], 70, 67)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 1000, 7),
        # A character of the extension table takes two septets.
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 158 + "[", 1),
        ("a" * 159 + "[", 2),
        # It moves on as a whole.
        ("a" * 151 + "[" + "a" * 153, 2),
        ("a" * 152 + "[" + "a" * 151, 2),
        ("a" * 152 + "[" + "a" * 152, 3),
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("[" * 76 + "a" + "[" * 76 + "a", 2),
        ("a" + "[" * 152 + "a", 2),
        ("a" + "[" * 152 + "aa", 3),
        # Line feed, carriage return; form feed is of the extension table.
        ("\n" * 160, 1),
        ("\r\n" * 80, 1),
        ("\f" * 80, 1),
        ("\f" * 81, 2),
    ],
)
def test_english_text(text: str, segments: int) -> None:
    assert estimate_segments(text, ENGLISH) == segments == model(text, ENGLISH)


@pytest.mark.parametrize("char", BASIC)
def test_character_of_the_default_alphabet_takes_one_septet(char: str) -> None:
    assert estimate_segments(char * 160, ENGLISH) == 1
    assert estimate_segments(char * 161, ENGLISH) == 2
    assert estimate_segments(char * 307, ENGLISH) == 3


@pytest.mark.parametrize("char", EXTENSION)
def test_character_of_the_extension_table_takes_two_septets(char: str) -> None:
    assert estimate_segments(char * 80, ENGLISH) == 1
    assert estimate_segments(char * 81, ENGLISH) == 2
    assert estimate_segments(char * 153, ENGLISH) == 3


@pytest.mark.parametrize(
    "char", [*"çáíóúêâ`\t\0\x1b\x7fΑΒΕЖ№„“’–…\u00a0\u2028\ud83d\ude00", "नमस्ते", "ẞ"]
)
def test_other_character_makes_english_text_ucs2(char: str) -> None:
    assert estimate_segments("a" * (70 - len(char)) + char, ENGLISH) == 1
    assert estimate_segments("a" * (71 - len(char)) + char, ENGLISH) == 2


def test_all_characters_of_english_text_are_known() -> None:
    assert len(set(BASIC)) == len(BASIC) == 127
    one_segment = {
        chr(code)
        for code in range(0x11000)
        if estimate_segments(chr(code) * 71, ENGLISH) == 1
    }
    assert one_segment == {*BASIC, *EXTENSION}


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("é" * 70, 1),
        ("é" * 71, 2),
        ("é" * 134, 2),
        ("é" * 135, 3),
        ("a" * 70, 1),
        ("a" * 71, 2),
        ("€" * 70, 1),
        ("\n" * 71, 2),
        ("\x1b" * 71, 2),
        # An emoji takes two units, and moves on as a whole.
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("😀" * 1000, 31),
        ("a" * 65 + "😀" + "a" * 67, 2),
        ("a" * 66 + "😀" + "a" * 65, 2),
        ("a" * 66 + "😀" + "a" * 66, 3),
        # Halves of an emoji are one where they meet, and a unit where they do not.
        ("\ud83d" * 70, 1),
        ("\ud83d" * 134, 2),
        ("\ude00\ud83d" * 67, 2),
        ("\ud83d\ude00" * 66, 2),
        ("\ud83d\ude00" * 67, 3),
        ("a" * 66 + "\ud83d\ude00" + "a" * 66, 3),
    ],
)
def test_non_english_text(text: str, segments: int) -> None:
    assert estimate_segments(text, NON_ENGLISH) == segments == model(text, NON_ENGLISH)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 140, 1),
        ("a" * 141, 2),
        ("é" * 70, 1),
        ("é" * 71, 2),
        ("a" * 268, 2),
        ("a" * 269, 3),
        ("\n" * 269, 3),
        ("😀" * 67, 2),
        ("\ud83d" * 47, 2),
    ],
)
def test_binary_text(text: str, segments: int) -> None:
    assert estimate_segments(text, BINARY) == segments == model(text, BINARY)


PIECES = st.one_of(
    st.sampled_from(["a", "[", "€", "\n", "\f", "é", "😀", "\ud83d", "\ude00", "\x1b"]),
    st.characters(),
    st.sampled_from([*BASIC, *EXTENSION]),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return runs of characters, as long as borders of segments are apart."""
    runs = st.tuples(PIECES, st.sampled_from([1, 1, 1, 2, 64, 66, 67, 70, 150, 152]))
    return "".join(char * times for char, times in draw(st.lists(runs, max_size=8)))


@given(texts(), st.sampled_from(DataCoding))
def test_same_as_filling_one_segment_after_another(
    text: str, data_coding: DataCoding
) -> None:
    assert estimate_segments(text, data_coding) == model(text, data_coding)


@given(
    st.lists(st.sampled_from([*BASIC, *EXTENSION]), max_size=700).map("".join),
)
def test_same_for_english_text(text: str) -> None:
    assert estimate_segments(text, ENGLISH) == model(text, ENGLISH)
