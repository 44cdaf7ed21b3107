"""What a status callback says, whatever its shape."""

from collections.abc import Callable
import json
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from hypothesis import given, settings, strategies as st
from multidict import MultiDict, MultiDictProxy
import pytest

from custom_components.zoho_voice.zoho import callback as callback_module
from custom_components.zoho_voice.zoho.callback import (
    MAX_BODY,
    MAX_REPORTS,
    Callback,
    DeliveryReport,
    read_callback,
)
from custom_components.zoho_voice.zoho.models import MAX_NUMBERS
from tests.conftest import ALICE, BOB

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


def reports(
    body: Any = b"", content_type: str = JSON_TYPE, **query: str
) -> list[DeliveryReport]:
    """Return the reports of a callback; a body that is not bytes goes as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    callback = read_callback(query, content_type, data)
    assert callback is None or callback.reports
    return [*callback.reports] if callback else []


def report(
    log_id: str, status: str | None = None, **more: str | None
) -> DeliveryReport:
    """Return a report."""
    return DeliveryReport(log_id=log_id, status=status, **more)


FULL = {
    "logid": "a-1",
    "status": "UNDELIVERED",
    "statusDescription": "Handset off",
    "customerNumber": "+1 480-555-0100",
}
FULL_REPORT = report(
    "a-1", "UNDELIVERED", description="Handset off", number="+14805550100"
)

# Where it may be


def test_json() -> None:
    assert reports(FULL) == [FULL_REPORT]


@pytest.mark.parametrize("content_type", ["", "text/plain", FORM_TYPE, "Nonsense"])
def test_json_of_another_type(content_type: str) -> None:
    assert reports(json.dumps(FULL).encode(), content_type) == [FULL_REPORT]
    assert reports(json.dumps([FULL]).encode(), content_type) == [FULL_REPORT]


@pytest.mark.parametrize(
    "content_type", [FORM_TYPE, f"{FORM_TYPE}; charset=utf-8", "", "text/plain"]
)
def test_form(content_type: str) -> None:
    assert reports(urlencode(FULL).encode(), content_type) == [FULL_REPORT]


def test_query() -> None:
    assert reports(**FULL) == [FULL_REPORT]
    query = MultiDictProxy(MultiDict([*FULL.items(), ("logid", "other")]))
    assert read_callback(query, "", b"") == Callback((FULL_REPORT,))


def test_query_and_body_together() -> None:
    assert reports({"status": "DELIVERED"}, logid="a-1") == [report("a-1", "DELIVERED")]
    assert reports(b"state=SENT", FORM_TYPE, logid="a-1") == [report("a-1", "SENT")]
    assert reports({"logid": "a-1"}, status="DELIVERED") == [report("a-1", "DELIVERED")]
    assert reports({"logid": "b-2", "status": "SENT"}, logid="a-1", status="READ") == [
        report("a-1", "READ"),
        report("b-2", "SENT"),
    ]


def test_form_with_several_reports() -> None:
    form = b"logid=a&status=SENT&to=%2B14805550100&logid=b&status=READ&logid=c"
    assert reports(form, FORM_TYPE) == [
        report("a", "SENT", number=ALICE),
        report("b", "READ"),
        report("c"),
    ]


@pytest.mark.parametrize("name", ["payload", "data", "JSONString"])
def test_json_as_a_text(name: str) -> None:
    text = json.dumps(FULL)
    assert reports({name: text}) == [FULL_REPORT]
    assert reports(text) == [FULL_REPORT]
    assert reports(urlencode({name: text}).encode(), FORM_TYPE) == [FULL_REPORT]
    assert reports(**{name: f" [{text}]"}) == [FULL_REPORT]


def test_byte_order_mark() -> None:
    assert reports(b"\xef\xbb\xbf" + json.dumps(FULL).encode()) == [FULL_REPORT]


# How it may be named


@pytest.mark.parametrize(
    "name",
    ["logid", "logId", "log_id", "LOGID", "messageId", "message_id", "MessageID"],
)
def test_names_of_the_id(name: str) -> None:
    assert reports({name: "a"}) == [report("a")]
    assert reports({name: 7}) == [report("7")]
    assert reports({name: ["a", None, "b"], "status": "SENT"}) == [
        report("a", "SENT"),
        report("b", "SENT"),
    ]


@pytest.mark.parametrize(
    "name", ["status", "Status", "deliveryStatus", "delivery_status", "state", "STATE"]
)
def test_names_of_the_status(name: str) -> None:
    assert reports({"logid": "a", name: "READ"}) == [report("a", "READ")]


@pytest.mark.parametrize(
    "name", ["statusDescription", "status_description", "description", "reason"]
)
def test_names_of_the_description(name: str) -> None:
    assert reports({"logid": "a", name: "Off"}) == [report("a", description="Off")]


@pytest.mark.parametrize(
    "name", ["customerNumber", "customer_number", "to", "To", "number"]
)
@pytest.mark.parametrize("written", [ALICE, 14805550100, "+1 480-555-0100"])
def test_names_of_the_number(name: str, written: Any) -> None:
    assert reports({"logid": "a", name: written}) == [report("a", number=ALICE)]


def test_number_whose_plus_became_a_blank() -> None:
    form = b"logid=a&to=+14805550100"
    assert reports(form, FORM_TYPE) == [report("a", number=ALICE)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"messageId": "b", "logid": "a"}, report("a")),
        (
            {"logid": "a", "status": "success", "deliveryStatus": "READ"},
            report("a", "READ"),
        ),
        ({"logid": "a", "state": "CA", "status": "READ"}, report("a", "READ")),
        ({"logid": "a", "to": BOB, "customerNumber": ALICE}, report("a", number=ALICE)),
        ({"logid": "", "messageId": "a"}, report("a")),
        ({"logid": "a", "status": None, "state": "READ"}, report("a", "READ")),
    ],
)
def test_most_telling_name_comes_first(
    said: dict[str, Any], expected: DeliveryReport
) -> None:
    assert reports(said) == [expected]


# What belongs together


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # around them
        (
            {"status": "success", "data": {"logid": "a", "status": "READ"}},
            [report("a", "READ")],
        ),
        (
            {
                "status": "READ",
                "reason": "Fine",
                "messages": [{"logid": "a", "to": ALICE}, {"logid": "b", "to": BOB}],
            },
            [
                report("a", "READ", description="Fine", number=ALICE),
                report("b", "READ", description="Fine", number=BOB),
            ],
        ),
        (
            {"description": "An event", "data": {"logid": "a", "status": "READ"}},
            [report("a", "READ")],
        ),
        (
            {"status": "READ", "all": [{"logid": "a", "to": n} for n in (ALICE, BOB)]},
            [report("a", "READ", number=ALICE), report("a", "READ", number=BOB)],
        ),
        ({"to": ALICE, "sms": {"logid": "a"}}, [report("a", number=ALICE)]),
        # within
        (
            {"logid": "a", "status": {"state": "READ", "description": "Fine"}},
            [report("a", "READ", description="Fine")],
        ),
        (
            {"logid": "a", "events": [{"status": "SENT"}, {"status": "READ"}]},
            [report("a", "SENT"), report("a", "READ")],
        ),
        (
            {
                "logid": "a",
                "recipients": [
                    {"to": ALICE, "status": "READ"},
                    {"to": BOB, "status": "SENT"},
                ],
            },
            [
                report("a", "READ", number=ALICE),
                report("a", "SENT", number=BOB),
            ],
        ),
        # of something else
        (
            {"logid": "a", "status": "READ", "sender": {"status": "ACTIVE"}},
            [report("a", "READ")],
        ),
        (
            {"logid": "a", "sms": {"logid": "b", "status": "READ"}},
            [report("b", "READ"), report("a")],
        ),
        # the same again
        ([FULL, FULL, {"x": FULL}], [FULL_REPORT]),
        ([{"logid": "a"}, {"logid": "a", "status": "READ"}], [report("a", "READ")]),
        # nothing
        ({"status": "READ", "to": ALICE}, []),
        ({"logid": None, "status": "READ"}, []),
        ({"logid": [], "status": "READ"}, []),
        ({"logid": True}, []),
        ([], []),
        ({}, []),
        (None, []),
        (7, []),
        ("logid", []),
    ],
)
def test_what_belongs_together(said: Any, expected: list[DeliveryReport]) -> None:
    assert reports(said) == expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", JSON_TYPE),
        (b"", FORM_TYPE),
        (b"\xff\xfe\x00", ""),
        (b'{"logid": "a"', JSON_TYPE),
        (b"logid=a", JSON_TYPE),
        (b"logid", FORM_TYPE),
        (b"logid=", FORM_TYPE),
        (b"[" * MAX_BODY, ""),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
    ],
)
def test_nothing_that_can_be_read(body: bytes, content_type: str) -> None:
    assert read_callback({}, content_type, body) is None


# Bounds


def test_body_that_is_too_large_is_not_looked_at() -> None:
    body = json.dumps(FULL).encode()
    assert reports(body.ljust(MAX_BODY)) == [FULL_REPORT]
    assert reports(body.ljust(MAX_BODY + 1)) == []
    assert reports(body.ljust(MAX_BODY + 1), logid="a") == [report("a")]


def test_depth_is_bounded() -> None:
    said: Any = FULL
    for _ in range(7):
        said = [said]
    assert reports(said) == [FULL_REPORT]
    assert reports([said]) == []


def test_number_of_objects_and_lists_is_bounded() -> None:
    # The query and the list are two of the 500.
    assert reports([*[{}] * 497, FULL]) == [FULL_REPORT]
    assert reports([*[{}] * 498, FULL]) == []


def test_number_of_reports_is_bounded() -> None:
    many = [{"logid": f"{n}", "status": "READ"} for n in range(MAX_REPORTS + 1)]
    assert reports(many) == [report(f"{n}", "READ") for n in range(MAX_REPORTS)]
    vague = [{"logid": f"{n}"} for n in range(MAX_REPORTS + 1)]
    assert len(reports(vague)) == MAX_REPORTS
    assert len(reports({"logid": [*range(1000)], "status": "READ"})) == MAX_NUMBERS


def test_length_of_a_text_is_bounded() -> None:
    long = "x" * 1000
    said = {"logid": long, "status": long, "reason": long, "to": long}
    [found] = reports(said)
    assert found == report(
        "x" * 250, "x" * 250, description="x" * 250, number="x" * 250
    )


def test_half_an_emoji_hides_nothing() -> None:
    assert reports(b'{"logid": "a", "reason": "\\ud83c"}') == [
        report("a", description="\ufffd")
    ]
    assert reports(b'{"logid": "a", "reason": "\xf0\x9f"}') == [
        report("a", description="\ufffd")
    ]


def _full(unit: bytes, begin: bytes = b"[", end: bytes = b"]") -> bytes:
    """Return a list that is as large as a body may be."""
    count = (MAX_BODY - len(begin) - len(end)) // (len(unit) + 1)
    return begin + b",".join([unit] * count) + end


def _matryoshka() -> bytes:
    """Return a text in a text in a text, as large as a body may be."""
    text = "[]"
    while len(inner := json.dumps([text])) <= MAX_BODY:
        text = inner
    return text.encode()


@pytest.mark.parametrize(
    "body",
    [
        _full(b"[]"),
        _full(b"{}"),
        _full(b'"[]"'),
        _full(b'{"logid":1}'),
        _full(b'{"status":1}', b'{"logid":[' + b"1," * 3000 + b'1],"a":[', b"]}"),
        _full(b'"[[[["', b'["[', b']"]'),
        _matryoshka(),
        b"a=1&" * (MAX_BODY // 4),
        b"&" * MAX_BODY,
    ],
    ids=lambda body: body[:20],
)
def test_worst_bodies_cost_little(body: bytes) -> None:
    assert len(body) <= MAX_BODY
    with (
        patch.object(callback_module, "_read", wraps=callback_module._read) as read,
        patch.object(callback_module, "DeliveryReport", wraps=DeliveryReport) as made,
    ):
        read_callback({}, "", body)
    assert read.call_count <= 500
    assert made.call_count <= 500 * MAX_NUMBERS


# Whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*FULL, "data", "to"]) | st.text(), inner, max_size=4
        )
        | inner.map(json.dumps)
    ),
    max_leaves=20,
)
TYPES = st.sampled_from([JSON_TYPE, FORM_TYPE, "", "text/plain"]) | st.text()
QUERIES = st.dictionaries(st.sampled_from([*FULL]) | st.text(), st.text(), max_size=4)


def sound(callback: Callback | None) -> bool:
    """Return if a callback is what it promises to be."""
    return callback is None or (
        0 < len(callback.reports) == len({*callback.reports}) <= MAX_REPORTS
        and all(
            one.log_id
            and all(
                value is None or (value and len(value) <= 251 and value.encode())
                for value in (one.log_id, one.status, one.description, one.number)
            )
            for one in callback.reports
        )
    )


@settings(deadline=None)
@given(QUERIES, TYPES, st.binary())
def test_no_bytes_are_too_odd(
    query: dict[str, str], content_type: str, body: bytes
) -> None:
    assert sound(read_callback(query, content_type, body))


@settings(deadline=None)
@given(QUERIES, TYPES, JSON)
def test_no_json_is_too_odd(
    query: dict[str, str], content_type: str, value: Any
) -> None:
    assert sound(read_callback(query, content_type, json.dumps(value).encode()))


@settings(deadline=None)
@given(QUERIES, st.dictionaries(st.sampled_from([*FULL]) | st.text(), st.text()))
def test_no_form_is_too_odd(query: dict[str, str], form: dict[str, str]) -> None:
    body = urlencode(form, errors="replace").encode()
    assert sound(read_callback(query, FORM_TYPE, body))


WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=36)
FILLING = st.dictionaries(
    st.sampled_from(["event", "time", "userName", "x"]),
    st.none() | st.booleans() | st.integers() | WORDS | st.lists(WORDS, max_size=3),
    max_size=3,
)
STYLES: list[Callable[[str], str]] = [str, str.upper, str.lower, str.title]


@st.composite
def _hidden(draw: st.DrawFn) -> tuple[dict[str, str], str, bytes, DeliveryReport]:
    """Return a callback of any shape, and the report in it."""

    def name(*names: str) -> str:
        return draw(st.sampled_from(STYLES))(draw(st.sampled_from(names)))

    expected = report(
        draw(WORDS),
        draw(WORDS),
        description=draw(st.none() | WORDS),
        number=draw(st.sampled_from([None, ALICE, BOB])),
    )
    said = {
        name("logid", "logId", "log_id", "messageId", "message_id"): expected.log_id,
        name("status", "deliveryStatus", "delivery_status", "state"): expected.status,
    }
    if expected.description:
        names = ("statusDescription", "description", "reason")
        said[name(*names)] = expected.description
    if expected.number:
        said[name("customerNumber", "to", "number")] = expected.number
    shape = draw(st.sampled_from(["query", "form", "form with JSON", "JSON"]))
    if shape == "query":
        return said, draw(TYPES), b"", expected
    if shape == "form":
        return {}, FORM_TYPE, urlencode(said).encode(), expected
    value: Any = draw(FILLING) | said
    for _ in range(draw(st.integers(0, 3))):
        wrapped = draw(st.sampled_from(["as it is", "in a list", "as a text"]))
        if wrapped == "in a list":
            value = [draw(FILLING), value, draw(FILLING)]
        elif wrapped == "as a text":
            value = json.dumps(value)
        value = draw(FILLING) | {draw(st.sampled_from(["data", "sms", "body"])): value}
    text = json.dumps(value)
    if shape == "form with JSON":
        return {}, FORM_TYPE, urlencode({"payload": text}).encode(), expected
    return {}, draw(TYPES), text.encode(), expected


@settings(deadline=None)
@given(_hidden())
def test_report_is_found_in_any_shape(
    callback: tuple[dict[str, str], str, bytes, DeliveryReport],
) -> None:
    query, content_type, body, expected = callback
    assert read_callback(query, content_type, body) == Callback((expected,))
