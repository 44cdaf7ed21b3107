"""What is tried out, theme by theme, in this order: each finds what those before left.

A theme that is needed by the others runs even if only others are asked for. A new one
is a module of its own with a list of steps, added here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from . import (
    account,
    automations,
    diagnostics,
    languages,
    phone,
    reauth,
    removal,
    repairs,
    sending,
    set_up,
)
from .step import Step


@dataclass(frozen=True)
class Theme:
    """Steps that belong together."""

    steps: Sequence[Step]
    needed: bool = False
    language: str | None = None


THEMES = {
    "set_up": Theme(set_up.STEPS, needed=True),
    "account": Theme(account.STEPS),
    "sending": Theme(sending.STEPS),
    "automations": Theme(automations.STEPS),
    "reauth": Theme(reauth.STEPS),
    "repairs": Theme(repairs.STEPS),
    "diagnostics": Theme(diagnostics.STEPS),
    "phone": Theme(phone.STEPS),
    "languages": Theme(languages.STEPS),
    "german": Theme(languages.GERMAN_STEPS, language="de"),
    "removal": Theme(removal.STEPS),
}
