"""The settings that can be changed from outside, and what they may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from .callbacks import CallbackStyle
from .state import SandboxState


@dataclass(frozen=True, slots=True)
class Setting:
    """What a setting may be, and how it is read: ValueError if it is something else."""

    values: str
    read: Callable[[Any], Any]


def check_types(
    values: Mapping[str, Any], known: Mapping[str, tuple[type, ...]]
) -> None:
    """Raise ValueError if a name is not known, or a value of another type."""
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{name!r} is not one of {', '.join(known)}")
        if type(value) not in known[name]:
            raise ValueError(f"{name} cannot be {value!r}")


def change_settings(state: SandboxState, values: Mapping[str, Any]) -> None:
    """Change settings, or none of them and raise ValueError."""
    new = {}
    for name, value in values.items():
        if (setting := SETTINGS.get(name)) is None:
            raise ValueError(f"{name!r} is not one of {', '.join(SETTINGS)}")
        try:
            new[name] = setting.read(value)
        except ValueError as err:
            why = f": {err}" if str(err) else ""
            raise ValueError(f"{name} is {setting.values}{why}") from err
    for name, value in new.items():
        match name:
            case "callback":
                state.callbacks.style = value
            case "time_zone":
                state.zone = value
            case _:
                setattr(state, name, value)


def _one_of(*choices: object) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # 200.0 and True are equal to numbers.
        if not any(type(value) is type(each) and value == each for each in choices):
            raise ValueError
        return value

    return read


def _number(
    *types: type, least: int = 0, optional: bool = False
) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        if type(value) not in types or value < least:
            raise ValueError
        return value

    return read


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError
    return value


def _strings(value: Any) -> set[str]:
    if type(value) is not list or not all(isinstance(each, str) for each in value):
        raise ValueError
    return set(value)


def _zone(value: Any) -> tzinfo:
    if not isinstance(value, str) or value not in available_timezones():
        raise ValueError
    return ZoneInfo(value)


_NULL = type(None)
_STYLE: dict[str, tuple[type, ...]] = {
    "method": (str,),
    "encoding": (str,),
    "id_name": (str,),
    "status_name": (str,),
    "nested_in": (str, _NULL),
    "with_number": (bool,),
    "times": (int,),
    "late_seconds": (int, float),
    "out_of_order": (bool,),
    "tries": (int,),
    "retry_seconds": (int, float),
}


def _style(value: Any) -> CallbackStyle:
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004  it is the value of a setting that is wrong
    check_types(value, _STYLE)
    return CallbackStyle(**value)


_FLAG = Setting("true or false", _flag)

SETTINGS: Mapping[str, Setting] = {
    "several_as": Setting("list or object", _one_of("list", "object")),
    "error_status": Setting("200 or 400", _one_of(200, 400)),
    "answer_seconds": Setting("a number from 0", _number(int, float)),
    "sender_ids": Setting("a list of strings", _strings),
    "accept_callbacks": _FLAG,
    "callback": Setting(
        "an object with any of "
        + ", ".join(each.name for each in fields(CallbackStyle)),
        _style,
    ),
    "auto_deliver_seconds": Setting(
        "a number from 0, or null", _number(int, float, optional=True)
    ),
    "undeliverable": Setting("a list of numbers like +14805550100", _strings),
    "time_zone": Setting("a name like Asia/Kolkata", _zone),
    "oldest_first": _FLAG,
    "status_case": Setting(
        "as_is, upper, lower or title", _one_of("as_is", "upper", "lower", "title")
    ),
    "log_lag_seconds": Setting("a number from 0", _number(int, float)),
    "reads_per_minute": Setting(
        "a whole number from 1, or null", _number(int, least=1, optional=True)
    ),
}
