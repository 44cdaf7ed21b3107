"""The bodies of Zoho's replies."""

from typing import Any
from unittest.mock import ANY

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.zoho_voice.zoho.reply import Reply, parse_json, parse_object


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "\\ud83d"}', {"a": "\ufffd"}),
        ('{"\\udc00": ["\\ud83d\\ude00"]}', {"\ufffd": ["\U0001f600"]}),
        ('{"a": NaN, "b": "\\ud83d"}', {"a": ANY, "b": "\ufffd"}),
        ('{"a": 1}', {"a": 1}),
        (' \n{"a": {"b": []}}\n', {"a": {"b": []}}),
        ("{}", {}),
        ("", {}),
        ("null", {}),
        ("[]", {}),
        ('[{"a": 1}]', {}),
        ('"a"', {}),
        ("1", {}),
        ('{"a": 1', {}),
        ("<html></html>", {}),
        ("\ufeff{}", {}),
        ("9" * 10_000, {}),
        ("[" * 200_000, {}),
        ('{"a":' * 200_000, {}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_only_an_object_is_read(text: str, value: dict[str, Any]) -> None:
    assert parse_object(text.encode()) == value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'[{"a": 1}]', [{"a": 1}]),
        ('[{"a": "ü"}]', [{"a": "ü"}]),
        ('"a"', "a"),
        ("1", 1),
        ('["\\ud83d"]', ["\ufffd"]),
        ('["\ud83d"]', ["\ufffd"]),
        ("a=b", None),
        ("", None),
        ("null", None),
    ],
)
def test_any_json_value_is_read(body: bytes | str, value: Any) -> None:
    assert parse_json(body) == value


def test_broken_utf_8_does_not_hide_the_rest() -> None:
    assert parse_object(b'{"a": "\xf0\x9f", "b": 1}') == {"a": "\ufffd", "b": 1}


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[\[{][\[\]{}:,\"0-9eE.a-z\s-]*", fullmatch=True))
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(parse_object(text.encode()), dict)


@pytest.mark.parametrize("depth", [1_000, 5_000, 100_000])
def test_what_goes_too_deep_says_nothing(depth: int) -> None:
    body = '{"code":%s%s}' % ("[" * depth, "]" * depth)  # noqa: UP031
    assert Reply(200, parse_object(body.encode())).code == "HTTP 200"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"code": "X-1", "message": "No"}, "X-1", "No"),
        ({"code": 4027}, "4027", ""),
        ({"error": "invalid", "error_description": "Not"}, "invalid", "Not"),
        ({"code": "X-1", "error": "invalid"}, "X-1", ""),
        ({"code": None, "message": None}, "HTTP 418", ""),
        ({"code": True, "message": 1.5}, "HTTP 418", ""),
        ({"code": {"a": 1}, "message": ["No"]}, "HTTP 418", ""),
        ({"code": " ", "error": "a\n\tb ", "message": "No\r\nway"}, "a b", "No way"),
        ({"code": "x" * 999, "message": "y " * 999}, "x" * 300, ("y " * 150)),
        ({}, "HTTP 418", ""),
    ],
)
def test_words_of_a_reply(body: dict[str, Any], code: str, message: str) -> None:
    reply = Reply(418, body)
    assert (reply.code, reply.message) == (code, message)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("No 1000.token here", "No … here"),
        ("No Heading or Water in the cellar", "No Heading or …"),
        ("No Headline\nWater in the cellar", "No … …"),
        ("No +14805550100", "No …"),
        ("Not Hi", "Not Hi"),
    ],
)
def test_what_zoho_was_asked_with_is_not_passed_on(said: str, told: str) -> None:
    private = ("1000.token", "Headline\nWater  in the cellar", "+14805550100", "Hi", "")
    body = {"code": said, "message": said, "ZUID": said}
    reply = Reply(400, body, private)
    assert (reply.code, reply.message, reply.words("ZUID")) == (told,) * 3
