"""What is written over in turns is whole, whenever the power goes."""

from pathlib import Path

import pytest

from custom_components.zoho_voice.sending.slots import SIZE, Slots


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recent"


@pytest.fixture
def slots(path: Path) -> Slots:
    slots = Slots(path)
    slots.create()
    return slots


def test_new_slots_hold_nothing_and_are_for_nobody_else(
    slots: Slots, path: Path
) -> None:
    assert slots.read() == []
    assert path.stat().st_mode & 0o077 == 0


def test_last_two_contents_are_there(slots: Slots) -> None:
    for number, content in enumerate((b"a longer one", b"b", b"c")):
        assert slots.write(number, content)
    assert sorted(slots.read()) == [b"b", b"c"]
    slots.create()  # leaves alone what is there
    assert sorted(slots.read()) == [b"b", b"c"]


def test_content_before_is_whole_however_far_the_next_one_gets(
    slots: Slots, path: Path
) -> None:
    slots.write(0, b"zero")
    slots.write(1, b"one, which is whole")
    before = path.read_bytes()
    slots.write(2, b"two, which is written")
    after = path.read_bytes()
    for end in range(60):
        path.write_bytes(after[:end] + before[end:])
        assert b"one, which is whole" in slots.read()
        assert set(slots.read()) <= {
            b"zero",
            b"one, which is whole",
            b"two, which is written",
        }


def test_content_that_does_not_fit_in_changes_nothing(slots: Slots) -> None:
    slots.write(0, b"it")
    assert slots.write(1, b"x" * (SIZE - 10))
    assert not slots.write(2, b"x" * (SIZE - 9))
    assert slots.read() == [b"it", b"x" * (SIZE - 10)]


def test_file_of_another_length_is_made_anew(slots: Slots, path: Path) -> None:
    path.write_bytes(b"short")
    assert slots.read() == []
    slots.create()
    assert path.stat().st_size == 2 * SIZE


def test_file_that_is_gone_holds_nothing_and_takes_nothing(
    slots: Slots, path: Path
) -> None:
    slots.remove()
    slots.remove()
    assert slots.read() == []
    with pytest.raises(FileNotFoundError):
        slots.write(0, b"it")
    assert not path.exists()
