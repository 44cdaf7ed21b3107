"""The texts in en.json and the code: neither has what the other lacks."""

import ast
from collections.abc import Iterator
import inspect
import json
import math
from pathlib import Path
import re
from typing import Any

from homeassistant import config_entries
from homeassistant.helpers import config_entry_oauth2_flow
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.zoho_voice import config_flow
from custom_components.zoho_voice.const import (
    DATA_CENTER_OTHER,
    QUIET_REFUSE,
    QUIET_WAIT,
)
from custom_components.zoho_voice.errors import (
    _ERROR_KEYS,
    _REJECTION_KEYS,
    NotLoadedError,
    OptedOutError,
    error_key,
    error_placeholders,
)
from custom_components.zoho_voice.flows import (
    options as options_flow,
    recipient as recipient_flow,
)
from custom_components.zoho_voice.repairs import SENDER_ID_REFUSED
from custom_components.zoho_voice.sending.brakes import (
    FloodBrakeError,
    RepeatUnclearError,
)
from custom_components.zoho_voice.sending.journal import NotWrittenError
from custom_components.zoho_voice.sending.outbox import REPORTED, OutboxFullError
from custom_components.zoho_voice.sending.quiet_hours import (
    CannotWaitError,
    QuietHoursError,
    ScheduledInQuietHoursError,
)
from custom_components.zoho_voice.sending.spending import SpendingGuardError
from custom_components.zoho_voice.tracking.coordinator import CANNOT_READ
from custom_components.zoho_voice.tracking.webhook import CALLBACK_REFUSED
from custom_components.zoho_voice.zoho import errors
from custom_components.zoho_voice.zoho.data_center import DATA_CENTERS
from custom_components.zoho_voice.zoho.errors import (
    OutcomeUnknownError,
    RejectedError,
    ThrottledError,
    ZohoError,
)

from .conftest import INTEGRATION, TRANSLATIONS, placeholders_in

EXCEPTIONS = {
    key: value["message"] for key, value in TRANSLATIONS["exceptions"].items()
}
SERVICES = load_yaml_dict(str(INTEGRATION / "services.yaml"))
TRIGGERS = {
    key: described
    for key, described in load_yaml_dict(str(INTEGRATION / "triggers.yaml")).items()
    if not key.startswith(".")
}
CONDITIONS = {
    key: described
    for key, described in load_yaml_dict(str(INTEGRATION / "conditions.yaml")).items()
    if not key.startswith(".")
}
ICONS = json.loads((INTEGRATION / "icons.json").read_text())
CODE = {
    str(path.relative_to(INTEGRATION)): ast.parse(path.read_text())
    for path in INTEGRATION.rglob("*.py")
}

#: What only an SMS can bring about.
NOT_IN_ABORTS = {*_REJECTION_KEYS.values()}
#: What Home Assistant's OAuth flow may say but the integration says itself.
REPLACED = {"user_rejected_authorize"}


# Reading the code


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls in code, with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            yield name, node


def argument(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument of a call."""
    return next((word.value for word in call.keywords if word.arg == name), None)


def literals(node: ast.AST | None) -> set[str]:
    """Return the strings that an expression can be; none where it is computed."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=body, orelse=orelse):
            return literals(body) | literals(orelse)
    return set()


OWN_ERRORS = (
    NotLoadedError(),
    NotWrittenError(),
    OptedOutError(),
    OutboxFullError(),
    FloodBrakeError(20, 600),
    RepeatUnclearError(),
    QuietHoursError(0),
    CannotWaitError(0),
    ScheduledInQuietHoursError(0),
    SpendingGuardError(2, 0),
    SpendingGuardError(2, math.inf),
)
#: What is shown in repairs as well, and what it may name besides.
REFUSALS = {"flood_brake", "spending_guard", "spending_limit"}


def zoho_errors() -> list[ZohoError]:
    """Return one of each way in which Zoho can fail, with its words."""
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if kind not in (ZohoError, OutcomeUnknownError)
    ]
    return [
        *(kind("CODE", "Words") for kind in kinds),
        ThrottledError("CODE", "Words", 60),
        *(RejectedError(code, "Words") for code in _REJECTION_KEYS),
    ]


def names_in(placeholders: ast.expr | None) -> set[str]:
    """Return the names of the placeholders that an expression gives for sure."""
    match placeholders:
        case ast.Dict(keys=keys):
            return {key.value for key in keys if isinstance(key, ast.Constant)}
        case ast.Call(func=ast.Name(id="error_placeholders")):
            return {"reason"}
    return set()


def raised() -> dict[str, set[str]]:
    """Return what the code raises: translation keys and the placeholders given."""
    found: dict[str, set[str]] = {}
    for tree in CODE.values():
        for name, call in calls(tree):
            if name == "validation_error":
                keys = literals(call.args[0])
                given = {word.arg for word in call.keywords}
            elif name == "PhoneNumberError":
                keys = literals(call.args[0])
                given = {"number"}
            elif name == "SendError" and (keys := literals(call.args[0])):
                given = {key.value for key in call.args[1].keys}
            elif name != "async_create_issue" and (
                keys := literals(argument(call, "translation_key"))
            ):
                given = names_in(argument(call, "translation_placeholders"))
            else:
                continue
            for key in keys:
                found[key] = found.get(key, given) & given
    # No error, but the only texts that may be said in another language by SMS.
    found["reply_with"] = {"choices"}
    for err in (*zoho_errors(), *OWN_ERRORS):
        found[error_key(err)] = {"recipients", *error_placeholders(err)}
    return found


def aborts_of_home_assistant() -> set[str]:
    """Return the reasons for which Home Assistant itself ends a dialog of ours."""
    flow = config_entry_oauth2_flow.AbstractOAuth2FlowHandler
    tree = ast.parse(Path(inspect.getfile(flow)).read_text())
    reasons = {
        reason
        for name, call in calls(tree)
        if name == "async_abort"
        for reason in literals(argument(call, "reason"))
    }
    return (reasons - REPLACED) | {
        "already_configured",
        "already_in_progress",
        "reauth_successful",
        "reconfigure_successful",
    }


def form_errors(name: str) -> set[str]:
    """Return the errors that a flow's code puts into its form."""
    return {
        text
        for node in ast.walk(CODE[name])
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]).startswith("errors[")
        for text in literals(node.value)
    }


def phone_number_errors() -> set[str]:
    """Return what can be wrong with a number or a sender ID."""
    return {
        text
        for name, call in calls(CODE["calls/phone_number.py"])
        if name == "PhoneNumberError"
        for text in literals(call.args[0])
    }


# Exceptions


def test_every_exception_has_a_text_and_every_text_an_exception() -> None:
    assert set(raised()) == set(EXCEPTIONS)


@pytest.mark.parametrize("key", sorted(EXCEPTIONS))
def test_what_a_text_of_an_exception_names_is_always_given(key: str) -> None:
    assert placeholders_in(EXCEPTIONS[key]) <= raised()[key]


def test_every_way_zoho_can_fail_has_a_text_of_its_own() -> None:
    keys = [error_key(err) for err in (*zoho_errors(), *OWN_ERRORS)]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {
        *_ERROR_KEYS.values(),
        *_REJECTION_KEYS.values(),
        "spending_limit",
        "throttled_for",
    }


def test_what_a_refusal_names_in_repairs_is_given() -> None:
    checked = set()
    for err in OWN_ERRORS:
        if (key := error_key(err)) in REFUSALS:
            given = {*error_placeholders(err), "account", "callers"}
            issue = TRANSLATIONS["issues"][key]
            assert placeholders_in(issue["description"]) <= given
            assert placeholders_in(issue["title"]) <= given
            checked.add(key)
    assert checked == REFUSALS


# Forms


def test_every_abort_of_the_sign_in_has_a_text_and_is_possible() -> None:
    own = {
        reason
        for name, call in calls(CODE["config_flow.py"])
        if name in ("async_abort", "_abort_if_unique_id_mismatch")
        for reason in literals(argument(call, "reason"))
    }
    of_zoho = {
        error_key(err)
        for err in zoho_errors()
        if not isinstance(err, OutcomeUnknownError)
    }
    assert {"no_refresh_token", "no_answer", "wrong_account", "not_loaded"} <= own
    assert set(TRANSLATIONS["config"]["abort"]) == (
        own | (of_zoho - NOT_IN_ABORTS) | aborts_of_home_assistant()
    )


def test_every_error_of_the_sign_in_has_a_text_and_is_possible() -> None:
    of_servers = {
        text
        for name, call in calls(CODE["config_flow.py"])
        if name == "Invalid"
        for text in literals(call.args[0])
    }
    of_zoho = {error_key(err) for err in zoho_errors()}
    assert of_servers == {"invalid_url", "insecure_url"}
    assert set(TRANSLATIONS["config"]["error"]) == (
        of_servers | form_errors("config_flow.py") | phone_number_errors() | of_zoho
    )


@pytest.mark.parametrize("kind", ["error", "abort"])
def test_what_a_text_of_a_failure_at_zoho_names_is_given(kind: str) -> None:
    always = {"error": {"account"}, "abort": {"accounts_url"}}[kind]
    texts = TRANSLATIONS["config"][kind]
    checked = 0
    for err in zoho_errors():
        if text := texts.get(error_key(err)):
            given = {*error_placeholders(err), *always}
            assert placeholders_in(text) <= given, text
            checked += 1
    assert checked >= 10


def test_every_error_of_a_recipient_has_a_text_and_is_possible() -> None:
    own = form_errors("flows/recipient.py")
    assert "name_taken" in own
    texts = TRANSLATIONS["config_subentries"]["recipient"]
    assert set(texts["error"]) == own | phone_number_errors()
    assert set(texts["abort"]) == {"reconfigure_successful"}
    assert set(texts["initiate_flow"]) == {"reconfigure", "user"}
    for text in texts["error"].values():
        assert placeholders_in(text) <= {"number"}


@pytest.mark.parametrize(
    ("texts", "handler"),
    [
        (TRANSLATIONS["config"], config_flow.ZohoVoiceConfigFlow),
        (
            TRANSLATIONS["config_subentries"]["recipient"],
            recipient_flow.RecipientFlow,
        ),
        (TRANSLATIONS["options"], options_flow.ZohoVoiceOptionsFlow),
    ],
)
def test_every_step_with_texts_is_there(texts: dict[str, Any], handler: type) -> None:
    for step, shown in texts["step"].items():
        assert hasattr(handler, f"async_step_{step}")
        for group in (shown, *shown.get("sections", {}).values()):
            assert set(group.get("data", {})) == set(group.get("data_description", {}))


def test_every_error_of_the_options_has_a_text_and_is_possible() -> None:
    assert set(TRANSLATIONS["options"]["error"]) == form_errors("flows/options.py")


def test_aborts_of_home_assistant_are_read_from_its_code() -> None:
    assert "missing_credentials" in aborts_of_home_assistant()
    # The flow says it itself, in its own words.
    flow = config_flow.ZohoVoiceConfigFlow
    assert "async_step_authorize_rejected" in vars(flow)
    assert issubclass(flow, config_entries.ConfigFlow)


# Issues


def test_every_issue_has_a_text() -> None:
    own = {f"messages_{state}" for state in REPORTED} | {SENDER_ID_REFUSED}
    own |= {CALLBACK_REFUSED, CANNOT_READ}
    for name, call in calls(CODE["repairs.py"]):
        if name == "_async_create_issue":
            own |= literals(call.args[0])
    own |= {"outbox_damaged", "outbox_blocked", "tracking_damaged", "tracking_blocked"}
    assert own <= set(TRANSLATIONS["issues"])
    for texts in TRANSLATIONS["issues"].values():
        assert set(texts) in ({"title", "fix_flow"}, {"title", "description"})


def test_what_can_be_wrong_with_a_new_sender_has_the_text_of_its_form() -> None:
    of_issue = TRANSLATIONS["issues"][SENDER_ID_REFUSED]["fix_flow"]["error"]
    own = form_errors("flows/sender.py")
    assert own == {"test_failed"}
    assert set(of_issue) == own | phone_number_errors()
    of_form = TRANSLATIONS["config"]["error"]
    for key in phone_number_errors():
        assert of_issue[key] == of_form[key]


# Actions, selectors, icons


def fields_of(action: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the fields of an action, those of its sections too, and the sections."""
    fields: dict[str, Any] = {}
    sections: set[str] = set()
    for name, field in action["fields"].items():
        if "fields" in field:
            sections.add(name)
            fields |= field["fields"]
        else:
            fields[name] = field
    return fields, sections


def test_every_action_and_field_has_a_text_and_every_text_a_field() -> None:
    texts = TRANSLATIONS["services"]
    assert set(texts) == set(SERVICES) == set(ICONS["services"])
    for name, action in SERVICES.items():
        fields, sections = fields_of(action)
        own_sections = {"sections"} if sections else set()
        assert set(texts[name]) == {"name", "description", "fields"} | own_sections
        assert set(texts[name]["fields"]) == set(fields)
        assert set(texts[name].get("sections", ())) == sections
        assert set(ICONS["services"][name].get("sections", ())) == sections
        for text in texts[name]["fields"].values():
            assert set(text) == {"name", "description"}
        for field in fields.values():
            validate_selector(field["selector"])


def test_every_option_of_a_selector_has_a_text_and_every_text_an_option() -> None:
    options = {
        "data_center": {*DATA_CENTERS, DATA_CENTER_OTHER},
        "quiet_action": {QUIET_REFUSE, QUIET_WAIT},
    }
    for action in SERVICES.values():
        for field in fields_of(action)[0].values():
            selector = field["selector"].get("select") or {}
            if "translation_key" in selector:
                options[selector["translation_key"]] = {*selector["options"]}
    for described in TRIGGERS.values():
        for field in described.get("fields", {}).values():
            selector = field["selector"].get("select") or {}
            if key := selector.get("translation_key"):
                labels = {each["value"]: each["label"] for each in selector["options"]}
                assert labels == TRANSLATIONS["selector"][key]["options"]
                options[key] = {*labels}
    assert set(options) == {
        "data_center",
        "data_coding",
        "direction",
        "match",
        "priority",
        "quiet_action",
    }
    assert {
        key: set(texts["options"])
        for key, texts in TRANSLATIONS["selector"].items()
        if "options" in texts
    } == options


def test_every_unit_of_a_selector_has_a_text_and_every_text_a_unit() -> None:
    numbers: list[Any] = [
        selector.config
        for fields in options_flow.SECTIONS.values()
        for selector in fields.values()
    ]
    numbers += [
        field["selector"].get("number") or {}
        for described in CONDITIONS.values()
        for field in described["fields"].values()
    ]
    units = {
        number["translation_key"]: {number["unit_of_measurement"]}
        for number in numbers
        if "translation_key" in number
    }
    assert units == {
        key: set(texts["unit_of_measurement"])
        for key, texts in TRANSLATIONS["selector"].items()
        if "unit_of_measurement" in texts
    }
    untranslated = {
        number["unit_of_measurement"]
        for number in numbers
        if "unit_of_measurement" in number and "translation_key" not in number
    }
    assert untranslated == {"SMS", "min", "s"}


@pytest.mark.parametrize("platform", ["event", "sensor"])
def test_every_entity_has_a_name_and_an_icon(platform: str) -> None:
    """Home Assistant takes no texts and icons of a platform that has none."""
    names, icons = TRANSLATIONS["entity"][platform], ICONS["entity"][platform]
    keys = {
        text
        for name, call in calls(CODE[f"{platform}.py"])
        for text in (
            literals(argument(call, "key"))
            if name == "AccountSensorDescription"
            else literals(call.args[-1])
            if name.endswith(("Event", "Sensor")) and call.args
            else ()
        )
    }
    assert keys == set(names) == set(icons)
    for key, icon in icons.items():
        assert set(icon.get("state", ())) <= set(names[key].get("state", ()))


def test_every_entity_icon_is_of_a_translation_key_in_use() -> None:
    keys = {
        text
        for node in ast.walk(CODE["notify.py"])
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "_attr_translation_key"
        for text in literals(node.value)
    }
    assert set(ICONS["entity"]["notify"]) == keys


def test_texts_are_plain() -> None:
    """Keep texts free of what Home Assistant shows wrongly or not at all."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for child in value.values():
                yield from texts(child)
        else:
            yield value

    for text in texts(TRANSLATIONS):
        assert text.strip() == text
        assert text
        # Addresses go through placeholders: translators can't break them.
        assert "://" not in text, text
        # An apostrophe before a brace escapes it: no placeholder would be filled in.
        # Nor HTML: > only leads from one menu to the next.
        assert not re.search(r"'[{}]|<|(?<! )>|>(?! )", text), text
