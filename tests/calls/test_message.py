"""What a text has to be, and the options that go along with it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.json import json_dumps
from homeassistant.util import dt as dt_util
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
import voluptuous as vol

from custom_components.zoho_voice.calls.message import OPTIONS_SCHEMA, async_compose
from custom_components.zoho_voice.zoho.client import ZohoVoiceClient
from custom_components.zoho_voice.zoho.data_center import DataCenter
from custom_components.zoho_voice.zoho.models import DataCoding, Sms
from sandbox import Sandbox

from ..conftest import ALICE, SENDER_ID
from ..zoho.conftest import Tokens

BERLIN = "Europe/Berlin"
TODAY = "2026-11-22 12:00:00+00:00"


@pytest.fixture
async def in_berlin(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Be in Berlin, today."""
    await hass.config.async_set_time_zone(BERLIN)
    freezer.move_to(TODAY)


async def refusal(hass: HomeAssistant, *args: Any, **options: Any) -> Any:
    """Return why a text is refused."""
    with pytest.raises(ServiceValidationError) as raised:
        await async_compose(hass, *args, **options)
    assert raised.value.translation_domain == "zoho_voice"
    return raised.value


def at(text: str, fold: int = 0) -> datetime:
    """Return a time as the person wrote it."""
    return datetime.fromisoformat(text).replace(fold=fold)


# Texts


async def test_plain_text_has_no_options(hass: HomeAssistant) -> None:
    assert await async_compose(hass, "Hi there!") == Sms(
        message="Hi there!", data_coding=DataCoding.ENGLISH
    )


@pytest.mark.parametrize(
    ("title", "message", "text"),
    [
        (None, "Hi", "Hi"),
        ("", "Hi", "Hi"),
        ("Door", "It is open", "Door\nIt is open"),
        ("Door", "1\n2", "Door\n1\n2"),
        ("Door", "", "Door\n"),
    ],
)
async def test_title_goes_above_the_text(
    hass: HomeAssistant, title: str | None, message: str, text: str
) -> None:
    assert (await async_compose(hass, message, title)).message == text


@pytest.mark.parametrize(
    ("message", "title"), [("", None), (" \n\t", None), ("", ""), (" ", " ")]
)
async def test_empty_text_is_refused(
    hass: HomeAssistant, message: str, title: str | None
) -> None:
    assert (await refusal(hass, message, title)).translation_key == "empty_message"


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("x" * 1000, None),
        ("x" * 994, "title"),
        ("ü" * 1000, None),
        ("😀" * 1000, None),
    ],
)
async def test_thousand_characters_fit(
    hass: HomeAssistant, message: str, title: str | None
) -> None:
    assert len((await async_compose(hass, message, title)).message) == 1000


@pytest.mark.parametrize(
    ("message", "title", "length"),
    [
        ("x" * 1001, None, "1001"),
        ("x" * 995, "title", "1001"),
        ("", "x" * 1000, "1001"),
        ("x" * 5000, "title", "5006"),
    ],
)
async def test_longer_text_is_refused_with_its_length(
    hass: HomeAssistant, message: str, title: str | None, length: str
) -> None:
    error = await refusal(hass, message, title)
    assert error.translation_key == "message_too_long"
    assert error.translation_placeholders == {"length": length, "maximum": "1000"}


# Data coding


@pytest.mark.parametrize(
    ("message", "title", "coding"),
    [
        ("Hi there! {}[]~", None, DataCoding.ENGLISH),
        ("Line\nLine\t", None, DataCoding.ENGLISH),
        ("Grüße", None, DataCoding.NON_ENGLISH),
        ("5 €", None, DataCoding.NON_ENGLISH),
        ("Tür offen 😀", None, DataCoding.NON_ENGLISH),
        ("नमस्ते", None, DataCoding.NON_ENGLISH),
        ("No-break\u00a0space", None, DataCoding.NON_ENGLISH),
        ("Text", "Grüße", DataCoding.NON_ENGLISH),
    ],
)
async def test_data_coding_follows_the_text(
    hass: HomeAssistant, message: str, title: str | None, coding: DataCoding
) -> None:
    assert (await async_compose(hass, message, title)).data_coding is coding
    sms = await async_compose(hass, message, title, data_coding="automatic")
    assert sms.data_coding is coding


@pytest.mark.parametrize("message", ["Hi", "Grüße"])
@pytest.mark.parametrize(
    ("data_coding", "coding"),
    [
        ("english", DataCoding.ENGLISH),
        ("binary", DataCoding.BINARY),
        ("non_english", DataCoding.NON_ENGLISH),
    ],
)
async def test_data_coding_that_is_asked_for_is_used(
    hass: HomeAssistant, message: str, data_coding: str, coding: DataCoding
) -> None:
    sms = await async_compose(hass, message, data_coding=data_coding)
    assert sms.data_coding is coding


# Text arrives as it was written


@pytest.fixture
async def post(sandbox: Sandbox) -> Any:
    """Return a function that sends a text, with the JSON of Home Assistant."""

    async def send(sms: Sms) -> None:
        async with ClientSession(json_serialize=json_dumps) as session:
            tokens = Tokens(sandbox.issue_token()["access_token"])
            data_center = DataCenter(sandbox.accounts_url, sandbox.voice_url)
            client = ZohoVoiceClient(session, tokens, data_center)
            await client.async_send_sms(sms, SENDER_ID, [ALICE])

    return send


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Hi there!", None),
        ("  kept  \r\n\ttoo \u2028 ", "  Title "),
        ('"quotes" \\ / {"a": 1} %s %% {{ x }} <b>&amp;</b>', None),
        ("Grüße 😀 नमस्ते \u202e עברית \u0301", "Ünï"),
        ("\x00\x01\x1f\x7f", "a"),
        ("👨‍👩‍👧" * 100, None),
        ("x" * 1000, None),
    ],
)
async def test_text_arrives_unchanged(
    hass: HomeAssistant, sandbox: Sandbox, post: Any, message: str, title: str | None
) -> None:
    await post(await async_compose(hass, message, title))
    [sms] = sandbox.sent
    assert sms.message == (f"{title}\n{message}" if title else message)


@given(
    message=st.text(max_size=1100),
    title=st.none() | st.text(max_size=30),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_kept_or_refused(
    hass: HomeAssistant, message: str, title: str | None
) -> None:
    text = f"{title}\n{message}" if title else message
    composing = async_compose(hass, message, title)
    try:
        # Nothing of it waits, without a time.
        composing.send(None)
    except StopIteration as done:
        assert done.value.message == text  # noqa: PT017
        assert 1 <= len(text) <= 1000
        assert (done.value.data_coding is DataCoding.ENGLISH) == text.isascii()  # noqa: PT017
    except ServiceValidationError:
        assert not text.strip() or len(text) > 1000


async def test_emoji_that_was_written_as_two_halves_is_put_together(
    hass: HomeAssistant, sandbox: Sandbox, post: Any
) -> None:
    # Home Assistant's YAML reader makes this of "\ud83d\ude00".
    await post(await async_compose(hass, "Hi \ud83d\ude00"))
    [sms] = sandbox.sent
    assert sms.message == "Hi 😀"


async def test_half_an_emoji_does_not_keep_the_text_from_arriving(
    hass: HomeAssistant, sandbox: Sandbox, post: Any
) -> None:
    await post(await async_compose(hass, "Hi \ud83d there"))
    [sms] = sandbox.sent
    assert sms.message == "Hi \ufffd there"


# Time


@pytest.mark.parametrize(
    ("scheduled_time", "time_zone", "wall_clock", "zone"),
    [
        # Without a zone: Home Assistant's own, or the one that is named
        ("2026-12-24 18:00:00", None, "2026-12-24 18:00:00", BERLIN),
        ("2026-12-24 18:00:00", "Asia/Kolkata", "2026-12-24 18:00:00", "Asia/Kolkata"),
        ("2027-07-01 18:00:00", None, "2027-07-01 18:00:00", BERLIN),
        ("2026-12-24 18:00:00", "UTC", "2026-12-24 18:00:00", "UTC"),
        ("2026-12-24 18:00:00", "", "2026-12-24 18:00:00", BERLIN),
        # With a zone: the same moment
        ("2026-12-24 18:00:00+00:00", None, "2026-12-24 19:00:00", BERLIN),
        ("2026-12-24 18:00:00-05:00", None, "2026-12-25 00:00:00", BERLIN),
        (
            "2026-12-24 18:00:00+00:00",
            "Asia/Kolkata",
            "2026-12-24 23:30:00",
            "Asia/Kolkata",
        ),
        # Just not past
        ("2026-11-22 13:00:01", None, "2026-11-22 13:00:01", BERLIN),
        ("2026-11-22 12:00:01+00:00", None, "2026-11-22 13:00:01", BERLIN),
        # The clock is put forward: the hour from 2 to 3 does not exist
        ("2027-03-28 01:59:59", None, "2027-03-28 01:59:59", BERLIN),
        ("2027-03-28 02:30:00", None, "2027-03-28 03:30:00", BERLIN),
        ("2027-03-28 03:00:00", None, "2027-03-28 03:00:00", BERLIN),
        # The clock is put back: the hour from 2 to 3 is there twice
        ("2027-10-31 02:30:00", None, "2027-10-31 02:30:00", BERLIN),
        ("2027-10-31 00:30:00+00:00", None, "2027-10-31 02:30:00", BERLIN),
        ("2027-10-31 01:30:00+00:00", None, "2027-10-31 01:30:00", "UTC"),
        ("2027-10-31 02:30:00+01:00", None, "2027-10-31 01:30:00", "UTC"),
        ("2027-10-31 03:00:00", None, "2027-10-31 03:00:00", BERLIN),
    ],
)
async def test_time_goes_out_as_that_of_a_clock_in_a_zone(
    hass: HomeAssistant,
    in_berlin: None,
    scheduled_time: str,
    time_zone: str | None,
    wall_clock: str,
    zone: str,
) -> None:
    sms = await async_compose(
        hass, "Hi", scheduled_time=at(scheduled_time), time_zone=time_zone
    )
    body = sms.as_json(SENDER_ID, [ALICE])
    assert (body["scheduledTime"], body["timeZone"]) == (wall_clock, zone)


async def test_second_time_of_the_hour_that_is_there_twice_is_sent_as_utc(
    hass: HomeAssistant, in_berlin: None
) -> None:
    sms = await async_compose(
        hass, "Hi", scheduled_time=at("2027-10-31 02:30:00", fold=1)
    )
    body = sms.as_json(SENDER_ID, [ALICE])
    assert (body["scheduledTime"], body["timeZone"]) == ("2027-10-31 01:30:00", "UTC")


@pytest.mark.parametrize(
    "time_zone",
    [BERLIN, "UTC", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"],
)
async def test_moment_is_kept_in_every_zone(
    hass: HomeAssistant, time_zone: str
) -> None:
    moment = datetime(2090, 1, 1, 0, 15, tzinfo=UTC)
    while (moment := moment + timedelta(hours=1)).year == 2090:
        # When clocks are put forward and back.
        if moment.month not in {3, 4, 10, 11}:
            continue
        sms = await async_compose(
            hass, "Hi", scheduled_time=moment, time_zone=time_zone
        )
        body = sms.as_json(SENDER_ID, [ALICE])
        read = datetime.fromisoformat(str(body["scheduledTime"]))
        read = read.replace(tzinfo=ZoneInfo(str(body["timeZone"])))
        assert read.timestamp() == moment.timestamp()


@pytest.mark.parametrize(
    ("scheduled_time", "time_zone"),
    [
        ("2026-11-22 13:00:00", None),
        ("2026-11-22 12:59:59", None),
        ("2026-11-22 12:00:00+00:00", None),
        ("2026-11-22 17:30:00", "Asia/Kolkata"),
        ("2026-11-22 17:29:59+05:30", BERLIN),
        ("2025-12-24 18:00:00", None),
        ("0001-01-02 00:00:00", None),
    ],
)
async def test_time_in_the_past_is_refused(
    hass: HomeAssistant, in_berlin: None, scheduled_time: str, time_zone: str | None
) -> None:
    error = await refusal(
        hass, "Hi", scheduled_time=at(scheduled_time), time_zone=time_zone
    )
    assert error.translation_key == "time_in_past"
    assert error.translation_placeholders["time"].startswith(scheduled_time[:19])


@pytest.mark.clock
@pytest.mark.parametrize(
    "time_zone",
    [
        None,
        BERLIN,
        "UTC",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
    ],
)
async def test_this_second_is_past_and_the_next_one_is_not(
    hass: HomeAssistant, sandbox: Sandbox, post: Any, time_zone: str | None
) -> None:
    now = dt_util.utcnow().astimezone(ZoneInfo(time_zone or hass.config.time_zone))
    for this_second in (now, now.replace(tzinfo=None)):
        error = await refusal(
            hass, "Hi", scheduled_time=this_second, time_zone=time_zone
        )
        assert error.translation_key == "time_in_past"
    next_second = dt_util.utcnow() + timedelta(seconds=1)
    await post(
        await async_compose(hass, "Hi", scheduled_time=next_second, time_zone=time_zone)
    )
    [sms] = sandbox.sent
    read = datetime.fromisoformat(sms.scheduled_time)
    assert read.replace(tzinfo=ZoneInfo(sms.time_zone)) == next_second


@pytest.mark.parametrize(
    "time_zone",
    [
        "Mars/Olympus",
        "Europe",
        "europe/berlin",
        " ",
        "+01:00",
        "CEST2",
        "../UTC",
        "/etc/localtime",
        "a\x00b",
        "tzdata.zi",
        "x" * 5000,
        "\ud800",
    ],
)
async def test_unknown_zone_is_refused(
    hass: HomeAssistant, in_berlin: None, time_zone: str
) -> None:
    error = await refusal(
        hass, "Hi", scheduled_time=at("2026-12-24 18:00:00"), time_zone=time_zone
    )
    assert error.translation_key == "unknown_time_zone"
    assert error.translation_placeholders == {"time_zone": time_zone}


@pytest.mark.parametrize("time_zone", [BERLIN, "Mars/Olympus", ""])
async def test_zone_without_a_time_is_refused(
    hass: HomeAssistant, time_zone: str
) -> None:
    error = await refusal(hass, "Hi", time_zone=time_zone)
    assert error.translation_key == "time_zone_without_time"


async def test_schedule_and_callback_arrive(
    hass: HomeAssistant, sandbox: Sandbox, post: Any
) -> None:
    url = "https://example.com/callback?key=secret"
    await post(
        await async_compose(
            hass,
            "Hi",
            scheduled_time=datetime(2090, 1, 2, 3, 4, 5, tzinfo=UTC),
            time_zone="Asia/Kolkata",
            status_callback=url,
        )
    )
    [sms] = sandbox.sent
    assert sms.scheduled_time == "2090-01-02 08:34:05"
    assert sms.time_zone == "Asia/Kolkata"
    assert sms.status_callback == url


# Schema


def test_options_are_read() -> None:
    assert vol.Schema(OPTIONS_SCHEMA)(
        {
            "sender_id": "ZohoVoice",
            "scheduled_time": "2026-12-24 18:00:00",
            "time_zone": BERLIN,
            "data_coding": "binary",
            "status_callback": "https://example.com/callback?key=secret",
        }
    ) == {
        "sender_id": "ZohoVoice",
        "scheduled_time": at("2026-12-24 18:00:00"),
        "time_zone": BERLIN,
        "data_coding": "binary",
        "status_callback": "https://example.com/callback?key=secret",
    }


def test_options_that_are_not_given_stay_out() -> None:
    assert vol.Schema(OPTIONS_SCHEMA)({}) == {}


@pytest.mark.parametrize(
    "options",
    [
        {"data_coding": "klingon"},
        {"data_coding": 2},
        {"scheduled_time": "tomorrow"},
        {"scheduled_time": "2026-02-30 12:00:00"},
        {"status_callback": "no url"},
        {"status_callback": "ftp://example.com"},
        {"flash": True},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        vol.Schema(OPTIONS_SCHEMA)(options)
