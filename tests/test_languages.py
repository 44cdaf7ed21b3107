"""The translations: they say all that the English texts say, and name the same."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest

from .conftest import INTEGRATION, TRANSLATIONS, placeholders_in

ENGLISH_FILE = INTEGRATION / "translations" / "en.json"
FILES = sorted(path for path in ENGLISH_FILE.parent.iterdir() if path != ENGLISH_FILE)

# What must not be translated: what stands in backticks, links, and words of code.
_CODE = re.compile(
    r"`[^`]*`|https?://\S+|\b[A-Z]+_[A-Z_]+\b|\bstatus_callback\b", re.ASCII
)
#: How much longer than the English one a label of a form may be.
LONGEST_LABEL = 70
#: How much of the title of a repair's dialog fits on a phone, which cuts off the rest.
LONGEST_TITLE = 31


def texts_of(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Return all texts, each with where it stands."""
    if isinstance(value, str):
        yield "/".join(path), value
        return
    for key, child in value.items():
        yield from texts_of(child, (*path, key))


ENGLISH = dict(texts_of(TRANSLATIONS))


def test_there_are_translations() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_translation_says_the_same(path: Path) -> None:
    translated = dict(texts_of(json.loads(path.read_text())))
    assert translated.keys() == ENGLISH.keys()
    for where, text in translated.items():
        english = ENGLISH[where]
        assert text.strip(), where
        assert placeholders_in(text) == placeholders_in(english), where
        assert sorted(_CODE.findall(text)) == sorted(_CODE.findall(english)), where
        assert text.count("**") == english.count("**"), where
        assert text.count("\n\n") == english.count("\n\n"), where
        if "/data/" in where:
            assert len(text) <= LONGEST_LABEL, where


@pytest.mark.parametrize("path", [*FILES, ENGLISH_FILE], ids=lambda path: path.stem)
def test_title_of_a_repair_fits_on_a_phone(path: Path) -> None:
    texts = dict(texts_of(json.loads(path.read_text())))
    titles = {
        text for where, text in texts.items() if re.search("/fix_flow/.*/title$", where)
    }
    assert titles
    assert {title for title in titles if len(title) > LONGEST_TITLE} == set()
    # A name may be longer than all that.
    assert not any(placeholders_in(title) for title in titles)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_translation_is_one(path: Path) -> None:
    translated = dict(texts_of(json.loads(path.read_text())))
    long = {where for where, text in ENGLISH.items() if len(text.split()) > 3}
    same = {where for where in long if translated[where] == ENGLISH[where]}
    assert same == set()
