"""Questions that wait for an answer by SMS: who answers what first."""

from asyncio import Future
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
import re
import unicodedata

from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton

from ..const import DOMAIN
from ..zoho.receipts import fits

#: How long the numbers of a question's choices are not used again (seconds): until
#: then a late answer to it may come.
REST = 3600.0

# What tells a skin or a style of an emoji, and what joins and frames it.
_DECORATION = re.compile("[\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff]")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold which choice somebody took, and their words."""

    choice: str
    number: str
    name: str | None
    log_id: str
    # It must not get into a log.
    text: str = field(repr=False)
    received_at: float


@dataclass(slots=True, eq=False)
class Question:
    """Hold a question that is open, or was until just now.

    `first` is the number of its first choice, and `earlier` are the choices by the
    numbers they had when the same was asked before. `closed_at` is by the clock of
    `Questions`, None as long as an answer is waited for.
    """

    choices: Sequence[str]
    numbers: Collection[str]
    first: int
    answer: Future[Answer]
    # It must not get into a log.
    message: str = field(repr=False)
    earlier: dict[int, str]
    closed_at: float | None = None

    @property
    def numbered(self) -> dict[int, str]:
        """Return the choices by the number to reply with."""
        return dict(enumerate(self.choices, self.first))


@singleton(f"{DOMAIN}_questions")
def async_get_questions(hass: HomeAssistant) -> Questions:  # noqa: ARG001
    """Return the questions of all accounts."""
    return Questions()


class Questions:
    """Tell which question an incoming SMS answers.

    Several may be open at one phone: their choices have different numbers. A word that
    fits several counts for the one that was asked last. When a question is asked again,
    an answer to its first SMS counts, too.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._questions: list[Question] = []

    @property
    def is_open(self) -> bool:
        """Return if any answer is waited for."""
        return any(question.closed_at is None for question in self._questions)

    def ask(
        self,
        choices: Sequence[str],
        numbers: Collection[str],
        answer: Future[Answer],
        now: float,
        message: str,
    ) -> Question:
        """Open a question to phones; `now` is a time in seconds that never goes back.

        `answer` gets the first one.
        """
        self._questions = [
            question
            for question in self._questions
            if question.closed_at is None or now - question.closed_at < REST
        ]
        others = [
            question
            for question in self._questions
            if not set(question.numbers).isdisjoint(numbers)
        ]
        taken = {
            number
            for question in others
            for number in (*question.numbered, *question.earlier)
        }
        earlier = {
            number: choice
            for question in others
            if question.closed_at is not None
            and (question.message, question.choices) == (message, choices)
            for number, choice in question.numbered.items()
        }
        first = 1
        while not taken.isdisjoint(range(first, first + len(choices))):
            first += 1
        question = Question(
            choices, frozenset(numbers), first, answer, message, earlier
        )
        self._questions.append(question)
        return question

    def close(self, question: Question, now: float) -> None:
        """Wait no longer for an answer."""
        question.closed_at = now

    def withdraw(self, question: Question) -> None:
        """Forget a question that nobody got."""
        self._questions.remove(question)

    def take(
        self, number: str, name: str | None, text: str, log_id: str, received_at: float
    ) -> bool:
        """Take an incoming SMS; return if it answers a question."""
        number = self._number_of(number)
        asked = [
            question
            for question in reversed(self._questions)
            if question.closed_at is None and number in question.numbers
        ]
        answers = (
            (question, choice)
            for find in (_by_text, _by_number, _by_words)
            for question in asked
            if (choice := find(text, question.earlier | question.numbered)) is not None
        )
        question, choice = next(answers, (None, None))
        if question is None or choice is None:
            return False
        if not question.answer.done():
            question.answer.set_result(
                Answer(
                    choice=choice,
                    number=number,
                    name=name,
                    log_id=log_id,
                    text=text,
                    received_at=received_at,
                )
            )
        return True

    def _number_of(self, written: str) -> str:
        """Return which of the numbers that were asked Zoho means."""
        asked = {
            number
            for question in self._questions
            if question.closed_at is None
            for number in question.numbers
        }
        if written in asked:
            return written
        found = [number for number in asked if fits(written, number)]
        return found[0] if len(found) == 1 else written


def _by_number(text: str, numbered: Mapping[int, str]) -> str | None:
    """Return the choice whose number a text begins with, or is the only one in it."""
    plain = plain_text(text)
    found = _DIGITS.findall(plain)
    if not found or (len(set(found)) > 1 and not plain.startswith(found[0])):
        return None
    return numbered.get(int(found[0][:9]))


def _by_text(text: str, numbered: Mapping[int, str]) -> str | None:
    """Return the choice that is the text."""
    said = plain_text(text)
    return next((c for c in numbered.values() if plain_text(c) == said), None)


def _by_words(text: str, numbered: Mapping[int, str]) -> str | None:
    """Return the only choice whose words are in a text."""
    said = f" {plain_text(text)} "
    found = {c for c in numbered.values() if f" {plain_text(c)} " in said}
    return found.pop() if len(found) == 1 else None


def plain_text(text: str) -> str:
    """Return the words of a text: without case, accents, punctuation and emoji.

    A text of emoji only stays one, without their skins and styles.
    """
    text = _DECORATION.sub("", unicodedata.normalize("NFKD", text)).casefold()
    words = "".join(
        character if character.isalnum() else " "
        for character in text
        if not unicodedata.combining(character)
    ).split()
    return " ".join(words or text.split())
