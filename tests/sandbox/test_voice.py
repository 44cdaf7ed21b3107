"""The send endpoint."""

import time
from typing import Any

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Account, Sandbox

from .conftest import Send

SCHEDULE = "2025-12-04 12:30:00"


async def test_success_is_answered_as_documented(sandbox: Sandbox, send: Send) -> None:
    """One recipient: an object with exactly the documented fields."""
    response = await send()
    assert response.status == 200
    reply = await response.json()
    sms = sandbox.sent[0]
    assert reply == {
        "code": "ZVSMS-2000",
        "send": {
            "multipartCount": 1,
            "country": "us",
            "submittedTime": 1764831248500,
            "customerNumber": "+1 480-555-0100",
            "message": "Hi there!",
            "userName": "Sandy",
            "customerName": "+1 480-555-0100",
            "senderId": "+1 888-555-0100",
            "messageType": "OUTGOING",
            "sentTime": "2025-12-04 06:54",
            "logid": sms.log_id,
            "email": "sandbox@example.com",
            "status": "IN_QUEUE",
        },
        "status": "SUCCESS",
    }
    assert (sms.number, sms.sender_id, sms.message, sms.submitted_at) == (
        "+14805550100",
        "+18885550100",
        "Hi there!",
        1764831248.5,
    )
    assert (sms.data_coding, sms.scheduled_time, sms.time_zone) == (None, None, None)
    assert sms.status_callback is None


async def test_optional_fields_are_kept(sandbox: Sandbox, send: Send) -> None:
    """All optional fields together."""
    response = await send(
        dataCoding=2,
        message="Grüß dich",
        scheduledTime=SCHEDULE,
        timeZone="Asia/Kolkata",
        statusCallback="https://example.com/callback?key=1",
    )
    assert (await response.json())["code"] == "ZVSMS-2000"
    sms = sandbox.sent[0]
    assert sms.data_coding == 2
    assert (sms.scheduled_time, sms.time_zone) == (SCHEDULE, "Asia/Kolkata")
    assert sms.status_callback == "https://example.com/callback?key=1"


async def test_several_as_list(sandbox: Sandbox, send: Send) -> None:
    """Every number has a receipt of its own, in order."""
    response = await send(customerNumber="+14805550100,919876543210")
    receipts = (await response.json())["send"]
    assert [receipt["customerNumber"] for receipt in receipts] == [
        "+1 480-555-0100",
        "+91 98765 43210",
    ]
    assert [receipt["country"] for receipt in receipts] == ["us", "in"]
    assert [sms.number for sms in sandbox.sent] == ["+14805550100", "+919876543210"]
    assert [sms.log_id for sms in sandbox.sent] == [
        receipt["logid"] for receipt in receipts
    ]
    assert len({sms.log_id for sms in sandbox.sent}) == 2


async def test_several_as_object(sandbox: Sandbox, send: Send) -> None:
    """All numbers share one receipt."""
    sandbox.several_as = "object"
    response = await send(customerNumber="+14805550100,+919876543210")
    receipt = (await response.json())["send"]
    assert receipt["customerNumber"] == "+1 480-555-0100,+91 98765 43210"
    assert {sms.log_id for sms in sandbox.sent} == {receipt["logid"]}
    assert len(sandbox.sent) == 2


async def test_one_is_an_object_in_either_case(sandbox: Sandbox, send: Send) -> None:
    """A single receipt is never a list."""
    for several_as in ("list", "object"):
        sandbox.several_as = several_as
        response = await send()
        assert isinstance((await response.json())["send"], dict)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"message": "x" * 160}, 1),
        ({"message": "x" * 161}, 2),
        ({"message": "x" * 306}, 2),
        ({"message": "x" * 307}, 3),
        ({"message": "ü" * 70}, 1),
        ({"message": "ü" * 71}, 2),
        ({"message": "😀" * 36}, 2),
        ({"message": "x" * 71, "dataCoding": 2}, 2),
        ({"message": "x" * 141, "dataCoding": 1}, 2),
    ],
)
async def test_multipart_count(send: Send, changes: dict[str, Any], count: int) -> None:
    """Segments are counted as the mobile networks do."""
    reply = await (await send(**changes)).json()
    assert reply["send"]["multipartCount"] == count


@pytest.mark.parametrize(
    "changes",
    [
        {"message": "x" * 1000},
        {"customerNumber": ",".join(f"+1480555010{digit}" for digit in range(10))},
        {"senderId": "18885550100"},
        {"senderId": "ZohoVoice"},
        {"dataCoding": 0},
        {"dataCoding": 1},
        {"scheduledTime": "2025-12-04 06:54:09"},
        {"timeZone": "Europe/Berlin"},
        {"customerNumber": "1234567"},
        {"customerNumber": "+123456789012345"},
    ],
)
async def test_accepted(sandbox: Sandbox, send: Send, changes: dict[str, Any]) -> None:
    """What is just allowed is accepted."""
    reply = await (await send(**changes)).json()
    assert reply["status"] == "SUCCESS"
    assert sandbox.requests[0].accepted
    assert sandbox.requests[0].refusal is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"senderId": ...}, "senderId is missing"),
        ({"customerNumber": ...}, "customerNumber is missing"),
        ({"message": ...}, "message is missing"),
        ({"senderId": 18885550100}, "senderId is not a string"),
        ({"customerNumber": 14805550100}, "customerNumber is not a string"),
        ({"customerNumber": ["+14805550100"]}, "customerNumber is not a string"),
        ({"message": 1}, "message is not a string"),
        ({"message": ""}, "0 characters"),
        ({"message": "x" * 1001}, "1001 characters"),
        ({"message": "\ud83d"}, "surrogate"),
        ({"customerNumber": ""}, "no number"),
        ({"customerNumber": "+14805550100,"}, "no number"),
        ({"customerNumber": "+14805550100, +14805550101"}, "no number"),
        ({"customerNumber": "+1 480-555-0100"}, "no number"),
        ({"customerNumber": "+123456"}, "no number"),
        ({"customerNumber": "+1234567890123456"}, "no number"),
        ({"customerNumber": "+١٤٨٠٥٥٥٠١٠٠"}, "no number"),
        ({"customerNumber": "+14805550100\n"}, "no number"),
        ({"customerNumber": "+14805550100,14805550100"}, "twice"),
        (
            {"customerNumber": ",".join(f"+148055501{n:02}" for n in range(11))},
            "11 numbers",
        ),
        ({"senderId": "+18885550199"}, "not approved"),
        ({"senderId": "+1 888-555-0100"}, "not approved"),
        ({"senderId": "zohovoice"}, "not approved"),
        ({"dataCoding": 3}, "dataCoding"),
        ({"dataCoding": True}, "dataCoding"),
        ({"dataCoding": "0"}, "dataCoding"),
        ({"dataCoding": 2.0}, "dataCoding"),
        ({"dataCoding": None}, "dataCoding"),
        ({"dataCoding": 0, "message": "Grüße"}, "not English"),
        ({"scheduledTime": "2025-12-04T12:30:00"}, "yyyy-mm-dd"),
        ({"scheduledTime": "2025-12-04 12:30"}, "yyyy-mm-dd"),
        ({"scheduledTime": "2025-12-04 12:30:00Z"}, "yyyy-mm-dd"),
        ({"scheduledTime": "2025-13-04 12:30:00"}, "does not exist"),
        ({"scheduledTime": 1764831248}, "not a string"),
        ({"scheduledTime": "2025-12-04 06:54:08"}, "past"),
        ({"scheduledTime": "2025-12-04 12:24:08", "timeZone": "Asia/Kolkata"}, "past"),
        ({"timeZone": "Mars/Base"}, "not known"),
        ({"timeZone": "Europe"}, "not known"),
        ({"timeZone": ""}, "not known"),
        ({"timeZone": None}, "not a string"),
    ],
)
async def test_bad_request(
    sandbox: Sandbox, send: Send, changes: dict[str, Any], reason: str
) -> None:
    """What Zoho documents otherwise is refused, and nothing is sent."""
    response = await send(**changes)
    assert response.status == 200
    assert await response.json() == {
        "status": "ERROR",
        "code": "ZVSMS-4027",
        "message": "Bad Request",
    }
    assert sandbox.sent == []
    assert reason in (sandbox.requests[0].refusal or "")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"flash": True}, "ZVSMS-4027", "Extra parameter found"),
        ({"message_": "x"}, "ZVSMS-4027", "Extra parameter found"),
        (
            {"customerNumber": "+14805550100,+8501234567"},
            "ZVSMS-4038",
            "destination country not supported",
        ),
        ({"statusCallback": "example.com"}, "ZVT011", "given URL is wrong"),
        ({"statusCallback": "ftp://example.com"}, "ZVT011", "given URL is wrong"),
        ({"statusCallback": "https://"}, "ZVT011", "given URL is wrong"),
        ({"statusCallback": "https://a b"}, "ZVT011", "given URL is wrong"),
        ({"statusCallback": "http://[::1"}, "ZVT011", "given URL is wrong"),
        ({"statusCallback": ""}, "ZVT011", "given URL is wrong"),
        ({"statusCallback": 1}, "ZVT011", "given URL is wrong"),
    ],
)
async def test_other_errors(
    sandbox: Sandbox, send: Send, changes: dict[str, Any], code: str, message: str
) -> None:
    """Errors with a code or a message of their own."""
    reply = await (await send(**changes)).json()
    assert reply == {"status": "ERROR", "code": code, "message": message}
    assert sandbox.sent == []


async def test_error_status(sandbox: Sandbox, send: Send) -> None:
    """The HTTP status of errors is not documented: it can be set."""
    sandbox.error_status = 400
    response = await send(message="")
    assert response.status == 400
    assert (await response.json())["code"] == "ZVSMS-4027"
    assert sandbox.requests[0].status == 400


@pytest.mark.parametrize(
    ("data", "body"),
    [(b"{", "{"), (b"", ""), (b"[]", []), (b'"x"', "x"), (b"\xff", "\ufffd")],
)
async def test_no_json_object(
    sandbox: Sandbox, http: ClientSession, data: bytes, body: Any
) -> None:
    """A body that is no JSON object is refused and kept as it came."""
    token = sandbox.issue_token()["access_token"]
    response = await http.post(
        f"{sandbox.voice_url}/rest/json/v1/sms/send",
        data=data,
        headers={
            "Authorization": f"Zoho-oauthtoken {token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        },
    )
    assert (await response.json())["code"] == "ZVSMS-4027"
    assert sandbox.requests[0].body == body


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*/*"},
        {"Accept": "text/html"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
async def test_wrong_headers(
    sandbox: Sandbox, send: Send, headers: dict[str, str]
) -> None:
    """Accept and Content-Type have to be JSON."""
    reply = await (await send(headers)).json()
    assert reply["code"] == "ZVSMS-4027"
    assert sandbox.sent == []


async def test_lenient_headers(send: Send) -> None:
    """A character set, and more types than JSON, do no harm."""
    response = await send(
        {
            "Accept": "application/json;q=0.9, text/plain",
            "Content-Type": "application/json; charset=utf-8",
        }
    )
    assert (await response.json())["status"] == "SUCCESS"


async def test_authorization_has_to_be_exact(
    sandbox: Sandbox, http: ClientSession, send: Send
) -> None:
    """Any other scheme or token is 401."""
    token = sandbox.issue_token()["access_token"]
    for value in (
        f"Bearer {token}",
        f"zoho-oauthtoken {token}",
        f"Zoho-oauthtoken  {token}",
        token,
        "Zoho-oauthtoken",
        "Zoho-oauthtoken nonsense",
    ):
        response = await send({"Authorization": value})
        assert response.status == 401, value
        assert (await response.json())["code"] == "INVALID_OAUTHTOKEN"
    response = await http.post(f"{sandbox.voice_url}/rest/json/v1/sms/send", json={})
    assert response.status == 401
    assert sandbox.sent == []
    response = await send({"Authorization": f"Zoho-oauthtoken {token}"})
    assert response.status == 200


async def test_missing_scope(sandbox: Sandbox, send: Send) -> None:
    """A token without the scope of the call is refused."""
    token = sandbox.issue_token(["ZohoVoice.sms.READ"])["access_token"]
    response = await send({"Authorization": f"Zoho-oauthtoken {token}"})
    assert response.status == 401
    assert (await response.json())["code"] == "OAUTH_SCOPE_MISMATCH"
    assert sandbox.sent == []


@pytest.mark.clock
async def test_token_expires(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, send: Send
) -> None:
    """An access token lives for an hour."""
    freezer.tick(3599)
    assert (await send()).status == 200
    freezer.tick(1)
    assert (await send()).status == 401


@pytest.mark.parametrize("end", ["expire_access_tokens", "revoke_refresh_tokens"])
async def test_token_ends(sandbox: Sandbox, send: Send, end: str) -> None:
    """Access tokens can be ended."""
    getattr(sandbox, end)()
    assert (await send()).status == 401


async def test_requests_are_recorded(sandbox: Sandbox, send: Send) -> None:
    """Every request is kept, in order, with its headers and what was answered."""
    await send()
    await send({"Authorization": "Bearer x"}, message="Second")
    first, second = sandbox.requests
    assert first.headers["accept"] == "application/json"
    assert first.body["message"] == "Hi there!"
    assert (first.status, first.accepted, first.refusal) == (200, True, None)
    assert second.body["message"] == "Second"
    assert (second.status, second.accepted) == (401, False)


async def test_user_is_the_one_who_signed_in(sandbox: Sandbox, send: Send) -> None:
    """The reply names the token's account, not the one at the consent page now."""
    sandbox.account = Account(zuid="2", email="other@example.com", first_name="Otto")
    reply = await (await send()).json()
    assert reply["send"]["email"] == "sandbox@example.com"
    token = sandbox.issue_token()["access_token"]
    reply = await (await send({"Authorization": f"Zoho-oauthtoken {token}"})).json()
    assert reply["send"]["email"] == "other@example.com"
    assert reply["send"]["userName"] == "Otto"


async def test_sender_ids_can_change(sandbox: Sandbox, send: Send) -> None:
    """Zoho may approve another sender."""
    sandbox.sender_ids.add("+18885550199")
    reply = await (await send(senderId="+18885550199")).json()
    assert reply["status"] == "SUCCESS"


async def test_answer_time(sandbox: Sandbox, send: Send) -> None:
    """Every answer takes the time that is set."""
    sandbox.answer_seconds = 0.1
    begin = time.perf_counter()
    await send()
    assert time.perf_counter() - begin >= 0.1


async def test_only_post(sandbox: Sandbox, http: ClientSession) -> None:
    """The endpoint takes nothing but POST, and nothing else is there."""
    response = await http.get(f"{sandbox.voice_url}/rest/json/v1/sms/send")
    assert response.status == 405
    response = await http.post(f"{sandbox.voice_url}/rest/json/v1/sms/sent")
    assert response.status == 404
    assert sandbox.requests == []
