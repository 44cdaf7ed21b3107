"""The bodies of Zoho's replies."""

from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.zoho_voice.zoho.reply import Reply, parse_json, parse_object


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "\\ud83d"}', {"a": "\ud83d"}),
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
        ('["\\ud83d"]', ["\ud83d"]),
        ('["\ud83d"]', ["\ud83d"]),
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


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"code": "X-1", "message": "No"}, "X-1", "No"),
        ({"code": 4027}, "4027", ""),
        ({"error": "invalid", "error_description": "Not"}, "invalid", "Not"),
        ({"code": "X-1", "error": "invalid"}, "X-1", ""),
        ({"code": None, "message": None}, "HTTP 418", ""),
        ({}, "HTTP 418", ""),
    ],
)
def test_words_of_a_reply(body: dict[str, Any], code: str, message: str) -> None:
    reply = Reply(418, body)
    assert (reply.code, reply.message) == (code, message)
