"""Whatever the file of an account holds, the account starts, and nothing is sent twice.

What can't be read is set aside as it was.
"""

from collections import Counter
import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util
from hypothesis import given, strategies as st
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.zoho_voice import accounts
from custom_components.zoho_voice.const import DOMAIN

from ..conftest import ALICE, BOB, CAROL, NOW, SENDER_ID, examples
from .conftest import Log
from .zoho import VALUES, AnyZoho, spoiled

NOW_SECONDS = dt_util.parse_datetime(f"{NOW}+00:00").timestamp()


def message(**changes: Any) -> dict[str, Any]:
    """Return a message as the file holds it."""
    return {
        "message_id": "01HZX",
        "call_id": "01HZW",
        "number": ALICE,
        "name": "Alice",
        "subentry_id": "01HZA",
        "sender_id": SENDER_ID,
        "message": "Water",
        "data_coding": 0,
        "scheduled_time": None,
        "time_zone": None,
        "status_callback": None,
        "created_at": NOW_SECONDS - 60,
        "expires_at": NOW_SECONDS + 600,
        "state": "queued",
        "reason": None,
    } | changes


GOOD_MESSAGES = st.lists(
    st.builds(
        message,
        message_id=st.uuids().map(str),
        call_id=st.sampled_from(["a", "b"]),
        number=st.sampled_from([ALICE, BOB]),
        message=st.sampled_from(["Water", "Fire"]),
        state=st.sampled_from(
            ["queued", "queued", "submitting", "expired", "refused", "unclear", "sent"]
        ),
        created_at=st.sampled_from([-100_000.0, -60.0, 60.0]).map(NOW_SECONDS.__add__),
        expires_at=st.sampled_from([-1.0, 0.0, 600.0]).map(NOW_SECONDS.__add__),
    ),
    max_size=4,
)
ODD_TIMES = st.sampled_from(
    [-1, 0, 1e11, 1e300, 2**63, "nan", "inf", "1764831248", True, None]
)
ODD_FIELDS = {
    "created_at": ODD_TIMES,
    "expires_at": ODD_TIMES,
    "scheduled_time": st.sampled_from(
        ["", "2026-11-22", "0001-01-01T00:00:00", "2026-11-22T13:00:00+01:00", "13:00"]
    ),
    "time_zone": st.sampled_from(["", "UTC", "Mars"]),
    "state": st.sampled_from(["", "sent", "QUEUED", 1]),
    "number": st.sampled_from(["", "Alice", f"{ALICE},{BOB}", ALICE[1:], "+1"]),
    "message": st.sampled_from(["", "x" * 1001, "\0"]),
    "message_id": st.sampled_from(["", "a"]),
    "data_coding": st.sampled_from([3, -1, True, "0", 1.0]),
}
ODD_MESSAGE = st.sampled_from([*message()]).flatmap(
    lambda key: st.builds(
        lambda value: message(**{key: value}),
        (ODD_FIELDS.get(key, VALUES)) | VALUES,
    )
)


def file_of(messages: Any, **changes: Any) -> dict[str, Any]:
    """Return what is in a file, as JSON."""
    file = {"version": 2, "messages": messages, "repeats": {}, "spending": []}
    return file | changes


FILES = (
    st.builds(file_of, GOOD_MESSAGES)
    | st.builds(lambda *messages: file_of([*messages]), ODD_MESSAGE)
    | st.builds(
        lambda good, odd: file_of([*good, odd, *good]), GOOD_MESSAGES, ODD_MESSAGE
    )
    | st.builds(
        lambda messages, key, value: file_of(messages, **{key: value}),
        GOOD_MESSAGES,
        st.sampled_from(["version", "repeats", "spending"]),
        VALUES,
    )
)
CONTENTS = (
    (FILES | VALUES).map(json.dumps).map(str.encode)
    | spoiled(json_bytes(file_of([message()])))
    | st.binary(max_size=30)
)


def may_go(content: bytes) -> Counter[tuple[str, str]]:
    """Return the texts that a file lets go, each with its number."""
    try:
        stored = json.loads(content)["messages"]
        return Counter(
            (item["message"], item["number"])
            for item in stored
            if item["state"] == "queued"
            and item["created_at"] <= NOW_SECONDS < item["expires_at"]
        )
    except ValueError, KeyError, TypeError, RecursionError:
        return Counter()


@examples(150)
@given(content=CONTENTS)
async def test_file_is_taken_or_set_aside(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    storage: Path,
    log: Log,
    content: bytes,
) -> None:
    with log:
        await hass.config_entries.async_unload(account.entry_id)
        hass.data[accounts._ACCOUNTS].pop(account.entry_id).stop()
        issues = ir.async_get(hass)
        for domain, issue_id in [*issues.issues]:
            issues.async_delete(domain, issue_id)
        for path in storage.glob(f"{DOMAIN}.*"):
            path.unlink()
        storage.mkdir(exist_ok=True)
        file = storage / f"{DOMAIN}.{account.entry_id}"
        file.write_bytes(content)
        zoho.reset({})

        assert await hass.config_entries.async_setup(account.entry_id)
        assert account.state is ConfigEntryState.LOADED
        waiting = len(account.runtime_data.outbox.waiting)
        assert hass.states.get("sensor.sandbox_example_com_sms_waiting").state == str(
            waiting
        )
        outbox = await hass.services.async_call(
            DOMAIN, "get_outbox", {}, blocking=True, return_response=True
        )
        json_bytes(outbox)
        damaged = [*storage.glob(f"{DOMAIN}.*.damaged")]
        told = [
            issue for _, issue in issues.issues if issue.startswith("outbox_damaged")
        ]
        assert len(damaged) == len(told)
        for path in damaged:
            assert path.read_bytes() == content
            assert outbox == {"waiting": [], "ended": []}

        async_fire_time_changed(hass, dt_util.utcnow())
        await hass.async_block_till_done(wait_background_tasks=True)
        sent = Counter(
            (text, number) for text, numbers, _ in zoho.sent for number in numbers
        )
        assert sent <= may_go(content)

        await hass.services.async_call(
            DOMAIN, "send_sms", {"recipients": CAROL, "message": "Next"}, blocking=True
        )
        assert zoho.sent[-1][0] == "Next"
