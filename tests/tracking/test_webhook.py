"""The webhook: its URL, what it believes, and what it makes of strangers."""

import asyncio
from collections.abc import AsyncGenerator, Callable
import json
import logging
import sys
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestClient
from homeassistant import components
from homeassistant.components import webhook
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.util.aiohttp import MockRequest
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.zoho_voice.tracking import webhook as webhook_module
from custom_components.zoho_voice.tracking.signals import SIGNAL_DELIVERY
from custom_components.zoho_voice.tracking.webhook import is_public
from sandbox import CallbackStyle, FaultKind, Sandbox, through_test_client

from ..common import full_disk, issues, send
from ..conftest import ALICE, Look

URL = "https://example.com"


@pytest.fixture
async def credentials(hass: HomeAssistant, credentials: None) -> None:
    """Let Home Assistant have an external URL."""
    await hass.config.async_update(external_url=URL)


@pytest.fixture
async def client(
    hass_client_no_auth: ClientSessionGenerator,
    account: MockConfigEntry,
    sandbox: Sandbox,
) -> AsyncGenerator[TestClient]:
    """Let Zoho reach Home Assistant."""
    client = await hass_client_no_auth()
    sandbox.callbacks.transport = through_test_client(client)
    return client


@pytest.fixture
def reported(hass: HomeAssistant) -> list[str]:
    """Return the states that are announced."""
    found: list[str] = []
    async_dispatcher_connect(
        hass, SIGNAL_DELIVERY, callback(lambda _, sms: found.append(sms.state))
    )
    return found


@pytest.fixture
async def unreadable(sandbox: Sandbox, client: TestClient, look: Look) -> None:
    """Let the message log be out of reach for good."""
    sandbox.add_fault(FaultKind.READ_MISSING_SCOPE, times=None)
    await look(seconds=6)


def path_of(entry: MockConfigEntry) -> str:
    """Return where the webhook of an account is."""
    return webhook.async_generate_path(entry.data["webhook_id"])


# Its URL


async def test_each_sms_carries_the_url(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    await send(hass)
    assert sandbox.sent[0].status_callback == URL + path_of(account)
    await send(hass, message="Own", status_callback="https://example.org/?key=1")
    assert sandbox.sent[1].status_callback == "https://example.org/?key=1"
    await hass.config.async_update(external_url="https://other.example.com:8443")
    await send(hass, message="Other")
    assert sandbox.sent[2].status_callback == (
        "https://other.example.com:8443" + path_of(account)
    )
    await hass.config.async_update(external_url=None)
    await send(hass, message="None")
    assert sandbox.sent[3].status_callback is None
    webhook_id = account.data["webhook_id"]
    await hass.config_entries.async_reload(account.entry_id)
    assert account.data["webhook_id"] == webhook_id


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", True),
        ("http://home.example.com:8123", True),
        ("https://93.184.216.34", True),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]:8123", True),
        ("http://192.168.1.2:8123", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1:8123", False),
        ("http://100.64.0.1:8123", False),
        ("http://[fd00::1]:8123", False),
        ("http://[fe80::1]:8123", False),
        ("http://homeassistant.local:8123", False),
        ("http://homeassistant:8123", False),
        ("http://localhost:8123", False),
        ("http://ha.fritz.LAN", False),
        ("http://ha.home.arpa.", False),
    ],
)
async def test_a_url_that_is_known_at_home_only_is_kept_from_zoho(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    url: str,
    expected: bool,
) -> None:
    assert is_public(url) is expected
    await hass.config.async_update(external_url=url)
    await send(hass)
    assert (sandbox.sent[0].status_callback is not None) is expected


async def test_a_url_that_zoho_refuses_is_left_out(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.accept_callbacks = False
    await send(hass)
    await send(hass, message="More")
    # The first was sent without it, and the second had none.
    assert [sms.status_callback for sms in sandbox.sent] == [None, None]
    assert len(sandbox.requests) == 3
    issue = issues(hass)["callback_refused"]
    assert account.data["webhook_id"] not in str(issue.translation_placeholders)
    await hass.config.async_update(external_url="https://other.example.com")
    assert "callback_refused" not in issues(hass)
    await send(hass, message="Again")
    assert "callback_refused" in issues(hass)
    assert len(sandbox.sent) == 3

    sandbox.accept_callbacks = True
    await hass.config_entries.async_reload(account.entry_id)
    await send(hass, message="At last")
    assert sandbox.sent[3].status_callback is not None
    assert "callback_refused" not in issues(hass)


async def test_a_url_that_zoho_refused_is_tried_again_after_another_one(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.accept_callbacks = False
    await send(hass)
    sandbox.accept_callbacks = True
    await hass.config.async_update(external_url="https://other.example.com")
    await send(hass, message="Other")
    await hass.config.async_update(external_url=URL)
    await send(hass, message="Again")
    assert [sms.status_callback for sms in sandbox.sent] == [
        None,
        "https://other.example.com" + path_of(account),
        URL + path_of(account),
    ]
    assert "callback_refused" not in issues(hass)


async def test_a_url_of_the_callers_own_that_zoho_refuses_is_an_error(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    sandbox.accept_callbacks = False
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, status_callback="https://example.org/?key=1")
    assert caught.value.translation_key == "wrong_status_callback"
    assert sandbox.sent == []
    assert "callback_refused" not in issues(hass)


# Home Assistant Cloud


class FakeCloud(ModuleType):
    """What of Home Assistant Cloud is used; it can't be had in tests."""

    class CloudNotAvailable(HomeAssistantError):  # noqa: N818
        """Say that there is no connection."""

    def __init__(self, hass: HomeAssistant) -> None:
        super().__init__("homeassistant.components.cloud")
        self.hass = hass
        self.is_connected = True
        self.is_subscribed = True
        self.hooks: dict[str, dict[str, Any]] = {}
        self.created = 0
        self.error: Exception | None = None

    def async_active_subscription(self, _: HomeAssistant) -> bool:
        return self.is_subscribed

    async def async_get_or_create_cloudhook(
        self, _: HomeAssistant, webhook_id: str
    ) -> str:
        if not self.is_connected:
            raise self.CloudNotAvailable
        if self.error:
            raise self.error
        if webhook_id not in self.hooks:
            await asyncio.sleep(0)
            self.created += 1
            self.hooks[webhook_id] = {
                "cloudhook_url": f"https://hooks.nabu.casa/{self.created}"
            }
            self.tell_hooks()
        return self.hooks[webhook_id]["cloudhook_url"]

    async def async_delete_cloudhook(self, _: HomeAssistant, webhook_id: str) -> None:
        if webhook_id not in self.hooks:
            raise ValueError("Hook is not enabled for the cloud.")
        del self.hooks[webhook_id]
        self.tell_hooks()

    def tell_hooks(self) -> None:
        async_dispatcher_send(self.hass, "test_hooks")

    def async_listen_cloudhook_change(
        self, hass: HomeAssistant, webhook_id: str, on_change: Callable[[Any], None]
    ) -> Callable[[], None]:
        @callback
        def changed() -> None:
            on_change(self.hooks.get(webhook_id))

        return async_dispatcher_connect(hass, "test_hooks", changed)

    def async_listen_connection_change(
        self, hass: HomeAssistant, target: Callable[[Any], None]
    ) -> Callable[[], None]:
        return async_dispatcher_connect(hass, "test_connection", target)

    async def connect(self, is_connected: bool) -> None:
        """Connect, or lose the connection."""
        self.is_connected = is_connected
        async_dispatcher_send(self.hass, "test_connection", is_connected)
        await self.hass.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
def cloud(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> FakeCloud:
    """Let Home Assistant Cloud be set up, before the account is."""
    cloud = FakeCloud(hass)
    monkeypatch.setitem(sys.modules, cloud.__name__, cloud)
    monkeypatch.setattr(components, "cloud", cloud, raising=False)
    hass.config.components.add("cloud")
    return cloud


async def test_it_follows_the_cloud(
    hass: HomeAssistant, cloud: FakeCloud, account: MockConfigEntry, sandbox: Sandbox
) -> None:
    async def url() -> str | None:
        await hass.async_block_till_done(wait_background_tasks=True)
        await send(hass, message=str(len(sandbox.sent)))
        return sandbox.sent[-1].status_callback

    own = URL + path_of(account)
    assert await url() == "https://hooks.nabu.casa/1"
    await cloud.connect(False)
    assert await url() == own
    await cloud.connect(True)
    assert await url() == "https://hooks.nabu.casa/1"
    cloud.is_subscribed = False
    await cloud.connect(True)
    assert await url() == own
    cloud.is_subscribed = True
    await cloud.connect(True)
    # The person deletes it, and means that.
    await cloud.async_delete_cloudhook(hass, account.data["webhook_id"])
    assert await url() == own
    cloud.tell_hooks()
    assert await url() == own
    assert cloud.created == 1
    await hass.config_entries.async_reload(account.entry_id)
    assert await url() == "https://hooks.nabu.casa/2"
    await hass.config_entries.async_remove(account.entry_id)
    assert cloud.hooks == {}


@pytest.mark.parametrize("error", [ValueError("Cloud"), TimeoutError()])
async def test_trouble_of_the_cloud_is_none_of_the_account(
    hass: HomeAssistant,
    cloud: FakeCloud,
    entry: MockConfigEntry,
    sandbox: Sandbox,
    error: Exception,
) -> None:
    cloud.error = error
    assert await hass.config_entries.async_setup(entry.entry_id)
    await send(hass)
    assert sandbox.sent[0].status_callback == URL + path_of(entry)
    await hass.config_entries.async_remove(entry.entry_id)


async def test_a_callback_through_the_cloud_is_taken(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unreadable: None,
    reported: list[str],
) -> None:
    await send(hass)
    request = MockRequest(
        content=json.dumps(
            {"logid": sandbox.sent[0].log_id, "status": "DELIVERED"}
        ).encode(),
        mock_source="cloud",
        method="POST",
        headers={"Content-Type": "application/json"},
    )
    response = await webhook.async_handle_webhook(
        hass, account.data["webhook_id"], request
    )
    assert response.status == 200
    assert reported == ["queued", "delivered"]


# What it believes


async def test_where_the_log_can_be_read_a_callback_is_a_hint(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    client: TestClient,
    look: Look,
    reported: list[str],
) -> None:
    await look(seconds=6)
    await send(hass)
    await sandbox.call_back(sandbox.sent[0], "DELIVERED")
    assert await look(seconds=6) == 1
    assert reported == ["queued"]
    await sandbox.report(sandbox.sent[0], "UNDELIVERED", "The phone is off")
    assert await look(seconds=6) == 1
    assert reported == ["queued", "undelivered"]


@pytest.mark.parametrize(
    "style",
    [
        CallbackStyle(),
        CallbackStyle(encoding="form"),
        CallbackStyle(method="GET", encoding="query"),
        CallbackStyle(method="PUT", id_name="messageId", status_name="state"),
        CallbackStyle(nested_in="data", with_number=False),
        CallbackStyle(times=3),
        CallbackStyle(out_of_order=True),
    ],
)
async def test_where_it_can_not_be_read_a_callback_is_believed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unreadable: None,
    reported: list[str],
    style: CallbackStyle,
) -> None:
    sandbox.callbacks.style = style
    await send(hass)
    for status in ("SENT", "DELIVERED"):
        await sandbox.report(sandbox.sent[0], status)
    await sandbox.call_back(sandbox.sent[0], "SENT")
    await sandbox.call_back(sandbox.sent[0], "UNDELIVERED")
    assert {callback.answer for callback in sandbox.callbacks.made} == {200}
    if style.out_of_order:
        assert reported == ["queued", "delivered"]
    else:
        assert reported == ["queued", "sent", "delivered"]


async def test_while_the_log_fails_a_callback_is_believed(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    client: TestClient,
    look: Look,
    reported: list[str],
) -> None:
    sandbox.add_fault(FaultKind.READ_SERVER_ERROR, times=2)
    await look(seconds=6)
    await send(hass)
    await sandbox.report(sandbox.sent[0], "SENT")
    assert reported == ["queued", "sent"]
    for _ in range(2):
        await look()
    await sandbox.call_back(sandbox.sent[0], "DELIVERED")
    await look(seconds=6)
    assert reported == ["queued", "sent"]


async def test_a_callback_is_taken_when_automations_hear_of_it(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unreadable: None,
    reported: list[str],
) -> None:
    """Their triggers are set up only when Home Assistant has started."""
    await send(hass)
    await account.runtime_data.async_wait()
    hass.set_state(CoreState.starting)
    with patch.object(webhook_module, "START_TIMEOUT", 0.01):
        (*_, last) = await sandbox.report(sandbox.sent[0], "SENT")
    assert last.answer == 503
    calling = asyncio.create_task(sandbox.report(sandbox.sent[0], "DELIVERED"))
    await asyncio.sleep(0.05)
    assert reported == ["queued"]
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    (last,) = await calling
    assert last.answer == 200
    assert reported == ["queued", "delivered"]


async def test_zoho_comes_again_if_it_could_not_be_written(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unreadable: None,
    reported: list[str],
) -> None:
    await send(hass)
    await account.runtime_data.async_wait()
    with full_disk():
        (*_, last) = await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert last.answer == 503
    assert reported == ["queued"]
    (last,) = await sandbox.call_back(sandbox.sent[0], "DELIVERED")
    assert last.answer == 200
    assert reported == ["queued", "delivered"]


# Strangers


HOSTILE = [
    pytest.param(b"x" * 1024 * 1024, id="1 MiB"),
    pytest.param(b'{"logid": ["' + b"[" * 10_000, id="deep"),
    pytest.param(b'{"logid": "1", "status":', id="broken"),
    pytest.param(b"\xff\xfe\x00", id="bytes"),
    pytest.param(b"", id="empty"),
    pytest.param(b"null", id="null"),
    pytest.param(b'{"logid": "guessed", "status": "DELIVERED"}', id="guessed"),
    pytest.param(b'{"logid": 1e400, "status": {}}', id="no text"),
]


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("content_type", ["application/json", "", "x/y; charset=no"])
@pytest.mark.parametrize("can_read", [False, True])
async def test_what_makes_no_sense_changes_nothing(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    client: TestClient,
    look: Look,
    reported: list[str],
    body: bytes,
    content_type: str,
    can_read: bool,
) -> None:
    if not can_read:
        sandbox.add_fault(FaultKind.READ_MISSING_SCOPE, times=None)
    await look(seconds=6)
    await send(hass)
    tracker = account.runtime_data.tracking.tracker
    await account.runtime_data.async_wait()
    before = tracker.dump()
    for method in ("POST", "PUT"):
        response = await client.request(
            method,
            path_of(account),
            data=body,
            headers={"Content-Type": content_type},
        )
        assert response.status == 200
        assert await response.read() == b""
    assert tracker.dump() == before
    assert reported == ["queued"]
    assert await look(seconds=6) == 0


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param("Content-Length: 999", b"%s", id="rest is missing"),
        pytest.param(
            "Transfer-Encoding: chunked\r\nContent-Encoding: gzip",
            b"40\r\n%s",
            id="not compressed",
        ),
    ],
)
async def test_a_body_that_does_not_arrive_changes_nothing(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    unreadable: None,
    client: TestClient,
    reported: list[str],
    caplog: pytest.LogCaptureFixture,
    headers: str,
    body: bytes,
) -> None:
    await send(hass)
    await account.runtime_data.async_wait()
    report = {"logid": sandbox.sent[0].log_id, "status": "DELIVERED"}
    head = f"POST {path_of(account)} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n"
    caplog.set_level(logging.DEBUG, "custom_components.zoho_voice")
    with patch.object(webhook_module, "READ_TIMEOUT", 0.2):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(head.encode() + body % json.dumps(report).encode())
        await reader.readline()
        writer.close()
    assert "A status callback broke off" in caplog.text
    assert reported == ["queued"]
    (made,) = await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert made.answer == 200
    assert reported == ["queued", "delivered"]


@pytest.mark.parametrize("can_read", [False, True])
async def test_thousands_at_once_cost_little(
    hass: HomeAssistant,
    account: MockConfigEntry,
    sandbox: Sandbox,
    client: TestClient,
    look: Look,
    reported: list[str],
    can_read: bool,
) -> None:
    """They ask for few looks together, and announce each state once."""
    if not can_read:
        sandbox.add_fault(FaultKind.READ_MISSING_SCOPE, times=None)
    await look(seconds=6)
    await send(hass)
    await account.runtime_data.async_wait()
    bodies = [
        {"logid": f"guessed-{number}", "status": "DELIVERED"} for number in range(1000)
    ]
    bodies += [{"logid": sandbox.sent[0].log_id, "status": "SENT"}] * 1000

    async def post(body: dict[str, str]) -> int:
        async with client.post(path_of(account), json=body) as response:
            return response.status

    before = len(sandbox.reads)
    for start in range(0, len(bodies), 200):
        part = bodies[start : start + 200]
        assert {*await asyncio.gather(*map(post, part))} == {200}
    await look(seconds=6)
    looks = len(sandbox.reads) - before
    # On a slow machine they take longer than a look waits for more of them.
    assert looks in (range(1, 10) if can_read else [0])
    assert reported == (["queued"] if can_read else ["queued", "sent"])


async def test_a_webhook_that_is_no_more_says_nothing(
    hass: HomeAssistant, account: MockConfigEntry, sandbox: Sandbox, client: TestClient
) -> None:
    await send(hass)
    await hass.config_entries.async_unload(account.entry_id)
    (made,) = await sandbox.report(sandbox.sent[0], "DELIVERED")
    assert made.answer == 200
    assert sandbox.sent[0].number == ALICE
