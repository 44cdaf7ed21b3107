"""Whose turn it is to write to a number."""

import asyncio
from asyncio import Future
from collections.abc import Iterable

#: The ends of those who stand in line for each number, the first one's first.
type Lines = dict[str, list[Future[None]]]


class Turn:
    """Hold a place in the lines of some numbers, up to its end.

    Who waits for its turn must not hold a slot: those who have theirs need one.
    """

    def __init__(self, lines: Lines, numbers: Iterable[str]) -> None:
        """Stand at the end of each line."""
        self._lines = lines
        self._numbers = [*numbers]
        self._end = asyncio.get_running_loop().create_future()
        for number in self._numbers:
            lines.setdefault(number, []).append(self._end)

    async def async_wait(self) -> None:
        """Wait until nothing else to the numbers is under way."""
        while before := {
            line[line.index(self._end) - 1]
            for line in map(self._lines.__getitem__, self._numbers)
            if line[0] is not self._end
        }:
            await asyncio.wait(before)

    def end(self) -> None:
        """Let the next ones go on."""
        self._end.set_result(None)
        for number in self._numbers:
            self._lines[number].remove(self._end)
            if not self._lines[number]:
                del self._lines[number]
