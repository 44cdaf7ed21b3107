"""Whatever is entered in a form or answered to a sign-in, a dialog says what is wrong.

A form is shown again with its error, or the dialog goes on or ends with a reason.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.json import json_bytes
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol
from yarl import URL

from custom_components.zoho_voice.const import DOMAIN

from ..conftest import ALICE, BOB, SENDER_ID, examples
from .conftest import Log
from .zoho import (
    REVOKE,
    SEND,
    SEND_REPLY,
    TOKEN,
    USER,
    USER_REPLY,
    VALUES,
    Answer,
    AnyZoho,
    answers,
    token_reply,
)

pytestmark = pytest.mark.usefixtures("translated_flows", "current_request_with_host")

CALLBACK = "https://example.com/auth/external/callback"

# What a browser can send: JSON, in UTF-8.
TEXT = st.text(max_size=20)
NUMBERS = (
    st.sampled_from([ALICE, BOB, "480 555 0100", "tel:+14805550100", "", "+", "12"])
    | TEXT
)
URLS = st.sampled_from(
    [
        "https://accounts.example",
        "https://xn--",
        "https://xn--a",
        "https://a..b",
        "https://.",
        f"https://{'a' * 64}.example",
        "https://[::1",
        "https://[::g]",
        "https://me:secret@accounts.example",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "http://10.0.0.1",
        "http://accounts.example",
        "https://accounts.example/\n",
        "https://\u2603.example",
        "https:",
        "//",
        "",
    ]
) | TEXT.map("https://{}".format)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "data_center": st.sampled_from(["us", "eu", "other", "mars"]),
    "accounts_url": URLS,
    "voice_url": URLS,
    "sender_id": st.sampled_from([SENDER_ID, "ZohoVoice", "", "x" * 21]) | TEXT,
    "test_number": NUMBERS,
    "name": st.sampled_from(["Dave", "alice", " ", "Night-shift", "\U0001f600"]) | TEXT,
    "phone_numbers": st.lists(NUMBERS, max_size=3),
    "keep_trying": st.sampled_from(
        [
            {"hours": 1},
            {"minutes": 5, "seconds": 1},
            {"days": 1},
            {"days": 1e300},
            {"hours": -1},
            {"minutes": "nan"},
            {},
            "01:00:00",
            3600,
        ]
    ),
    **dict.fromkeys(
        (
            "segments_per_hour",
            "segments_per_day",
            "repeat_seconds",
            "flood_limit",
            "flood_minutes",
        ),
        st.sampled_from([0, 1, -1, 0.5, 1e300, "5", "nan", "inf", "", None]),
    ),
}


def entered(**good: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return what may be entered in a form: good values, with one or two odd ones."""
    odd = st.lists(
        st.sampled_from([*good]), min_size=1, max_size=2, unique=True
    ).flatmap(
        lambda chosen: st.fixed_dictionaries(
            {
                key: st.sampled_from([FIELDS[key]] * 3 + [VALUES]).flatmap(
                    lambda values: values
                )
                for key in chosen
            }
        )
    )
    missing = st.sets(st.sampled_from([*good]))
    return st.builds(
        lambda changes, left_out: {
            key: value
            for key, value in (good | changes).items()
            if key in changes or key not in left_out
        },
        odd,
        missing,
    ).filter(is_sent)


def is_sent(value: Any) -> bool:
    """Return if a browser can send something."""
    try:
        json_bytes(value)
    except TypeError, ValueError:
        return False
    return True


async def submit(
    configure: Callable[..., Awaitable[Any]], result: Any, user_input: dict[str, Any]
) -> Any:
    """Submit a form; return it again if what was entered does not fit its fields."""
    try:
        after = await configure(result["flow_id"], user_input)
    except vol.Invalid:
        return result
    if after["type"] is FlowResultType.FORM and after["step_id"] == result["step_id"]:
        assert after["errors"]
    return after


async def go_to_zoho(hass: HomeAssistant, zoho: AnyZoho) -> Any:
    """Go on to the sign-in."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"data_center": "other"})
    return await flow.async_configure(
        result["flow_id"], {"accounts_url": zoho.url, "voice_url": zoho.url}
    )


async def come_back(hass: HomeAssistant, result: Any) -> Any:
    """Come back from the sign-in with a code."""
    flow = hass.config_entries.flow
    assert result["type"] is FlowResultType.EXTERNAL_STEP
    state = {"flow_id": result["flow_id"], "redirect_uri": CALLBACK}
    result = await flow.async_configure(
        result["flow_id"], {"code": "1000.code", "state": state}
    )
    assert result["type"] is FlowResultType.EXTERNAL_STEP_DONE
    return await flow.async_configure(result["flow_id"])


async def close_all(hass: HomeAssistant) -> None:
    """Close all dialogs."""
    entries = hass.config_entries
    for manager in (entries.flow, entries.options, entries.subentries):
        for flow in manager.async_progress():
            manager.async_abort(flow["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)


@examples(120)
@given(
    token=answers(token_reply(0)),
    user=st.lists(answers(USER_REPLY), min_size=1, max_size=2),
    send=answers(SEND_REPLY),
    revoke=answers({"status": "success"}),
    token_is_odd=st.booleans(),
    user_is_odd=st.booleans(),
)
async def test_any_answer_to_a_sign_in(
    hass: HomeAssistant,
    credentials: None,
    zoho: AnyZoho,
    log: Log,
    token: Answer,
    user: list[Answer],
    send: Answer,
    revoke: Answer,
    token_is_odd: bool,
    user_is_odd: bool,
) -> None:
    with log:
        flow = hass.config_entries.flow
        result = await go_to_zoho(hass, zoho)
        zoho.reset(
            {
                TOKEN: [token] * token_is_odd,
                USER: user * user_is_odd,
                SEND: [send],
                REVOKE: [revoke],
            }
        )
        result = await come_back(hass, result)
        if result["type"] is FlowResultType.FORM:
            assert result["step_id"] == "sender"
            result = await flow.async_configure(
                result["flow_id"], {"sender_id": SENDER_ID, "test_number": ALICE}
            )
            if result["type"] is FlowResultType.FORM:
                json_bytes(result["description_placeholders"])
                result = await flow.async_configure(
                    result["flow_id"], {"sender_id": SENDER_ID}
                )
            assert len(zoho.sent) <= 1 + (b"429" in bytes(send) or send.status == 429)
            assert result["type"] is FlowResultType.CREATE_ENTRY
            json_bytes(result["result"].as_dict())
            await hass.config_entries.async_remove(result["result"].entry_id)
        else:
            assert result["type"] is FlowResultType.ABORT
        await close_all(hass)


@examples(150)
@given(
    entered(data_center="other"),
    entered(accounts_url="https://a.example", voice_url="https://b.example"),
)
async def test_any_data_center(
    hass: HomeAssistant,
    credentials: None,
    log: Log,
    center: dict[str, Any],
    servers: dict[str, Any],
) -> None:
    with log:
        flow = hass.config_entries.flow
        result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        result = await submit(flow.async_configure, result, center)
        if result.get("step_id") == "other":
            result = await submit(flow.async_configure, result, servers)
        if result["type"] is FlowResultType.EXTERNAL_STEP:
            url = URL(result["url"])
            assert url.path.endswith("/oauth/v2/auth")
            assert url.user is None
            assert url.host
            url.host.encode("idna")
        await close_all(hass)


@examples(150)
@given(entered(sender_id=SENDER_ID, test_number=ALICE), st.booleans())
async def test_any_sender(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    user_input: dict[str, Any],
    is_new: bool,
) -> None:
    with log:
        zoho.reset({})
        flow = hass.config_entries.flow
        if is_new:
            zoho.reset({USER: [Answer(body=b'{"ZUID": 1}')]})
            result = await come_back(hass, await go_to_zoho(hass, zoho))
        else:
            result = await account.start_reconfigure_flow(hass)
        result = await submit(flow.async_configure, result, user_input)
        done = result["type"] is not FlowResultType.FORM
        assert len(zoho.sent) == (done and bool(user_input.get("test_number")))
        if "result" in result:
            await hass.config_entries.async_remove(result["result"].entry_id)
        await close_all(hass)


@examples(150)
@given(
    entered(
        keep_trying={"hours": 1},
        segments_per_hour=100,
        segments_per_day=1000,
        repeat_seconds=60,
        flood_limit=20,
        flood_minutes=10,
    )
)
async def test_any_options(
    hass: HomeAssistant, account: MockConfigEntry, log: Log, user_input: dict[str, Any]
) -> None:
    with log:
        flow = hass.config_entries.options
        result = await flow.async_init(account.entry_id)
        result = await submit(flow.async_configure, result, user_input)
        if result["type"] is FlowResultType.CREATE_ENTRY:
            json_bytes(account.as_dict())
            flow_id = (await flow.async_init(account.entry_id))["flow_id"]
            flow.async_abort(flow_id)
        await close_all(hass)
        assert account.runtime_data.client is not None


@examples(150)
@given(
    entered(name="Dave", phone_numbers=["+14805550133"], sender_id="ZohoVoice"),
    st.booleans(),
)
async def test_any_recipient(
    hass: HomeAssistant,
    account: MockConfigEntry,
    zoho: AnyZoho,
    log: Log,
    user_input: dict[str, Any],
    is_new: bool,
) -> None:
    with log:
        zoho.reset({})
        flow = hass.config_entries.subentries
        first, *others = account.subentries
        for subentry_id in others[1:]:
            hass.config_entries.async_remove_subentry(account, subentry_id)
        context = {"source": SOURCE_USER}
        if not is_new:
            context = {"source": SOURCE_RECONFIGURE, "subentry_id": first}
        result = await flow.async_init((account.entry_id, "recipient"), context=context)
        result = await submit(flow.async_configure, result, user_input)
        await close_all(hass)
        if result["type"] is not FlowResultType.FORM:
            [changed] = [*account.subentries.values()][-1 if is_new else 0 :][:1]
            await hass.services.async_call(
                DOMAIN,
                "send_sms",
                {"recipients": changed.subentry_id, "message": "Water"},
                blocking=True,
            )
            [(_, numbers, _)] = zoho.sent
            assert numbers == changed.data["phone_numbers"]
