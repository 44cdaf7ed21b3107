"""Who answered STOP, in which words."""

from typing import Any

import pytest

from custom_components.zoho_voice.tracking.opt_outs import (
    MAX_OPT_OUTS,
    OptOuts,
    is_start,
    is_stop,
)

from ..conftest import ALICE, BOB


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("STOP", "en"),
        (" stop. ", "en"),
        ("Stop!!", "ja"),
        ("stop all", "en"),
        ("StopAll", "de"),
        ("UNSUBSCRIBE", "en"),
        ("Opt-out", "en"),
        ("STOP \N{PERSON WITH FOLDED HANDS}", "en"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER S}TOP", "en"),
        ("Stopp", "de"),
        ("Arret", "fr"),
        ("ARRÊT", "fr"),
        ("Baja", "es"),
        ("sair", "pt-BR"),
        ("停止", "zh-Hans"),
        ("बंद करें", "hi"),
        ("إيقاف", "ar"),
    ],
)
def test_stop(text: str, language: str) -> None:
    assert is_stop(text, language)
    assert not is_start(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("Please stop", "en"),
        ("stop the pump", "en"),
        ("bus stop?", "en"),
        ("stopped", "en"),
        ("baja", "en"),
        ("basta", "de"),
        ("START", "en"),
        ("1", "en"),
    ],
)
def test_not_stop(text: str, language: str) -> None:
    assert not is_stop(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [("start", "en"), ("Unstop", "en"), ("COMEÇAR", "pt"), ("開始", "ja")],
)
def test_start(text: str, language: str) -> None:
    assert is_start(text, language)
    assert not is_stop(text, language)


def test_who_answers_stop_gets_nothing_until_start() -> None:
    opt_outs = OptOuts(lambda: 1.0)
    assert not opt_outs.take(ALICE, "Hello", "en")
    assert not opt_outs.take(ALICE, "START", "en")
    assert ALICE not in opt_outs
    assert opt_outs.take(ALICE, "STOP", "en")
    assert not opt_outs.take(ALICE, "STOP", "en")
    assert ALICE in opt_outs
    assert BOB not in opt_outs
    assert opt_outs.numbers == [ALICE]
    assert opt_outs.take(ALICE, "Start", "en")
    assert opt_outs.numbers == []
    opt_outs.take(ALICE, "STOP", "en")
    assert opt_outs.allow(ALICE)
    assert not opt_outs.allow(ALICE)
    assert ALICE not in opt_outs


def test_opt_outs_are_remembered() -> None:
    opt_outs = OptOuts(lambda: 1.5)
    opt_outs.take(ALICE, "STOP", "en")
    opt_outs.take(BOB, "STOP", "en")
    opt_outs.settle(BOB)
    restored = OptOuts(lambda: 9.0)
    restored.load(opt_outs.dump())
    assert restored.dump() == {"since": {ALICE: 1.5, BOB: 1.5}, "settled": [BOB]}
    assert ALICE in restored
    assert restored.unsettled == [ALICE]


def test_who_changes_their_mind_twice_is_asked_about_again() -> None:
    opt_outs = OptOuts(lambda: 1.5)
    opt_outs.take(ALICE, "STOP", "en")
    opt_outs.settle(ALICE)
    opt_outs.take(ALICE, "START", "en")
    opt_outs.take(ALICE, "STOP", "en")
    assert opt_outs.unsettled == [ALICE]


def test_oldest_opt_outs_are_dropped() -> None:
    opt_outs = OptOuts(lambda: 1.0)
    for number in range(MAX_OPT_OUTS + 1):
        opt_outs.take(str(number), "STOP", "en")
    assert len(opt_outs.numbers) == MAX_OPT_OUTS
    assert "0" not in opt_outs
    assert "1" in opt_outs


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {ALICE: 1.5},
        {"since": [], "settled": []},
        {"since": {ALICE: 1.5}, "settled": [BOB]},
        {"since": {ALICE: 1.5}, "settled": {}},
        *(
            {"since": {ALICE: since}, "settled": []}
            for since in ("1", 1, float("nan"), -1.0)
        ),
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    opt_outs = OptOuts(lambda: 1.0)
    opt_outs.take(BOB, "STOP", "en")
    with pytest.raises(ValueError, match="Opt-outs"):
        opt_outs.load(value)
    assert opt_outs.numbers == [BOB]
