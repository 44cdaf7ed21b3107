"""Which row of an answer is about which number."""

import re
import time
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.zoho_voice.zoho.receipts import fits, match_rows

A, B, C = "+14805550100", "+14805550111", "+442079460958"


def ids(send: Any, *numbers: str) -> list[str | None]:
    """Return the id that each number gets."""
    return [row and row["logid"] for row in match_rows(send, numbers)]


def row(log_id: str, number: object = None) -> dict[str, object]:
    """Return a row; without a number it does not say whose it is."""
    return (
        {"logid": log_id}
        if number is None
        else {"logid": log_id, "customerNumber": number}
    )


@pytest.mark.parametrize(
    "written", [A, "14805550100", "+1 480-555-0100", "+1 (480) 555-0100", 14805550100]
)
def test_numbers_are_matched_by_their_digits(written: object) -> None:
    assert ids([row("b", B), row("a", written)], A, B) == ["a", "b"]


@pytest.mark.parametrize(
    "written",
    ["+1480****100", "****0100", "+1 (480) 555-XX00", "480-555-0100", "0480 555 0100"],
)
def test_numbers_are_matched_by_the_digits_that_show(written: str) -> None:
    assert ids([row("c", C), row("b", B), row("a", written)], A, B, C) == [
        "a",
        "b",
        "c",
    ]


@pytest.mark.parametrize("written", ["+1****", "****", "", None, [], "+1480555****"])
def test_rows_that_could_be_anybodys_are_matched_by_order(written: object) -> None:
    assert ids([row("a", written), row("b", written)], A, B) == ["a", "b"]


def test_what_is_left_over_fits_together() -> None:
    assert ids([row("b", B), row("a", "+1****")], A, B) == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # a row too many
        ([row("1", "+1****"), row("2", "+1****"), row("3", "+1****")], [None, None]),
        ([row("a", A), row("b", B), row("3", "+1****")], ["a", "b"]),
        # a row too few
        ([row("1", "+1****")], [None, None]),
        ([row("b", B)], [None, "b"]),
        ([row("b", "****0111")], [None, "b"]),
        ([], [None, None]),
        # a row of somebody else
        ([row("1", C), row("2", "+1****")], [None, None]),
        ([row("1", "+4420****"), row("2", "+4420****")], [None, None]),
        # the same number twice
        ([row("1", A), row("2", A)], ["1", None]),
        # the order is another one
        ([row("b", B), row("2", "****"), row("3", "****")], [None, "b"]),
        ([row("1", "****11"), row("2", "****")], ["2", "1"]),
        # no rows at all
        ([None, row("2", "+1****")], [None, None]),
        ("a", [None, None]),
        (None, [None, None]),
    ],
)
def test_no_number_gets_an_id_that_is_in_doubt(
    rows: Any, expected: list[str | None]
) -> None:
    assert ids(rows, A, B) == expected


def test_order_counts_for_the_rest_if_the_others_keep_to_it() -> None:
    rows = [row("a", A), row("2", "****"), row("3", "****")]
    assert ids(rows, A, B, C) == ["a", "2", "3"]


def test_as_many_rows_are_compared_as_an_answer_may_have() -> None:
    assert ids([row("a", A), *[{}] * 99], A, B) == ["a", None]
    assert ids([row("a", A), *[{}] * 100], A, B) == [None, None]


def test_as_much_of_a_number_is_compared_as_it_may_have() -> None:
    def padded(length: int) -> str:
        return f"+1{' ' * (length - len(B))}{B[2:]}"

    assert ids(row("1", padded(300)), A, B) == [None, "1"]
    assert ids(row("1", padded(301)), A, B) == ["1", "1"]


def test_one_row_stands_for_all_unless_it_names_one() -> None:
    assert ids(row("1"), A, B) == ["1", "1"]
    assert ids(row("1", f"{A},{B}"), A, B) == ["1", "1"]
    assert ids(row("1", "+1****"), A, B) == ["1", "1"]
    assert ids(row("1", "+1 480-555-0111"), A, B) == [None, "1"]
    assert ids(row("1", "+1****"), A) == ["1"]


@pytest.mark.parametrize(
    ("written", "number", "expected"),
    [
        (A, A, True),
        ("14805550100", A, True),
        ("+1 480-555-0100", A, True),
        (" +1 (480) 555-0100 ", A, True),
        ("480-555-0100", A, True),
        ("0480 555 0100", A, True),
        ("555-0100", A, True),
        ("+1480****100", A, True),
        ("480****100", A, True),
        ("+1 4XXXXXXXX00", A, True),
        ("+1****", A, True),
        ("****0100", A, True),
        ("****", A, True),
        ("", A, True),
        (B, A, False),
        ("+1 480-555-0111", A, False),
        ("+480-555-0100", A, False),
        ("+44****", A, False),
        ("****0111", A, False),
        ("+1480****1000", A, False),
        ("0100", A, False),
        ("555-010", A, False),
        ("55-0100", A, False),
        ("12345", "+12345678901", False),
        ("+148055501000", A, False),
    ],
)
def test_what_shows_of_a_number_fits_or_not(
    written: str, number: str, *, expected: bool
) -> None:
    assert fits(written, number) is expected


@given(st.integers(10**6, 10**15 - 1), st.data())
def test_number_fits_however_it_is_masked(digits: int, data: st.DataObject) -> None:
    number = f"+{digits}"
    hidden = data.draw(st.sets(st.integers(1, len(number) - 1), min_size=1))
    mask = data.draw(st.sampled_from("*•#xX…"))
    written = "".join(mask if i in hidden else c for i, c in enumerate(number))
    assert fits(written, number)
    assert fits(re.sub(f"{re.escape(mask)}+", mask * 3, written), number)


@given(st.text(), st.text("0123456789", max_size=15))
def test_nothing_written_is_too_odd(written: str, digits: str) -> None:
    assert isinstance(fits(written, f"+{digits}"), bool)


@st.composite
def _answers(draw: st.DrawFn) -> tuple[list[str], list[dict[str, object]]]:
    """Return numbers, and rows about some of them, each with its number as its id."""
    count = draw(st.integers(1, 10))
    numbers = [
        f"+1480555{n:04}"
        for n in draw(
            st.lists(st.integers(0, 99), min_size=count, max_size=count, unique=True)
        )
    ]
    about = draw(st.lists(st.sampled_from([*numbers, C, B]), max_size=12))
    rows = []
    for number in about:
        shown = draw(st.integers(0, 11))
        tail = draw(st.integers(0, 11 - shown))
        hidden = "*" * draw(st.integers(1, 8))
        masked = f"+{number[1:][:shown]}{hidden}{number[len(number) - tail :]}"
        written = draw(
            st.sampled_from([number, number[1:], f"+1 {number[2:]}", masked, hidden])
        )
        rows.append(row(number, written))
    return numbers, rows


@given(_answers())
def test_no_number_gets_the_id_of_another_one_that_shows(
    answer: tuple[list[str], list[dict[str, object]]],
) -> None:
    numbers, rows = answer
    whose = [str(item["logid"]) for item in rows]
    sent_to_each_once = len(set(whose)) == len(whose) and {*whose} <= {*numbers}
    told = [{**item, "logid": str(index)} for index, item in enumerate(rows)]
    found = ids(told, *numbers)
    assert len({*found} - {None}) == len([log_id for log_id in found if log_id])
    for position, (number, log_id) in enumerate(zip(numbers, found, strict=True)):
        if log_id is None or whose[int(log_id)] == number:
            continue
        # Only the order may mislead, or rows about somebody who was not written to.
        by_order = len(rows) == len(numbers) and position == int(log_id)
        assert by_order or not sent_to_each_once
        assert "*" in str(rows[int(log_id)]["customerNumber"])


@given(
    st.permutations([f"+1480555{n:04}" for n in range(10)]),
    st.sampled_from(["{}", "+1 {}", "****{}"]),
)
def test_rows_that_show_their_ends_are_matched_in_any_order(
    shuffled: list[str], style: str
) -> None:
    rows = [row(number, style.format(number[-10:])) for number in shuffled]
    numbers = sorted(shuffled)
    assert ids(rows, *numbers) == numbers


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["customerNumber", "logid"]), inner, max_size=2
            )
        ),
    )
)
def test_nothing_in_an_answer_raises(send: Any) -> None:
    assert len(match_rows(send, [A, B])) == 2


@pytest.mark.parametrize(
    "send",
    [
        [{}] * 300_000,
        {"customerNumber": "1" * 900_000},
        [{"customerNumber": "*1" * 200_000}, {}],
        [{"customerNumber": 10**4000}, {}],
    ],
    ids=["many rows", "long number", "long masked number", "large number"],
)
def test_answer_without_end_is_not_compared_for_long(send: Any) -> None:
    start = time.process_time()
    match_rows(send, [A, B])
    assert time.process_time() - start < 0.1
