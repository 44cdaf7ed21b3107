"""Which question an SMS answers, and with what."""

from asyncio import Future, get_running_loop
from typing import Any

import pytest

from custom_components.zoho_voice.tracking.questions import (
    REST,
    Answer,
    Question,
    Questions,
)

from ..conftest import ALICE, BOB, CAROL

CHOICES = ["on my way", "call the plumber"]


def ask(
    questions: Questions,
    *choices: str,
    to: tuple[str, ...] = (ALICE, BOB),
    now: float = 0.0,
    message: str = "Water!",
) -> Question:
    answer: Future[Answer] = get_running_loop().create_future()
    return questions.ask([*choices] or CHOICES, to, answer, now, message)


def reply(questions: Questions, text: str, number: str = ALICE) -> bool:
    return questions.take(number, "Alice", text, "log-1", 5.0)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("1", "on my way"),
        (" 1. ", "on my way"),
        ("1)", "on my way"),
        ("\N{FULLWIDTH DIGIT TWO}", "call the plumber"),
        ("\N{DIGIT ONE}\ufe0f\u20e3", "on my way"),
        ("\N{ARABIC-INDIC DIGIT TWO}", "call the plumber"),
        ("No 2 please!", "call the plumber"),
        ("2 - in 10 minutes", "call the plumber"),
        ("On my way", "on my way"),
        ("ON MY WAY!!! \N{RUNNER}", "on my way"),
        ("I am on my way :-)", "on my way"),
        ("please, call the plumber", "call the plumber"),
        ("Call-the-plumber", "call the plumber"),
    ],
)
async def test_answer(text: str, choice: str) -> None:
    questions = Questions()
    question = ask(questions)
    assert reply(questions, text)
    answer = question.answer.result()
    assert answer == Answer(
        choice=choice,
        number=ALICE,
        name="Alice",
        log_id="log-1",
        text=text,
        received_at=5.0,
    )
    assert "text=" not in repr(answer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "3",
        "12",
        "in 1 or 2 hours",
        "way",
        "my",
        "on my way, but call the plumber",
        "9" * 5000,
    ],
)
async def test_no_answer(text: str) -> None:
    questions = Questions()
    question = ask(questions)
    assert not reply(questions, text)
    assert not question.answer.done()


@pytest.mark.parametrize(
    "text",
    ["\N{THUMBS UP SIGN}", "\N{THUMBS UP SIGN}\U0001f3fd", " \N{THUMBS UP SIGN} "],
)
async def test_emoji_can_be_a_choice(text: str) -> None:
    questions = Questions()
    question = ask(questions, "\N{THUMBS UP SIGN}", "\N{THUMBS DOWN SIGN}")
    assert reply(questions, text)
    assert question.answer.result().choice == "\N{THUMBS UP SIGN}"


async def test_accents_do_not_matter() -> None:
    questions = Questions()
    question = ask(questions, "Später", "Déjà fait")
    assert reply(questions, "deja FAIT")
    assert question.answer.result().choice == "Déjà fait"


async def test_whole_text_goes_before_a_part_of_it() -> None:
    questions = Questions()
    question = ask(questions, "call", "call the plumber")
    assert reply(questions, "Call the plumber")
    assert question.answer.result().choice == "call the plumber"


async def test_first_answer_counts() -> None:
    questions = Questions()
    question = ask(questions)
    assert reply(questions, "2", BOB)
    assert reply(questions, "1", ALICE)
    assert question.answer.result().number == BOB


async def test_others_do_not_answer() -> None:
    questions = Questions()
    question = ask(questions)
    assert not reply(questions, "1", CAROL)
    assert not question.answer.done()


async def test_answer_to_an_earlier_sms_of_the_same_question_counts() -> None:
    questions = Questions()
    for now in range(3):
        question = ask(questions, now=now)
        assert min(question.numbered) == 1 + 2 * now
        questions.close(question, now)
    again = ask(questions, now=3.0)
    assert not reply(questions, "9")
    assert reply(questions, "4")
    assert again.answer.result().choice == "call the plumber"
    questions.close(again, 3.0)
    words = ask(questions, now=4.0)
    assert reply(questions, "I am on my way!")
    assert words.answer.result().choice == "on my way"


@pytest.mark.parametrize(
    "other",
    [
        {"message": "Fire!"},
        {"to": (CAROL,)},
        {"now": REST + 1},
    ],
)
async def test_answer_to_an_earlier_question_does_not_count(
    other: dict[str, Any],
) -> None:
    questions = Questions()
    first = ask(questions)
    questions.close(first, 0.0)
    question = ask(questions, **{"to": (ALICE, CAROL), **other})
    if min(question.numbered) == 1:
        assert question.earlier == {}
        return
    assert not reply(questions, "1")
    assert reply(questions, "3")
    assert question.answer.result().choice == "on my way"


async def test_same_question_at_the_same_time_has_answers_of_its_own() -> None:
    questions = Questions()
    first, second = ask(questions), ask(questions)
    assert reply(questions, "1")
    assert first.answer.done()
    assert not second.answer.done()


async def test_questions_to_one_phone_have_different_numbers() -> None:
    questions = Questions()
    cellar = ask(questions)
    door = ask(questions, "lock", "leave open", to=(BOB, CAROL))
    garden = ask(questions, "water", "wait", to=(CAROL,))
    assert cellar.numbered == {1: "on my way", 2: "call the plumber"}
    assert door.numbered == {3: "lock", 4: "leave open"}
    assert garden.numbered == {1: "water", 2: "wait"}
    assert reply(questions, "4", BOB)
    assert not reply(questions, "3", ALICE)
    assert reply(questions, "1", CAROL)
    assert not cellar.answer.done()
    assert door.answer.result().choice == "leave open"
    assert garden.answer.result().choice == "water"


async def test_word_that_fits_several_is_for_the_last() -> None:
    questions = Questions()
    first = ask(questions, "yes", "no")
    last = ask(questions, "yes", "no")
    assert reply(questions, "yes")
    assert last.answer.result().choice == "yes"
    assert not first.answer.done()
    questions.close(last, 1.0)
    assert reply(questions, "no")
    assert first.answer.result().choice == "no"


async def test_whole_choice_goes_before_the_number_of_another_question() -> None:
    questions = Questions()
    first = ask(questions, "yes", "no")
    last = ask(questions, "1 hour", "2 hours")
    assert reply(questions, "1 hour")
    assert last.answer.result().choice == "1 hour"
    assert not first.answer.done()


async def test_number_goes_before_words_of_a_later_question() -> None:
    questions = Questions()
    first = ask(questions, "yes", "no")
    last = ask(questions, "please", "hours")
    assert reply(questions, "1 please")
    assert first.answer.result().choice == "yes"
    assert not last.answer.done()


async def test_late_answer_is_none_of_the_next_question() -> None:
    questions = Questions()
    late = ask(questions, now=0.0)
    assert questions.is_open
    questions.close(late, 10.0)
    assert not questions.is_open
    question = ask(questions, now=10.0 + REST - 1, message="Smoke!")
    assert question.first == 3
    assert not reply(questions, "1")
    questions.close(question, 20.0)
    assert ask(questions, now=10.0 + REST).first == 1


async def test_words_that_begin_with_the_number_of_another_choice() -> None:
    questions = Questions()
    question = ask(questions, "2 hours", "1 hour")
    assert reply(questions, "2 hours!")
    assert question.answer.result().choice == "2 hours"


async def test_number_that_is_masked() -> None:
    questions = Questions()
    question = ask(questions, to=(ALICE, BOB))
    assert not reply(questions, "1", "+1480555****")
    assert reply(questions, "1", f"+1480***{ALICE[-4:]}")
    assert question.answer.result().number == ALICE


async def test_numbers_of_a_question_that_nobody_got_are_free_at_once() -> None:
    questions = Questions()
    question = ask(questions)
    questions.withdraw(question)
    assert not questions.is_open
    assert ask(questions).first == 1
