"""The message log."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Account, Sandbox

from .conftest import Read, Send

ALICE, BOB = "+14805550100", "+919876543210"


async def texts(read: Read, **query: Any) -> list[str]:
    """Return the texts that the log has for a query."""
    response = await read("logs", **query)
    if response.status == 204:
        assert await response.read() == b""
        return []
    reply = await response.json()
    assert reply["code"] == "200"
    return [row["message"] for row in reply["smsLogQuery"]]


async def test_rows_are_as_documented(sandbox: Sandbox, send: Send, read: Read) -> None:
    """One SMS each way, the newest first, with what Zoho is known to answer."""
    await send()
    await sandbox.report(sandbox.sent[0], "UNDELIVERED", "Rejected by the carrier")
    sandbox.receive(BOB, "Was ist los? 🌻" * 6)
    response = await read()
    assert response.status == 200
    common = {
        "isBlocked": False,
        "emailId": "sandbox@example.com",
        "userName": "Sandy",
        "zuid": 10001,
        "isMMS": False,
        "mmsMeta": [],
        "submittedTime": 1764831248500,
        "sentTime": "2025-12-04 06:54",
        "senderId": "+1 888-555-0100",
    }
    assert await response.json() == {
        "smsLogQuery": [
            common
            | {
                "logid": sandbox.message_log[1].log_id,
                "messageType": "INCOMING",
                "customerNumber": "+91 98765 43210",
                "customerName": "+91 98765 43210",
                "country": "in",
                "message": "Was ist los? 🌻" * 6,
                "multipartCount": 2,
            },
            common
            | {
                "logid": sandbox.sent[0].log_id,
                "messageType": "OUTGOING",
                "customerNumber": "+1 480-555-0100",
                "customerName": "+1 480-555-0100",
                "country": "us",
                "message": "Hi there!",
                "multipartCount": 1,
                "status": "UNDELIVERED",
                "statusDescription": "Rejected by the carrier",
            },
        ],
        "code": "200",
        "meta": {"total": 2},
        "status": "success",
    }


@pytest.mark.parametrize("number", ["+1480555****", "22395", "Dr. Who"])
async def test_what_is_no_whole_number_is_written_as_it_is(
    sandbox: Sandbox, read: Read, number: str
) -> None:
    """A number that is masked, a short code, or a name."""
    sandbox.receive(number, "x")
    (row,) = (await (await read()).json())["smsLogQuery"]
    assert (row["customerNumber"], row["country"]) == (number, "")


async def test_no_rows(read: Read) -> None:
    """Nothing is answered as 204, without a body."""
    response = await read()
    assert (response.status, await response.read()) == (204, b"")


@pytest.mark.parametrize("several_as", ["list", "object"])
async def test_a_row_for_each_number(
    sandbox: Sandbox, send: Send, read: Read, several_as: Any
) -> None:
    """Several numbers have rows of their own, even if they share a log ID."""
    sandbox.several_as = several_as
    await send(customerNumber=f"{ALICE},{BOB}")
    rows = (await (await read()).json())["smsLogQuery"]
    assert [row["customerNumber"] for row in rows] == [
        "+91 98765 43210",
        "+1 480-555-0100",
    ]
    assert len({row["logid"] for row in rows}) == (1 if several_as == "object" else 2)


async def test_pages(sandbox: Sandbox, read: Read) -> None:
    """A page begins where it is told to, and holds 100 rows, or at most 200."""
    for number in range(250):
        sandbox.receive(ALICE, f"{number}")
    newest_first = [f"{number}" for number in reversed(range(250))]
    assert await texts(read) == newest_first[:100]
    assert await texts(read, from_=0, size=1) == ["249"]
    assert await texts(read, from_=0, size=1000) == newest_first[:200]
    assert await texts(read, from_=200, size=200) == newest_first[200:]
    assert await texts(read, from_=250, size=200) == []
    assert await texts(read, size=0) == []
    reply = await (await read(from_=240, size=5)).json()
    assert reply["meta"] == {"total": 250}
    sandbox.oldest_first = True
    assert await texts(read, size=2) == ["0", "1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"messageType": "All"}, ["in", "out", "out"]),
        ({"messageType": ""}, ["in", "out", "out"]),
        ({"messageType": "Incoming"}, ["in"]),
        ({"messageType": "Outgoing"}, ["out", "out"]),
        ({"customerNumber": "14805550100"}, ["in", "out"]),
        ({"customerNumber": "4805550100"}, []),
        ({"customerNumber": "919876543210"}, ["out"]),
        ({"customerNumber": "14805550100", "messageType": "Incoming"}, ["in"]),
        ({"country": "us"}, ["in", "out"]),
        ({"country": "in"}, ["out"]),
        ({"longCode": "18885550100"}, ["in", "out"]),
        ({"longCode": "+18885550100"}, ["in", "out"]),
        ({"longCode": "ZohoVoice"}, ["out"]),
        ({"fetchMMS": "true"}, []),
        ({"optArchived": "true"}, []),
        ({"fetchMMS": "false", "optArchived": "false"}, ["in", "out", "out"]),
    ],
)
async def test_filters(
    sandbox: Sandbox, send: Send, read: Read, query: dict[str, str], expected: list[str]
) -> None:
    """The log can be asked for some rows only."""
    await send(message="out")
    await send(message="out", customerNumber=BOB, senderId="ZohoVoice")
    sandbox.receive(ALICE, "in")
    assert await texts(read, **query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"fromDate": "20251204 06:54"}, ["late", "early"]),
        ({"fromDate": "20251204 06:55"}, ["late"]),
        ({"fromDate": "2025-12-04 06:54:08"}, ["late", "early"]),
        ({"fromDate": "2025-12-04 06:54:09"}, ["late"]),
        ({"fromDate": "20251205 00:00"}, []),
        ({"toDate": "20251204 06:54"}, []),
        ({"toDate": "20251204 06:55"}, ["early"]),
        ({"toDate": "2025-12-04 23:59:59"}, ["late", "early"]),
        ({"fromDate": "20251204 06:50", "toDate": "20251204 07:00"}, ["early"]),
        ({"fromDate": "", "toDate": ""}, ["late", "early"]),
    ],
)
async def test_dates(
    sandbox: Sandbox,
    freezer: FrozenDateTimeFactory,
    read: Read,
    query: dict[str, str],
    expected: list[str],
) -> None:
    """Both ways to write a date that the documentation has; both ends are included."""
    sandbox.receive(ALICE, "early")
    freezer.tick(3000)
    sandbox.receive(ALICE, "late")
    assert await texts(read, **query) == expected


@pytest.mark.clock
async def test_dates_are_in_the_zone_of_the_account(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, read: Read
) -> None:
    """Whoever writes UTC gets other rows, and cannot tell from a row's time."""
    sandbox.zone = ZoneInfo("Asia/Kolkata")
    sandbox.receive(ALICE, "x")
    now = freezer.time_to_freeze
    minute = now.replace(second=0, microsecond=0)
    shift = timedelta(hours=5, minutes=30)
    row = (await (await read()).json())["smsLogQuery"][0]
    assert row["sentTime"] == f"{now + shift:%Y-%m-%d %H:%M}"
    assert row["submittedTime"] // 1000 == int(sandbox.message_log[0].submitted_at)
    for offset, expected in (
        (timedelta(), []),
        (shift, ["x"]),
        (shift + timedelta(minutes=1), []),
    ):
        since, until = minute + offset, minute + offset + timedelta(minutes=1)
        found = await texts(
            read, fromDate=f"{since:%Y%m%d %H:%M}", toDate=f"{until:%Y%m%d %H:%M}"
        )
        assert found == expected


async def test_rows_show_up_late(
    sandbox: Sandbox, freezer: FrozenDateTimeFactory, read: Read
) -> None:
    """An SMS may get into the log behind the time that it has there."""
    sandbox.log_lag_seconds = 90
    sandbox.receive(ALICE, "x")
    freezer.tick(89)
    assert await texts(read) == []
    freezer.tick(1)
    assert await texts(read) == ["x"]


@pytest.mark.parametrize(
    ("case", "status", "row_status"),
    [
        ("as_is", "success", "Delivered_to_phone"),
        ("upper", "SUCCESS", "DELIVERED_TO_PHONE"),
        ("lower", "success", "delivered_to_phone"),
        ("title", "Success", "Delivered_To_Phone"),
    ],
)
async def test_status_case(
    sandbox: Sandbox, send: Send, read: Read, case: Any, status: str, row_status: str
) -> None:
    """Nobody can rely on the case of a status."""
    await send()
    await sandbox.report(sandbox.sent[0], "Delivered_to_phone")
    sandbox.status_case = case
    reply = await (await read()).json()
    assert reply["status"] == status
    assert reply["smsLogQuery"][0]["status"] == row_status
    assert reply["code"] == "200"


async def test_each_account_has_a_log(sandbox: Sandbox, send: Send, read: Read) -> None:
    """Nobody sees what another account sent or received."""
    await send(message="first")
    sandbox.account = Account(zuid="2", email="other@example.com", first_name="Otto")
    token = sandbox.issue_token()["access_token"]
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    await send(headers, message="second")
    sandbox.receive(ALICE, "third")
    assert await texts(read) == ["first"]
    reply = await (await read(headers=headers)).json()
    assert [row["message"] for row in reply["smsLogQuery"]] == ["third", "second"]
    assert {row["zuid"] for row in reply["smsLogQuery"]} == {2}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"from_": "-1"}, "from '-1'"),
        ({"from_": ""}, "from ''"),
        ({"size": "all"}, "size 'all'"),
        ({"size": "9" * 5000}, "size '999"),
        ({"messageType": "INCOMING"}, "messageType 'INCOMING'"),
        ({"customerNumber": "+14805550100"}, "customerNumber '+14805550100'"),
        ({"customerNumber": "1 480"}, "customerNumber '1 480'"),
        ({"fromDate": "2025-12-04"}, "fromDate '2025-12-04'"),
        ({"fromDate": "2025-12-04T00:00:00"}, "fromDate"),
        ({"fromDate": "20251304 00:00"}, "fromDate '20251304 00:00' does not exist"),
        ({"toDate": "1764831248500"}, "toDate"),
        ({"fetchMMS": "1"}, "fetchMMS '1'"),
        ({"optArchived": ""}, "optArchived ''"),
        ({"page": "1"}, "extra parameters: page"),
    ],
)
async def test_bad_query(
    sandbox: Sandbox, read: Read, query: dict[str, str], reason: str
) -> None:
    """What Zoho documents otherwise is refused, and the reason is kept."""
    sandbox.receive(ALICE, "x")
    sandbox.error_status = 400
    response = await read(**query)
    assert response.status == 400
    assert await response.json() == {
        "status": "ERROR",
        "code": "500",
        "message": "failed",
    }
    assert reason in (sandbox.reads[0].refusal or "")


async def test_reads_are_recorded(sandbox: Sandbox, read: Read) -> None:
    """Every request is kept, with what was asked for and answered."""
    await read(size=5)
    sandbox.receive(ALICE, "x")
    await read(headers={"Accept": "text/html"})
    await read(messageType="Incoming")
    nothing, refused, one = sandbox.reads
    assert (nothing.call, nothing.query, nothing.status) == ("logs", {"size": "5"}, 204)
    assert refused.refusal == "header Accept is not application/json"
    assert (one.status, one.rows, one.refusal) == (200, 1, None)
    assert one.headers["Accept"] == "application/json"


async def test_authorization(sandbox: Sandbox, read: Read) -> None:
    """The token has to be valid and to have the scope."""
    sandbox.receive(ALICE, "x")
    response = await read(headers={"Authorization": "Zoho-oauthtoken x"})
    assert response.status == 401
    assert (await response.json())["code"] == "INVALID_OAUTHTOKEN"
    token = sandbox.issue_token(["ZohoVoice.sms.CREATE"])["access_token"]
    response = await read(headers={"Authorization": f"Zoho-oauthtoken {token}"})
    assert response.status == 401
    assert (await response.json())["code"] == "OAUTH_SCOPE_MISMATCH"
    assert [each.rows for each in sandbox.reads] == [0, 0]
