"""What goes out to Zoho Voice and what comes back."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.zoho_voice.zoho.models import DataCoding, Receipt, Sms

NUMBER = "+14805550100"


def test_optional_parameters_that_are_not_used_are_left_out() -> None:
    sms = Sms(message="Hi there!", data_coding=DataCoding.ENGLISH)
    assert sms.as_json("+18885550100", [NUMBER]) == {
        "senderId": "+18885550100",
        "customerNumber": NUMBER,
        "message": "Hi there!",
        "dataCoding": 0,
    }


@pytest.mark.parametrize(
    ("option", "value", "parameter", "sent"),
    [
        ("status_callback", "https://a.b/c?d=e", "statusCallback", "https://a.b/c?d=e"),
        (
            "scheduled_time",
            datetime(2034, 1, 2, 3, 4, 5),  # noqa: DTZ001
            "scheduledTime",
            "2034-01-02 03:04:05",
        ),
        ("time_zone", "Asia/Kolkata", "timeZone", "Asia/Kolkata"),
    ],
)
def test_each_option_adds_its_own_parameter(
    option: str, value: Any, parameter: str, sent: str
) -> None:
    plain = Sms(message="Hi", data_coding=DataCoding.BINARY)
    sms = Sms(message="Hi", data_coding=DataCoding.BINARY, **{option: value})
    added = sms.as_json("Me", [NUMBER]).items() - plain.as_json("Me", [NUMBER]).items()
    assert added == {(parameter, sent)}


def test_several_numbers_are_separated_by_commas_only() -> None:
    sms = Sms(message="Hi", data_coding=DataCoding.ENGLISH)
    body = sms.as_json("Me", [NUMBER, "+14805550111"])
    assert body["customerNumber"] == "+14805550100,+14805550111"


@pytest.mark.parametrize(
    ("row", "attribute", "value"),
    [
        ({"logid": "a"}, "log_id", "a"),
        ({"logid": ""}, "log_id", None),
        ({"logid": 7}, "log_id", "7"),
        ({"logid": []}, "log_id", None),
        ({"status": "IN_QUEUE"}, "status", "IN_QUEUE"),
        ({"status": "SOMETHING_NEW"}, "status", "SOMETHING_NEW"),
        ({"status": {}}, "status", None),
        ({"multipartCount": 3}, "segments", 3),
        ({"multipartCount": "3"}, "segments", 3),
        ({"multipartCount": "many"}, "segments", None),
        ({"multipartCount": 1000}, "segments", 1000),
        *(
            ({"multipartCount": value}, "segments", None)
            for value in (True, 0, -1, 1001, 2**64)
        ),
        ({"senderId": "+1 888-555-0100"}, "sender_id", "+18885550100"),
        ({"senderId": "Zoho Voice"}, "sender_id", "Zoho Voice"),
        ({"senderId": 18885550100}, "sender_id", "+18885550100"),
        ({"senderId": "+1*****"}, "sender_id", "+1*****"),
        ({"country": "us"}, "country", "us"),
        ({"country": None}, "country", None),
        (
            {"submittedTime": 1764831248860},
            "submitted_at",
            datetime(2025, 12, 4, 6, 54, 8, 860000, UTC),
        ),
        (
            {"submittedTime": "1764831248860"},
            "submitted_at",
            datetime(2025, 12, 4, 6, 54, 8, 860000, UTC),
        ),
        ({"submittedTime": "now"}, "submitted_at", None),
        ({"submittedTime": []}, "submitted_at", None),
        ({"submittedTime": 1e300}, "submitted_at", None),
        ({"submittedTime": float("nan")}, "submitted_at", None),
        ({"submittedTime": float("inf")}, "submitted_at", None),
        ({"submittedTime": 10**400}, "submitted_at", None),
    ],
)
def test_receipt_reads_what_is_there(
    row: dict[str, Any], attribute: str, value: Any
) -> None:
    receipt = Receipt(NUMBER, row)
    assert getattr(receipt, attribute) == value
    others = {"log_id", "status", "segments", "sender_id", "submitted_at", "country"}
    assert {getattr(receipt, other) for other in others - {attribute}} == {None}
    assert receipt.number == NUMBER


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)
FIELDS = ("logid", "status", "multipartCount", "senderId", "submittedTime", "country")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_receipt_is_too_odd(row: dict[str, Any]) -> None:
    receipt = Receipt(NUMBER, row)
    assert receipt.number == NUMBER
    for value in (receipt.log_id, receipt.status, receipt.sender_id, receipt.country):
        assert value is None or (isinstance(value, str) and value)
    assert receipt.submitted_at is None or receipt.submitted_at.tzinfo is UTC
