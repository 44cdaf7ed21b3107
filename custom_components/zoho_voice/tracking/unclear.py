"""Messages of which nobody knows if they were sent, cleared up by the message log."""

from collections.abc import Callable, Iterable
from typing import Any

from ..sending.outbox import Message, Outbox, State
from ..zoho.message_log import LogRow
from ..zoho.receipts import fits

#: How long such a message is looked for (seconds): as long as any other.
MAX_AGE = 24 * 60 * 60.0
#: How far Zoho's clock may be behind (seconds).
SLACK = 2 * 60.0


class Unclear:
    """Find in the message log what was sent after all.

    A row is about a message if its number and text are the same, it is not older, and
    nothing else is known of it. So the ids that Zoho gave to other messages are
    remembered as long as one of them may be mistaken for a message that ends unclearly.
    `clock` tells the time (seconds since the epoch).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with nothing known."""
        #: Where the messages are.
        self.outbox: Outbox
        self._clock = clock
        # By log id, when Zoho gave it.
        self._accepted: dict[str, float] = {}

    @property
    def messages(self) -> list[Message]:
        """Return the messages that the log may tell of, the oldest first."""
        now = self._clock()
        return [
            message
            for message in self.outbox.reports
            if message.state is State.UNCLEAR and now - message.created_at < MAX_AGE
        ]

    @property
    def since(self) -> list[float]:
        """Return from when on the log may have them (seconds since the epoch)."""
        return [message.created_at - SLACK for message in self.messages]

    def accept(self, log_ids: Iterable[str | None]) -> None:
        """Take note of the ids that Zoho gave to what it accepted just now."""
        now = self._clock()
        self._accepted.update((log_id, now) for log_id in log_ids if log_id)

    def find(
        self, rows: Iterable[LogRow], knows: Callable[[str], bool]
    ) -> list[tuple[Message, LogRow]]:
        """Return the messages that outgoing rows are about, each with its row.

        Rows that may be about several numbers tell nothing. `knows` returns if a log
        id is that of another message.
        """
        by_text: dict[str, list[Message]] = {}
        for message in self.messages:
            by_text.setdefault(message.sms.message.strip(), []).append(message)
        found: dict[tuple[str, str], tuple[Message, LogRow]] = {}
        for row in rows:
            candidates = by_text.get(row.message.strip())
            if (
                not candidates
                or row.submitted_at is None
                or (row.log_id, row.number) in found
                or row.log_id in self._accepted
                or knows(row.log_id)
            ):
                continue
            latest = row.submitted_at.timestamp() + SLACK
            fitting = [
                message
                for message in candidates
                if message.created_at <= latest and fits(row.number, message.number)
            ]
            if len({message.number for message in fitting}) == 1:
                candidates.remove(fitting[0])
                found[row.log_id, row.number] = fitting[0], row
        return [*found.values()]

    def dump(self) -> dict[str, float]:
        """Return what the file holds: what is not of use any more is forgotten."""
        # What waits may still end unclearly, and so may what is about to be sent.
        begun = [m.created_at for m in (*self.outbox.waiting, *self.messages)]
        since = min([self._clock() - SLACK, *begun]) - SLACK
        self._accepted = {k: at for k, at in self._accepted.items() if at >= since}
        return {**self._accepted}

    def load(self, value: Any) -> None:
        """Take back what the file holds. Raises ValueError, TypeError or KeyError."""
        if not isinstance(value, dict):
            raise TypeError(value)
        self._accepted = {log_id: float(at) for log_id, at in value.items()}
