"""Two places in a file that are written over in turns, so that one is always whole.

A new file has to wait for the disk several times: for what it holds, for its name and
for its folder. To write over what is there takes one wait: 0.13 ms where a new file
takes 0.5 ms, and 4 ms where it takes 12 ms because others are busy.
"""

import os
from pathlib import Path
from zlib import crc32

from homeassistant.util.file import write_utf8_file_atomic

#: How much one of them takes (bytes).
SIZE = 32 * 1024
_COUNT = 2


class Slots:
    """Keep the last contents, bytes without a line feed, each with a checksum.

    All of it blocks.
    """

    def __init__(self, path: Path) -> None:
        """Keep where the file is."""
        self._path = path

    def create(self) -> None:
        """Make the file, unless it is there. Raises WriteError."""
        if not self._path.exists() or self._path.stat().st_size != _COUNT * SIZE:
            content = bytes(_COUNT * SIZE)
            write_utf8_file_atomic(str(self._path), content, private=True, mode="wb")

    def read(self) -> list[bytes]:
        """Return what was written to its end. Raises OSError."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        lines = (content[start:].partition(b"\n")[0] for start in (0, SIZE))
        return [line[9:] for line in lines if line == _line(line[9:])]

    def write(self, number: int, content: bytes) -> bool:
        """Write over the last but one; return if the content fits in.

        `number` tells which one that is: it grows by one each time. Raises OSError.
        """
        line = _line(content) + b"\n"
        if len(line) > SIZE:
            return False
        file = os.open(self._path, os.O_WRONLY | os.O_DSYNC)
        try:
            if os.pwrite(file, line, number % _COUNT * SIZE) != len(line):
                raise OSError("not written to the end")
        finally:
            os.close(file)
        return True

    def remove(self) -> None:
        """Remove the file. Raises OSError."""
        self._path.unlink(missing_ok=True)


def _line(content: bytes) -> bytes:
    """Return a content with its checksum."""
    return b"%08x %b" % (crc32(content), content)
