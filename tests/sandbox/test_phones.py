"""The page with everybody's phone."""

from html.parser import HTMLParser
import re

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from sandbox import Direction, Sandbox

from .conftest import Send

ALICE, BOB = "+14805550100", "+919876543210"
VOID = {"meta", "link", "input", "br"}


class Nesting(HTMLParser):
    """Checks that every element that is opened is closed, and keeps their ids."""

    def __init__(self) -> None:
        """Begin outside."""
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.references += [
            value
            for name, value in attrs
            if name in {"for", "aria-labelledby"} and value
        ]

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self.open.pop() == tag


async def show(sandbox: Sandbox, http: ClientSession) -> str:
    """Return the page, which is valid."""
    async with http.get(sandbox.accounts_url) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        page = await response.text()
    nesting = Nesting()
    nesting.feed(page)
    nesting.close()
    assert nesting.open == []
    assert len(set(nesting.ids)) == len(nesting.ids)
    assert {*nesting.references} <= {*nesting.ids}
    assert not re.search(r"https?://", page)
    return page


def phones(page: str) -> dict[str, list[str]]:
    """Return the bubbles of each phone as plain text, in order."""
    return {
        match[1]: [
            re.sub(r"<[^>]+>", "", bubble)
            for bubble in re.findall(r"<li.*?</li>", match[2], re.DOTALL)
        ]
        for match in re.finditer(
            r"<section .*?<h2 [^>]+>(.*?)</h2>(.*?)</section>", page, re.DOTALL
        )
    }


async def test_empty(sandbox: Sandbox, http: ClientSession) -> None:
    """Nothing is there yet."""
    page = await show(sandbox, http)
    assert "No SMS yet" in page
    assert phones(page) == {}


async def test_phones(
    sandbox: Sandbox, http: ClientSession, freezer: FrozenDateTimeFactory, send: Send
) -> None:
    """Each phone has its SMS in order, and the one used last comes first."""
    await send(message="One")
    freezer.tick(2)
    await send(message="Two", customerNumber=BOB, senderId="ZohoVoice")
    freezer.tick(2)
    sandbox.receive(ALICE, "Three")
    await sandbox.report(sandbox.sent[0], "DELIVERED")
    await sandbox.report(sandbox.sent[1], "UNDELIVERED", "The phone is off")
    page = await show(sandbox, http)
    assert list(phones(page).items()) == [
        (
            "+1 480-555-0100",
            [
                "One06:54:08 · from +1 888-555-0100 · delivered",
                "Three06:54:12 · to +1 888-555-0100",
            ],
        ),
        (
            "+91 98765 43210",
            ["Two06:54:10 · from ZohoVoice · undelivered (The phone is off)"],
        ),
    ]
    assert "3 SMS · times are in UTC" in page
    assert '<span class="good">delivered</span>' in page
    assert '<span class="bad">undelivered' in page


async def test_scheduled(
    sandbox: Sandbox, http: ClientSession, freezer: FrozenDateTimeFactory, send: Send
) -> None:
    """What is scheduled comes last, until it is sent."""
    await send(
        message="Later", scheduledTime="2025-12-04 12:30:00", timeZone="Asia/Kolkata"
    )
    await send(message="Now")
    await send(message="Once", customerNumber=BOB, scheduledTime="2025-12-05 00:00:00")
    assert phones(await show(sandbox, http)) == {
        "+91 98765 43210": [
            "Oncescheduled for 2025-12-05 00:00:00 · from +1 888-555-0100"
        ],
        "+1 480-555-0100": [
            "Now06:54:08 · from +1 888-555-0100 · in queue",
            (
                "Laterscheduled for 2025-12-04 12:30:00 Asia/Kolkata"
                " · from +1 888-555-0100"
            ),
        ],
    }
    freezer.move_to("2025-12-04 07:00:00")
    sandbox.send_due()
    assert phones(await show(sandbox, http))["+1 480-555-0100"][1] == (
        "Later07:00:00 · from +1 888-555-0100 · in queue"
    )


async def test_nothing_is_markup(
    sandbox: Sandbox, http: ClientSession, send: Send
) -> None:
    """Whatever people write is shown as they wrote it."""
    nasty = "<b>\"'&</b></li><script>alert(1)</script>"
    sandbox.sender_ids.add(nasty)
    await send(message=nasty, senderId=nasty)
    await sandbox.report(sandbox.sent[0], nasty, nasty)
    sandbox.receive(nasty, nasty, "+18885550100")
    page = await show(sandbox, http)
    assert "<b>" not in page
    assert page.count("alert(1)</script>") == 0
    assert len(phones(page)) == 2


async def test_no_more_than_the_latest(sandbox: Sandbox, http: ClientSession) -> None:
    """Many SMS do not make the page slow."""
    for number in range(250):
        sandbox.receive(ALICE, f"{number}.")
    page = await show(sandbox, http)
    assert "250 SMS, the last 200 are shown · times are in UTC" in page
    (bubbles,) = phones(page).values()
    assert len(bubbles) == 200
    assert bubbles[0].startswith("50.")


async def test_reply(sandbox: Sandbox, http: ClientSession, send: Send) -> None:
    """What a person types comes in, and the page is there again."""
    await send()
    form = {"from": ALICE, "text": "On my way 🚲"}
    url = f"{sandbox.accounts_url}/reply"
    async with http.post(url, data=form, allow_redirects=False) as response:
        assert response.status == 303
        location = response.headers["Location"]
    sms = sandbox.message_log[1]
    assert (sms.direction, sms.number) == (Direction.INCOMING, ALICE)
    assert (sms.message, sms.sender_id) == ("On my way 🚲", "+18885550100")
    assert f'id="{location.removeprefix("/#")}"' in await show(sandbox, http)


async def test_from_another_phone(sandbox: Sandbox, http: ClientSession) -> None:
    """Somebody who was never written to can write, to any number of the account."""
    sandbox.sender_ids.add("+18885550199")
    page = await show(sandbox, http)
    assert re.findall(r'<option value="([^"]+)">', page) == [
        "+18885550100",
        "+18885550199",
    ]
    form = {"from": "+91 98765-43210", "to": "+18885550199", "text": "Hello"}
    async with http.post(f"{sandbox.accounts_url}/reply", data=form) as response:
        assert response.status == 200
        assert "+91 98765 43210" in phones(await response.text())
    assert sandbox.message_log[0].sender_id == "+18885550199"


@pytest.mark.parametrize(
    "form", [{"from": " ", "text": "x"}, {"from": ALICE, "text": "x", "to": "Nobody"}]
)
async def test_bad_reply(
    sandbox: Sandbox, http: ClientSession, form: dict[str, str]
) -> None:
    """What is wrong is said, and nothing comes in."""
    async with http.post(f"{sandbox.accounts_url}/reply", data=form) as response:
        assert response.status == 400
        assert "Not received" in await response.text()
    assert len(sandbox.message_log) == 0
