"""Who does not want to get SMS any more, because they answered STOP or the like."""

from collections.abc import Callable, Iterable
import math
from typing import Any
import unicodedata

#: How many numbers are kept.
MAX_OPT_OUTS = 1000

# What is put on Latin letters. Marks of other scripts make another word.
_FIRST_ACCENT, _LAST_ACCENT = "\u0300", "\u036f"

# What carriers in the United States and Canada take for it, whatever the language, and
# what is usual in others (ISO 639). It counts only if it is the whole answer.
_STOP = (
    "stop",
    "stopall",
    "stop all",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "optout",
    "opt out",
    "revoke",
)
_START = ("start", "unstop", "resume")
_STOP_IN = {
    "ar": ("توقف", "إيقاف", "إلغاء"),
    "de": ("stopp", "abmelden", "abbestellen"),
    "es": ("alto", "baja", "parar", "cancelar"),
    "fr": ("arrêt", "arrêter", "désabonner"),
    "hi": ("रोकें", "बंद करें"),
    "it": ("basta", "ferma", "annulla"),
    "ja": ("停止", "配信停止"),
    "nl": ("stoppen", "afmelden"),
    "pl": ("koniec", "rezygnuję"),
    "pt": ("parar", "sair", "cancelar"),
    "sv": ("stopp", "avsluta"),
    "zh": ("停止", "退订"),
}
_START_IN = {
    "ar": ("ابدأ",),
    "de": ("anmelden",),
    "es": ("iniciar", "alta"),
    "fr": ("commencer", "reprendre"),
    "hi": ("शुरू", "शुरू करें"),
    "it": ("inizia", "riprendi"),
    "ja": ("開始", "再開"),
    "nl": ("starten", "aanmelden"),
    "pl": ("wznów",),
    "pt": ("começar", "iniciar"),
    "sv": ("starta",),
    "zh": ("开始", "恢复"),
}


def is_stop(text: str, language: str) -> bool:
    """Return if a text asks for no more SMS; `language` is as in Home Assistant."""
    return _is_one_of(text, (*_STOP, *_STOP_IN.get(language[:2], ())))


def is_start(text: str, language: str) -> bool:
    """Return if a text asks for SMS again."""
    return _is_one_of(text, (*_START, *_START_IN.get(language[:2], ())))


class OptOuts:
    """Remember the numbers of people who do not want to get SMS any more.

    `clock` returns UTC epoch seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with nobody."""
        self._clock = clock
        self._since: dict[str, float] = {}
        self._settled: set[str] = set()

    def __contains__(self, number: object) -> bool:
        """Return if nothing may be sent to a number in E.164."""
        return number in self._since

    @property
    def numbers(self) -> list[str]:
        """Return the numbers, in E.164."""
        return [*self._since]

    @property
    def unsettled(self) -> list[str]:
        """Return the numbers of which nobody has decided what to do."""
        return [number for number in self._since if number not in self._settled]

    def take(self, number: str, text: str, language: str) -> bool:
        """Take what somebody answered; return if it changed anything."""
        if is_stop(text, language) and number not in self._since:
            self._since[number] = self._clock()
            while len(self._since) > MAX_OPT_OUTS:
                self.allow(next(iter(self._since)))
            return True
        return is_start(text, language) and self.allow(number)

    def allow(self, number: str) -> bool:
        """Allow SMS to a number again; return if it was not."""
        self._settled.discard(number)
        return self._since.pop(number, None) is not None

    def settle(self, number: str) -> None:
        """Take it that a number gets nothing from now on."""
        self._settled.add(number)

    def dump(self) -> dict[str, Any]:
        """Return all that `load` needs: UTC epoch seconds by number, and decisions."""
        return {"since": dict(self._since), "settled": sorted(self._settled)}

    def load(self, value: Any) -> None:
        """Take what `dump` returned. Raises ValueError if it is anything else."""
        match value:
            case {"since": dict(since), "settled": list(settled)} if all(
                isinstance(time, float) and 0 <= time < math.inf
                for time in since.values()
            ) and all(number in since for number in settled):
                self._since = dict(since)
                self._settled = set(settled)
            case _:
                raise ValueError("Opt-outs are not numbers and times")


def _is_one_of(text: str, words: Iterable[str]) -> bool:
    """Return if a text is one of the words, but for case, accents, and punctuation."""
    return _plain(text) in map(_plain, words)


def _plain(text: str) -> str:
    """Return the words of a text, without what may differ."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    letters = (
        " " if unicodedata.category(character)[0] in "PSZC" else character
        for character in decomposed
        if not _FIRST_ACCENT <= character <= _LAST_ACCENT
    )
    return " ".join("".join(letters).split())
