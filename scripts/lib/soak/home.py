"""Home Assistant with one account on the sandbox, to be killed and started again."""

import asyncio
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
import json
from pathlib import Path
import time
from typing import Any, override

from yarl import URL

from sandbox import Sandbox
from sandbox.callbacks import call_over_network
from scripts.lib.hass import HOME, Hass, RestError
from scripts.lib.hass_log import records
from scripts.lib.sandbox import CLIENT_ID, CLIENT_SECRET

from . import witness
from .history import Row

DOMAIN = "zoho_voice"
_SENDER_ID = "+18885550100"
#: How long messages are kept (seconds): longer than anything here takes.
_KEEP_TRYING = 3600.0
#: Where Zoho would reach it.
EXTERNAL_URL = "https://home.example.com"
_CONFIGURATION = f"""\
{HOME}\
  external_url: {EXTERNAL_URL}
frontend:
config:
notify:
logger:
  default: info
  logs:
    custom_components.zoho_voice: debug
{witness.CONFIGURATION}"""
#: How often it looks for what came in (seconds): as often as it may.
_INCOMING_INTERVAL = 15.0
_ENTRY_ID = "soak"
_STORED_AT = "2026-01-01T00:00:00+00:00"
#: How long something may take that takes a second at most (seconds).
_LIMIT = 60.0
_COMPLAINTS = ("Traceback (most recent", "never retrieved", "blocking call")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """What is on disk: the states of SMS by log id, and the ids of what came in.

    `changed_at` is when it heard of the states (seconds since the epoch).
    """

    states: Mapping[str, str]
    changed_at: Mapping[str, float]
    known: AbstractSet[str]
    follows_incoming: bool


class Home(Hass):
    """Home Assistant, and what is done with it here."""

    def __init__(self, directory: Path, integration: Path) -> None:
        """Live in a folder, with an integration that may be broken on purpose."""
        super().__init__(
            directory,
            configuration=_CONFIGURATION,
            custom_components=[integration, witness.COMPONENT],
            arguments=["--skip-pip"],
        )
        #: How often it was started.
        self.lives = 0

    def add_account(
        self, zoho: Sandbox, recipients: Mapping[str, Sequence[str]]
    ) -> None:
        """Write an account into the storage: recipients by name, with their numbers."""
        credential = {
            "id": DOMAIN,
            "domain": DOMAIN,
            "auth_domain": DOMAIN,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        self.store("application_credentials", 1, 1, {"items": [credential]})
        token = zoho.issue_token()
        entry = {
            "created_at": _STORED_AT,
            "data": {
                "auth_implementation": DOMAIN,
                "data_center": "other",
                "accounts_url": zoho.accounts_url,
                "voice_url": zoho.voice_url,
                "sender_id": _SENDER_ID,
                "token": {**token, "expires_at": time.time() + token["expires_in"]},
            },
            "disabled_by": None,
            "discovery_keys": {},
            "domain": DOMAIN,
            "entry_id": _ENTRY_ID,
            "minor_version": 1,
            "modified_at": _STORED_AT,
            "options": {
                "keep_trying": _KEEP_TRYING,
                "flood_limit": 0,
                "incoming_interval": _INCOMING_INTERVAL,
            },
            "pref_disable_new_entities": False,
            "pref_disable_polling": False,
            "source": "user",
            "subentries": [
                {
                    "data": {"phone_numbers": [*numbers]},
                    "subentry_id": f"soak{index}",
                    "subentry_type": "recipient",
                    "title": name,
                    "unique_id": None,
                }
                for index, (name, numbers) in enumerate(recipients.items())
            ],
            "title": "soak@example.com",
            "unique_id": zoho.account.zuid,
            "version": 1,
        }
        self.store("core.config_entries", 1, 5, {"entries": [entry]})

    @override
    async def start(self, limit: float = 240) -> None:
        """Start it and wait until it answers."""
        self.lives += 1
        await super().start(limit)

    async def begin(self) -> None:
        """Start for the first time, and wait until it would know its user again."""
        await self.start()
        await self.onboard()
        await self.wait_stored("auth", self.tokens["refresh_token"])

    async def is_available(self, entity_id: str) -> bool:
        """Return if an entity can be written to.

        `notify.send_message` passes over one that can't without a word, as all actions
        of Home Assistant do.
        """
        try:
            state = await self.rest("GET", f"/api/states/{entity_id}")
        except RestError:
            return False
        return bool(state["state"] != "unavailable")

    async def outbox(self) -> tuple[list[Row], list[Row]]:
        """Return what waits and what has ended, as soon as there is an outbox."""
        end = time.monotonic() + _LIMIT
        while True:
            try:
                found = await self.action(f"{DOMAIN}.get_outbox", {}, response=True)
            except RestError as error:
                if error.status != HTTPStatus.BAD_REQUEST or time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)
            else:
                return [*map(_row, found["waiting"])], [*map(_row, found["ended"])]

    async def clear(self, number: str) -> list[Row]:
        """Take what waits for a number out of the outbox; return it."""
        found = await self.action(
            f"{DOMAIN}.clear_outbox", {"recipients": [number]}, response=True
        )
        return [replace(_row(row), state="cleared") for row in found["cleared"]]

    def tracking(self) -> Tracking:
        """Return what it has written down of the news."""
        path = self.directory / ".storage" / f"{DOMAIN}.{_ENTRY_ID}.tracking"
        try:
            stored = json.loads(path.read_bytes())["messages"]
        except FileNotFoundError:
            return Tracking(
                states={}, changed_at={}, known=frozenset(), follows_incoming=False
            )
        tracked = {sms["log_id"]: sms for sms in stored["messages"]}
        return Tracking(
            states={log_id: sms["state"] for log_id, sms in tracked.items()},
            changed_at={
                log_id: sms["changed_at"] or 0.0 for log_id, sms in tracked.items()
            },
            known=frozenset(stored["known"]),
            follows_incoming=stored["incoming_since"] is not None,
        )

    async def call_back(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> int:
        """Let Zoho reach it, whatever the URL's host is. Raises OSError."""
        there = URL(self.url).join(URL(url).relative())
        return await call_over_network(method, str(there), headers, body)

    async def reload(self) -> None:
        """Reload the account."""
        path = f"/api/config/config_entries/entry/{_ENTRY_ID}/reload"
        await self.rest("POST", path)

    def complaints(self) -> list[str]:
        """Return what its log says of the integration that nobody should ever read."""
        return [
            text
            for level, text in records(self.log)
            if level in {"WARNING", "ERROR", "CRITICAL"}
            and DOMAIN in text
            and any(sign in text for sign in _COMPLAINTS)
        ]


def _row(row: Mapping[str, Any]) -> Row:
    return Row(
        message_id=row["message_id"],
        number=row["recipient"],
        created_at=datetime.fromisoformat(row["created_at"]).timestamp(),
        state=row["state"],
    )
