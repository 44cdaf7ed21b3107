"""The message log: every SMS to one number or from one, and what became of it."""

from collections.abc import Iterator

from .models import LoggedSms


class MessageLog:
    """The rows of the log, in the order in which they got into it."""

    def __init__(self) -> None:
        """Start without any."""
        self._rows: list[LoggedSms] = []
        self._by_id: dict[str, list[LoggedSms]] = {}

    def __iter__(self) -> Iterator[LoggedSms]:
        return iter(self._rows)

    def __reversed__(self) -> Iterator[LoggedSms]:
        return reversed(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> LoggedSms:
        return self._rows[index]

    def add(self, sms: LoggedSms) -> None:
        """Add a row."""
        self._rows.append(sms)
        self._by_id.setdefault(sms.log_id, []).append(sms)

    def find(self, log_id: str, number: str | None = None) -> list[LoggedSms]:
        """Return the rows of a log ID, or that of one of its numbers.

        Raises LookupError if there is none.
        """
        rows = self._by_id.get(log_id, [])
        if number is not None:
            digits = number.removeprefix("+")
            rows = [row for row in rows if row.number.removeprefix("+") == digits]
        if not rows:
            raise LookupError(f"no SMS in the log with the ID {log_id!r}")
        return list(rows)

    def clear(self) -> None:
        """Forget all rows."""
        self._rows.clear()
        self._by_id.clear()
