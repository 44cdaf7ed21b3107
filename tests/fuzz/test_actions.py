"""Whatever an action is called with, it is refused with an error, or it is done."""

from datetime import UTC, datetime, timedelta
import math
from typing import Any

from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
from hypothesis import given, strategies as st
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.zoho_voice.zoho.fields import digits

from ..conftest import BOB, examples
from .conftest import Log
from .zoho import SEND, VALUES, Answer, AnyZoho

# Not Alice's, which the texts give as an example.
DAVE = "+14805550133"

ODD = VALUES | st.sampled_from(
    [
        b"bytes",
        ("a", "b"),
        {"a"},
        datetime(2026, 12, 24, 18, 0, tzinfo=UTC),
        timedelta(minutes=5),
        object(),
        math.nan,
        10**400,
    ]
)
TARGETS = st.sampled_from(
    [
        DAVE,
        "480 555 0133",
        14805550133,
        -14805550133,
        "Alice",
        "NIGHT SHIFT",
        "notify.alice",
        "notify.14805550133",
        "notify.",
        "+1480",
        "+" + "9" * 400,
        "",
        ",",
        ",,+",
        f"{DAVE},{BOB}, Alice",
        f"tel:{DAVE}?x",
        f"Alice {DAVE}",
        "4805550133 or so",
        "\0",
        "\ud800",
        "0",
        True,
        1.5,
        8**12,
    ]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "message": st.text(st.characters(), max_size=20)
    | st.sampled_from(["", " ", "x" * 1001, "\ud83d\ude00", "\ud83d", 1, None]),
    "title": st.text(st.characters(), max_size=9) | st.sampled_from(["x" * 999, 1.5]),
    "entity_id": st.sampled_from(
        [
            "all",
            "none",
            "notify.alice",
            ["notify.alice", "notify.night_shift"],
            "notify.nobody",
            "notify.14805550133",
            "sensor.sandbox_example_com_messages_waiting",
            "",
            ["notify.alice,notify.night_shift"],
        ]
    ),
    "recipients": TARGETS | st.lists(TARGETS, max_size=4),
    "sender_id": st.sampled_from(
        ["ZohoVoice", "+18885550100", "12345", "", " ", "x" * 21, "É", "\ud800", 888]
    ),
    "scheduled_time": st.sampled_from(
        [
            "2026-12-24 18:00:00",
            "2027-03-14 02:30:00",
            "2027-11-07 01:30:00",
            "2026-12-24T18:00:00+05:30",
            "0001-01-01 00:00:00",
            "0001-01-01 00:00:00+23:59",
            "9999-12-31 23:59:59",
            "9999-12-31 23:59:59-23:59",
            "2026-02-30 00:00:00",
            "99999-01-01 00:00:00",
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
            1e300,
        ]
    ),
    "time_zone": st.sampled_from(
        [
            "Asia/Kolkata",
            "Pacific/Apia",
            "Etc/GMT+12",
            "Etc/GMT-14",
            "America",
            "../UTC",
            "/etc/passwd",
            "zone.tab",
            "",
            ".",
            "\0",
            "\ud800",
            "x" * 999,
            DAVE,
        ]
    ),
    "data_coding": st.sampled_from(["automatic", "english", "binary", "non_english"]),
    "status_callback": st.sampled_from(
        [
            "https://example.com/callback?key=secret",
            "http://[",
            "http://[::1",
            "http://a:99999",
            "http://\ud800",
            "https://é.example/\ud83d",
            "https://example.com/" + "x" * 500,
        ]
    ),
    "keep_trying": st.booleans() | st.sampled_from(["yes", "no", "maybe", 1]),
    "keep_trying_for": st.sampled_from(
        [
            {"minutes": 5},
            {"days": 1},
            {"days": 2},
            {"days": 1e300},
            {"days": 10**400},
            {"minutes": math.nan},
            {"hours": math.inf},
            {"years": 1},
            {},
            "00:05:00",
            "99999999999:00:00",
            "00:00:inf",
            "1:nan",
            "-1:00",
            300,
            "1e300",
            "inf",
            "nan",
            10**400,
            timedelta.max,
        ]
    ),
    "dry_run": st.booleans(),
    "config_entry_id": st.sampled_from(["", "nobody"]),
}
OPTIONS = [key for key in FIELDS if key not in ("message", "title", "entity_id")]


def value_of(key: str) -> st.SearchStrategy[Any]:
    """Return what a field may hold, near to what it should."""
    # Home Assistant's own check of entity ids takes nothing but texts.
    odd = st.text() if key == "entity_id" else ODD
    return st.sampled_from([FIELDS[key]] * 3 + [odd]).flatmap(lambda values: values)


def fields(*keys: str, **good: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return good fields with one or two odd ones, or with one that there is not."""
    odd = st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({key: value_of(key) for key in chosen})
    )
    keys_of_none = st.text(max_size=3) | st.integers() | st.just(DAVE)
    unknown = st.dictionaries(keys_of_none, ODD, max_size=1)
    return st.sampled_from([odd] * 9 + [unknown]).flatmap(
        lambda changes: changes.map(lambda changed: good | changed)
    )


async def check(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    action: str,
    data: dict[str, Any],
    *,
    away: bool,
) -> None:
    """Call an action, and check that it was done or is refused with an error."""
    with log:
        zoho.reset({SEND: [Answer(429)] * 9} if away else {})
        domain, name = action.split(".")
        service = hass.services.async_services_internal()[domain][name]
        outbox = account.runtime_data.outbox
        try:
            response = await hass.services.async_call(
                domain,
                name,
                data,
                blocking=True,
                return_response=service.supports_response is not SupportsResponse.NONE,
            )
        except vol.Invalid:
            assert zoho.sent == outbox.waiting == []
        except HomeAssistantError as err:
            said = str(err)
            assert "4805550133" not in digits(said)
            assert outbox.waiting == []
            assert away or zoho.sent == []
        else:
            json_bytes(response)
            rows = (response or {}).get("messages", [])
            numbers = [row["recipient"] for row in rows]
            assert len({*numbers}) == len(numbers)
            kept = {row["recipient"] for row in rows if row["status"] == "QUEUED"}
            if rows:
                assert kept == {message.number for message in outbox.waiting}
        # What was kept could be written.
        await outbox.async_clear()


@examples(250)
@given(fields(*FIELDS, recipients=["Alice", BOB], message="Water"), st.booleans())
async def test_any_send_sms(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    data: dict[str, Any],
    away: bool,
) -> None:
    await check(hass, account, zoho, log, "zoho_voice.send_sms", data, away=away)


@examples(150)
@given(
    fields("message", "title", message="Water"),
    value_of("recipients"),
    fields(*OPTIONS) | ODD,
    st.booleans(),
)
async def test_any_classic_action(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    data: dict[str, Any],
    target: Any,
    options: Any,
    away: bool,
) -> None:
    data = {"target": target, "data": options, **data}
    await check(hass, account, zoho, log, "notify.zoho_voice", data, away=away)


@examples(60)
@given(
    fields(
        "entity_id", "message", "title", entity_id=["notify.alice"], message="Water"
    ),
    st.booleans(),
)
async def test_any_message_to_an_entity(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    data: dict[str, Any],
    away: bool,
) -> None:
    await check(hass, account, zoho, log, "notify.send_message", data, away=away)


@examples(80)
@given(
    st.sampled_from(["zoho_voice.get_outbox", "zoho_voice.clear_outbox"]),
    fields("config_entry_id", "recipients"),
)
async def test_any_look_into_the_outbox(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    action: str,
    data: dict[str, Any],
) -> None:
    await check(hass, account, zoho, log, action, data, away=False)
