"""Show data to a person: YAML, as compact as it stays readable."""

from collections.abc import Mapping
import json
import re
import shutil
import textwrap

_PLAIN = re.compile(r"[A-Za-z…](?:[\w .,/'()…-]*[\w.)…])?")
_NOT_A_STRING = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_ROWS = 2
INDENT = "  "


def width() -> int:
    """Return how long a line may be."""
    return min(shutil.get_terminal_size((100, 24)).columns, 100)


def to_yaml(value: object, columns: int) -> list[str]:
    """Return lines of YAML; of many rows only the first ones."""
    if isinstance(value, Mapping) and value:
        return [
            line for key, item in value.items() for line in _item(key, item, columns)
        ]
    if isinstance(value, list | tuple) and _has_rows(value):
        lines: list[str] = []
        shown = value if len(value) <= _ROWS + 1 else value[:_ROWS]
        for item in shown:
            first, *others = to_yaml(item, columns - len(INDENT))
            lines += [f"- {first}", *(f"{INDENT}{line}" for line in others)]
        if rest := len(value) - len(shown):
            lines.append(f"# … and {rest} more like these")
        return lines
    return _wrap(_flow(value), columns)


def _item(key: object, value: object, columns: int) -> list[str]:
    """Return `key: value` in one line, or the value below the key."""
    line = f"{key}: {_flow(value)}"
    if len(line) <= columns and not _has_rows(value):
        return [line]
    if isinstance(value, str):
        return _wrap(line, columns)
    lines = to_yaml(value, columns - len(INDENT))
    return [f"{key}:", *(f"{INDENT}{each}" for each in lines)]


def _has_rows(value: object) -> bool:
    """Tell whether the value deserves a line for each of its parts."""
    return isinstance(value, Mapping | list | tuple) and any(
        isinstance(item, Mapping)
        for item in (value.values() if isinstance(value, Mapping) else value)
    )


def _flow(value: object) -> str:
    """Return YAML in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {_flow(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _NOT_A_STRING:
            return value
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _wrap(line: str, columns: int) -> list[str]:
    return textwrap.wrap(
        line,
        columns,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
