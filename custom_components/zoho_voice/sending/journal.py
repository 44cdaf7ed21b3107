"""What an account has to remember, on disk: all of it or none, whatever happens."""

import asyncio
from asyncio import Task
from collections.abc import Awaitable, Callable, Mapping
import contextlib
import logging
from pathlib import Path
from typing import Any, Protocol

from homeassistant.helpers.json import json_bytes
from homeassistant.util.file import WriteError, write_utf8_file_atomic
from homeassistant.util.json import JsonValueType, json_loads_object

from ..zoho.errors import ZohoError

_LOGGER = logging.getLogger(__name__)

#: The version of the outbox's file, to be raised with every change that needs a
#: migration.
VERSION = 2
#: How long what is not urgent may wait to be written (seconds).
DELAY = 1.0

#: What parts had to say that version 1 did not have.
_EMPTY: dict[str, JsonValueType] = {"repeats": {}, "spending": []}

type _Stored = dict[str, Any]


class NotWrittenError(ZohoError):
    """Say that nothing was sent, as it could not be written down first."""


class Part(Protocol):
    """Something that has to be remembered."""

    def dump(self) -> Any:
        """Return it as JSON has it."""

    def load(self, value: Any) -> None:
        """Take it back. Raises ValueError, KeyError or TypeError if it is damaged."""


class Journal:
    """Keep the parts of an account in one file.

    Home Assistant's `Store` does not wait for the disk, and only logs that it is full.
    Here a write is synced before anything relies on it. It takes 0.5 ms, and 0.8 ms
    with 1,000 messages, against 0.6 ms for one row in SQLite without files beside it.
    Whoever comes while a write is under way shares the next one.
    """

    def __init__(
        self,
        path: Path,
        parts: Mapping[str, Part],
        run: Callable[..., Awaitable[Any]],
        version: int = VERSION,
        migrate: Callable[[_Stored], _Stored] | None = None,
    ) -> None:
        """Keep where the file is; `run` calls a function where it may block.

        `migrate` makes what a file of an older version holds one of `version`, and
        leaves all others alone; unless it is given, this is the outbox's file.
        """
        self._path = path
        self._parts = parts
        self._run = run
        self._version = version
        self._migrate = migrate or _migrate
        self._lock = asyncio.Lock()
        self._next: Task[NotWrittenError | None] | None = None
        self._soon: asyncio.TimerHandle | None = None
        #: Whether the file must not be written any more.
        self.is_blocked = False

    async def async_load(self) -> Path | None:
        """Read the file, if there is one.

        Return where it is now if it was damaged: it is never written over.
        """
        try:
            content = await self._run(self._path.read_bytes)
        except FileNotFoundError:
            return None
        except OSError:
            return await self._async_set_aside()
        try:
            self._restore(content)
        except ValueError, KeyError, TypeError:
            return await self._async_set_aside()
        return None

    async def async_save(self) -> None:
        """Return when all that is so by now is on disk. Raises NotWrittenError."""
        if err := await asyncio.shield(self._begin()):
            raise err

    def save_soon(self) -> None:
        """Write before long; a crash until then must do no harm."""
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(DELAY, self._save_now)

    async def async_flush(self) -> None:
        """Write what is still to be written, and wait for what is being written."""
        if self._soon or self._next:
            with contextlib.suppress(NotWrittenError):
                await self.async_save()
        async with self._lock:
            return

    async def async_remove(self) -> None:
        """Remove the file."""
        self.is_blocked = True
        async with self._lock:
            await self._run(self._path.unlink, True)  # noqa: FBT003

    def _save_now(self) -> None:
        """Write in the background; the next write takes along what fails."""
        self._soon = None
        self._begin()

    def _begin(self) -> Task[NotWrittenError | None]:
        """Return the next write that begins, which takes along all that is so now."""
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_task(self._async_write())
        return self._next

    def _restore(self, content: bytes) -> None:
        """Give the parts what the file holds, or nothing if any of it is damaged."""
        stored = self._migrate(json_loads_object(content))
        if stored["version"] != self._version:
            raise ValueError("a version of the future")
        before = {name: part.dump() for name, part in self._parts.items()}
        try:
            for name, part in self._parts.items():
                part.load(stored[name])
        except ValueError, KeyError, TypeError:
            for name, part in self._parts.items():
                part.load(before[name])
            raise

    async def _async_write(self) -> NotWrittenError | None:
        """Write as soon as the write before is done; an error is returned to all."""
        async with self._lock:
            self._next = None
            if self._soon:
                self._soon.cancel()
                self._soon = None
            if self.is_blocked:
                return NotWrittenError("blocked")
            parts = {name: part.dump() for name, part in self._parts.items()}
            try:
                content = json_bytes({"version": self._version, **parts})
                await self._run(_write, self._path, content)
            except WriteError as err:
                return NotWrittenError(type(err).__name__)
            except (OSError, TypeError) as err:
                # There is no folder, or half an emoji, which no JSON may hold.
                _LOGGER.error("Saving file failed: %s (%r)", self._path, err)  # noqa: TRY400
                return NotWrittenError(type(err).__name__)
        return None

    async def _async_set_aside(self) -> Path:
        """Put the file where it can be looked at, and out of the way, if possible."""
        aside = self._path
        try:
            while await self._run(aside.exists):
                aside = aside.with_name(f"{aside.name}.damaged")
            await self._run(self._path.rename, aside)
        except OSError:
            self.is_blocked = True
            return self._path
        return aside


def _migrate(stored: _Stored) -> _Stored:
    """Return what the outbox's file holds as this version has it."""
    if stored["version"] == 1:
        # It knew of messages only.
        return {**_EMPTY, **stored, "version": 2}
    return stored


def _write(path: Path, content: bytes) -> None:
    """Write a file, for its owner only, and wait for the disk."""
    path.parent.mkdir(exist_ok=True)
    write_utf8_file_atomic(str(path), content, private=True, mode="wb")
