"""What has to be remembered is on disk, all of it or none."""

import asyncio
from collections.abc import Callable
import json
from pathlib import Path
import time
from typing import Any
from unittest.mock import patch

from homeassistant.util.file import WriteError
import pytest

from custom_components.zoho_voice.sending import journal as journal_module
from custom_components.zoho_voice.sending.brakes import Repeats
from custom_components.zoho_voice.sending.journal import Journal, NotWrittenError
from custom_components.zoho_voice.sending.outbox import Message, Outbox, State
from custom_components.zoho_voice.sending.slots import SIZE, Slots
from custom_components.zoho_voice.sending.spending import Limits, SpendingGuard
from custom_components.zoho_voice.zoho.models import DataCoding, Sms

from ..common import full_disk


class Crash(BaseException):
    """The power fails."""


class Part:
    """Something to remember."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def dump(self) -> Any:
        return self.value

    def load(self, value: Any) -> None:
        if value == "damaged":
            raise ValueError(value)
        self.value = value


async def run(function: Callable[..., Any], *args: Any) -> Any:
    return await asyncio.to_thread(function, *args)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "storage" / "journal"


@pytest.fixture
def part() -> Part:
    return Part(1)


@pytest.fixture
def journal(path: Path, part: Part) -> Journal:
    return Journal(path, {"part": part}, run)


async def read(path: Path) -> Any:
    """Return what a start would find."""
    part = Part()
    assert await Journal(path, {"part": part}, run).async_load() is None
    return part.value


async def test_what_is_saved_is_there_and_for_nobody_else(
    journal: Journal, path: Path
) -> None:
    await journal.async_save()
    assert await read(path) == 1
    assert path.stat().st_mode & 0o077 == 0


async def test_nothing_there_is_nothing_wrong(path: Path) -> None:
    assert await read(path) is None


async def test_saves_at_once_share_a_write_and_each_is_on_disk(
    journal: Journal, part: Part, path: Path
) -> None:
    writes: list[bytes] = []
    write = journal_module._write

    def count(path: Path, content: bytes) -> None:
        writes.append(content)
        write(path, content)

    async def save(value: int) -> None:
        part.value = value
        await journal.async_save()
        assert json.loads(path.read_bytes())["part"] >= value

    with patch.object(journal_module, "_write", count):
        first = asyncio.create_task(save(1))
        while not writes:  # the first one is being written
            await asyncio.sleep(0)
        await asyncio.gather(first, *(save(value) for value in range(2, 50)))
    assert len(writes) == 2


async def test_what_can_not_be_written_is_an_error_for_all_who_wait(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save()
    part.value = 2
    with patch.object(journal_module, "write_utf8_file_atomic", side_effect=WriteError):
        results = await asyncio.gather(
            *(journal.async_save() for _ in range(3)), return_exceptions=True
        )
    assert [type(result) for result in results] == [NotWrittenError] * 3
    assert await read(path) == 1
    await journal.async_save()
    assert await read(path) == 2


async def test_disk_that_takes_no_more_leaves_the_old_file_and_nothing_else(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save()
    before = path.read_bytes()
    part.value = "x" * 10_000
    with full_disk(), pytest.raises(NotWrittenError):
        await journal.async_save()
    assert path.read_bytes() == before
    assert [*path.parent.iterdir()] == [path]
    await journal.async_save()
    assert await read(path) == part.value


async def test_folder_that_can_not_be_made_is_an_error(
    path: Path, part: Part, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.write_text("a file where the folder would be")
    journal = Journal(path, {"part": part}, run)
    for _ in range(2):
        with pytest.raises(NotWrittenError):
            await journal.async_save()
    assert "Could not save " in caplog.text
    path.parent.unlink()
    await journal.async_save()
    assert await read(path) == 1


async def test_what_no_json_may_hold_is_an_error_and_does_no_harm_to_the_next(
    journal: Journal, path: Path, part: Part
) -> None:
    part.value = "half an emoji: \ud83d"
    with pytest.raises(NotWrittenError):
        await journal.async_save()
    assert not path.exists()
    part.value = 2
    await journal.async_save()
    assert await read(path) == 2


async def test_write_that_a_crash_interrupts_leaves_what_was_there_before(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save()
    part.value = 2

    def crash(*_: Any) -> None:
        raise Crash

    # All is written, but not under its name yet, and nobody is left to tidy up.
    with (
        patch("atomicwrites.replace_atomic", crash),
        patch("os.unlink", crash),
        pytest.raises(Crash),
    ):
        journal_module._write(path, b'{"version": 2, "part": 2}')
    assert len([*path.parent.iterdir()]) == 2
    assert await read(path) == 1
    await journal.async_save()
    assert await read(path) == 2


async def test_what_is_not_urgent_is_written_before_long(
    journal: Journal, path: Path
) -> None:
    with patch.object(journal_module, "DELAY", 0.01):
        journal.save_soon()
        journal.save_soon()
    assert not path.exists()
    while not path.exists():
        await asyncio.sleep(0.01)
    await journal.async_flush()
    assert await read(path) == 1


async def test_what_is_not_urgent_is_written_at_the_end(
    journal: Journal, path: Path, part: Part
) -> None:
    journal.save_soon()
    part.value = 2
    await journal.async_flush()
    assert await read(path) == 2


async def test_what_could_not_be_written_is_written_at_the_end(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save()
    part.value = 2
    with (
        patch.object(journal_module, "DELAY", 0),
        patch.object(journal_module, "_write", side_effect=OSError) as write,
    ):
        journal.save_soon()
        while not write.called:
            await asyncio.sleep(0.01)
        await journal.async_flush()
    assert await read(path) == 1
    await journal.async_flush()
    assert await read(path) == 2


async def test_end_waits_for_a_write_that_has_begun(
    journal: Journal, path: Path
) -> None:
    with patch.object(journal_module, "DELAY", 0):
        journal.save_soon()
    begun = asyncio.Event()
    write = journal_module._write
    loop = asyncio.get_running_loop()

    def write_slowly(path: Path, content: bytes) -> None:
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.05)
        write(path, content)

    with patch.object(journal_module, "_write", write_slowly):
        await begun.wait()
        assert not path.exists()
        await journal.async_flush()
    assert await read(path) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"version": 1}',
        b'{"version": 4, "part": 1}',
        b'{"version": 2, "part": 1, "messages": {"id": 1}}',
        b'{"version": 2, "messages": [{"created_at": 1, "expires_at": null}]}',
        b'{"version": 3}',
        b'{"version": 3, "part": "damaged"}',
        b'{"version": "1", "part": 1}',
        b'{"version": 1, "part": "damaged"}',
    ],
)
async def test_damaged_file_is_set_aside_and_never_written_over(
    journal: Journal, path: Path, content: bytes
) -> None:
    path.parent.mkdir()
    for name in ("journal.damaged", "journal.damaged.damaged"):
        path.write_bytes(content)
        aside = await journal.async_load()
        assert aside == path.with_name(name)
        assert aside.read_bytes() == content
        assert not path.exists()
    await journal.async_save()
    assert await read(path) == 1


async def test_file_of_which_a_part_is_damaged_is_not_used_in_part(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"version": 2, "first": 2, "second": "damaged", "third": 2}')
    parts = {name: Part(1) for name in ("first", "second", "third")}
    assert await Journal(path, parts, run).async_load() is not None
    assert [part.value for part in parts.values()] == [1, 1, 1]


async def test_file_that_can_neither_be_read_nor_set_aside_is_left_alone(
    journal: Journal, path: Path
) -> None:
    path.mkdir(parents=True)
    with patch.object(Path, "rename", side_effect=OSError):
        assert await journal.async_load() == path
    assert journal.is_blocked
    with pytest.raises(NotWrittenError):
        await journal.async_save()
    assert path.is_dir()


async def test_what_is_in_a_hurry_is_on_disk_and_in_the_file_before_long(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save_ahead()  # there are no slots yet
    file = path.read_bytes()
    for value in range(2, 6):
        part.value = value
        await journal.async_save_ahead()
        assert path.read_bytes() == file
        assert await read(path) == value
    await journal.async_flush()
    assert json.loads(path.read_bytes())["part"] == 5
    part.value = 6
    await journal.async_save_ahead()
    assert await read(path) == 6
    part.value = 7
    await journal.async_save()
    assert await read(path) == json.loads(path.read_bytes())["part"] == 7


async def test_file_that_was_put_back_stands_for_itself(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save_ahead()
    before = path.read_bytes()
    part.value = 2
    await journal.async_save()
    part.value = 3
    await journal.async_save_ahead()
    assert await read(path) == 3
    path.write_bytes(before)
    assert await read(path) == 1
    path.write_bytes(b'{"version": 3, "part": 4}')
    assert await read(path) == 4
    path.unlink()
    assert await read(path) is None
    await journal.async_flush()


async def test_saves_with_and_without_a_hurry_share_the_file(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save_ahead()
    part.value = 2
    await asyncio.gather(journal.async_save_ahead(), journal.async_save())
    assert json.loads(path.read_bytes())["part"] == 2


async def test_what_is_too_large_for_a_slot_goes_to_the_file(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save_ahead()
    part.value = "x" * SIZE
    await journal.async_save_ahead()
    assert json.loads(path.read_bytes())["part"] == part.value


async def test_slots_that_are_gone_are_made_anew(
    journal: Journal, path: Path, part: Part
) -> None:
    await journal.async_save_ahead()
    slots = path.with_name("journal.recent")
    slots.unlink()
    part.value = 2
    await journal.async_save_ahead()
    assert json.loads(path.read_bytes())["part"] == 2
    assert slots.exists()
    part.value = 3
    await journal.async_save_ahead()
    assert json.loads(path.read_bytes())["part"] == 2
    assert await read(path) == 3
    await journal.async_flush()


async def test_slots_that_can_not_be_made_are_not_needed(
    journal: Journal, path: Path, part: Part
) -> None:
    with patch.object(Slots, "create", side_effect=WriteError):
        for value in (2, 3):
            part.value = value
            await journal.async_save_ahead()
            assert json.loads(path.read_bytes())["part"] == value


async def test_nothing_goes_ahead_of_a_file_that_may_be_another(
    journal: Journal, path: Path, part: Part
) -> None:
    def write_and_fail(path: Path, content: bytes) -> None:
        path.write_bytes(content)
        raise WriteError

    await journal.async_save_ahead()
    part.value = 2
    with (
        patch.object(journal_module, "_write", write_and_fail),
        pytest.raises(NotWrittenError),
    ):
        await journal.async_save()
    part.value = 3
    await journal.async_save_ahead()
    assert await read(path) == json.loads(path.read_bytes())["part"] == 3


async def test_removed_journal_leaves_nothing_and_writes_nothing(
    journal: Journal, path: Path
) -> None:
    await journal.async_save_ahead()
    await journal.async_remove()
    assert [*path.parent.iterdir()] == []
    with pytest.raises(NotWrittenError):
        await journal.async_save()
    await journal.async_remove()


async def test_file_of_another_kind_has_its_own_version_and_migration(
    path: Path, part: Part
) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"version": 7, "old": 3}')

    def migrate(stored: dict[str, Any]) -> dict[str, Any]:
        if stored["version"] == 7:
            return {"version": 8, "part": stored["old"]}
        return stored

    journal = Journal(path, {"part": part}, run, version=8, migrate=migrate)
    assert await journal.async_load() is None
    assert part.value == 3
    await journal.async_save()
    stored = json.loads(path.read_bytes())
    assert (stored["version"], stored["part"]) == (8, 3)
    assert await journal.async_load() is None
    path.write_bytes(b'{"version": 9, "part": 3}')
    assert await journal.async_load() == path.with_name("journal.damaged")


# What an account remembers

START = 1_764_831_248.0
ALICE = "+14805550100"

#: A file as version 1 wrote it.
VERSION_1 = {
    "version": 1,
    "messages": [
        {
            "message_id": "01KBKH2QK80000000000000000",
            "call_id": "01KBKH2QK80000000000000001",
            "number": ALICE,
            "name": "Alice",
            "subentry_id": "01KBKH2QK80000000000000002",
            "sender_id": "+18885550100",
            "message": "Water",
            "data_coding": 0,
            "scheduled_time": None,
            "time_zone": None,
            "status_callback": None,
            "created_at": START,
            "expires_at": START + 3600.0,
            "state": "queued",
            "reason": None,
        },
        {
            "message_id": "01KBKH2QK80000000000000003",
            "call_id": "01KBKH2QK80000000000000004",
            "number": ALICE,
            "name": None,
            "subentry_id": None,
            "sender_id": "ZohoVoice",
            "message": "Größe",
            "data_coding": 2,
            "scheduled_time": "2025-12-05T08:00:00",
            "time_zone": "Europe/Berlin",
            "status_callback": "https://example.com/callback?key=1",
            "created_at": START,
            "expires_at": START + 60.0,
            "state": "unclear",
            "reason": "TimeoutError",
        },
    ],
}
#: A file as version 2 wrote it, which remembered texts in another way.
VERSION_2 = {
    **VERSION_1,
    "version": 2,
    "repeats": {"0" * 64: START},
    "spending": [[START, 3]],
}


class Remembered:
    """All that an account has to remember."""

    def __init__(self, path: Path) -> None:
        self.outbox = Outbox(lambda: START, None, None, lambda _: None)  # type: ignore[arg-type]
        self.guard = SpendingGuard(Limits(per_hour=5), lambda: START)
        self.repeats = Repeats(60, lambda: START)
        self.journal = self.outbox.store = Journal(
            path,
            {
                "messages": self.outbox,
                "repeats": self.repeats,
                "spending": self.guard,
            },
            run,
        )

    def dump(self) -> tuple[Any, ...]:
        return self.outbox.dump(), self.guard.dump(), self.repeats.dump()


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("stored", [VERSION_1, VERSION_2], ids=["1", "2"])
async def test_file_of_an_earlier_version_is_understood(
    path: Path, stored: dict[str, Any]
) -> None:
    write(path, stored)
    remembered = Remembered(path)
    assert await remembered.journal.async_load() is None
    (waiting,), (report,) = remembered.outbox.waiting, remembered.outbox.reports
    assert (waiting.sms.message, waiting.number) == ("Water", ALICE)
    assert (waiting.urgent, waiting.keep_trying) == (False, 3600.0)
    assert (report.state, report.sms.time_zone) == (State.UNCLEAR, "Europe/Berlin")
    assert remembered.guard.spent_last_hour == (0 if stored is VERSION_1 else 3)
    assert remembered.repeats.dump() == {}
    await remembered.journal.async_save()
    assert json.loads(path.read_bytes())["version"] == journal_module.VERSION
    again = Remembered(path)
    assert await again.journal.async_load() is None
    assert again.dump() == remembered.dump()


async def test_all_that_is_remembered_is_there_again(path: Path) -> None:
    remembered = Remembered(path)
    sms = Sms(message="Water", data_coding=DataCoding.ENGLISH)
    message = Message(
        message_id="a",
        call_id="b",
        number=ALICE,
        name=None,
        subentry_id=None,
        sender_id="ZohoVoice",
        sms=sms,
        created_at=START,
        expires_at=START + 60,
        urgent=True,
        keep_trying=60.0,
    )
    remembered.guard.spend(2)
    remembered.repeats.remember(ALICE, sms)
    await remembered.outbox.async_queue([message])
    again = Remembered(path)
    assert await again.journal.async_load() is None
    assert again.outbox.waiting == [message]
    assert again.guard.left() == 3
    assert again.repeats.find(ALICE, sms) is False


@pytest.mark.parametrize(
    "damage",
    [
        {"messages": [{}]},
        {"messages": [{**VERSION_1["messages"][0], "urgent": 0, "keep_trying": 1.0}]},
        {"messages": [{**VERSION_1["messages"][0], "urgent": False}]},
        {"messages": [{"urgent": False, "keep_trying": 1.0}]},
        {"repeats": []},
        {"repeats": {"0" * 64: START}},
        {"spending": [[START, 0]]},
        {"spending": None},
    ],
    ids=str,
)
async def test_file_with_one_damaged_part_is_set_aside_whole(
    path: Path, damage: dict[str, Any]
) -> None:
    remembered = Remembered(path)
    remembered.guard.spend(1)
    remembered.repeats.remember(
        ALICE, Sms(message="Water", data_coding=DataCoding.ENGLISH)
    )
    await remembered.journal.async_save()
    stored = json.loads(path.read_bytes())
    write(path, {**stored, **damage})
    again = Remembered(path)
    assert await again.journal.async_load() == path.with_name("journal.damaged")
    # What could be read is not half there: nothing of the file is.
    assert again.dump() == ([], [], {})
    assert not path.exists()
