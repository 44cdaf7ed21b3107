"""Breaks of the product that have to be noticed, each made in a copy of it."""

from dataclasses import dataclass
from pathlib import Path
import shutil

from scripts.lib.hass import INTEGRATION

from .plan import PROOF, PROOF_TOLD, Scale


class StaleBreakError(RuntimeError):
    """The product has changed so that a break finds nothing to break."""


@dataclass(frozen=True, slots=True)
class Break:
    """A line of the product that is another one, and the kinds of findings it makes."""

    name: str
    path: str
    old: str
    new: str
    noticed: frozenset[str]
    scale: Scale = PROOF

    def apply(self, directory: Path) -> Path:
        """Return a copy of the integration with the break in it.

        Raises StaleBreakError unless the line is there exactly once.
        """
        copy = directory / INTEGRATION.name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(INTEGRATION, copy, ignore=ignored)
        path = copy / self.path
        text = path.read_text()
        if (count := text.count(self.old)) != 1:
            raise StaleBreakError(f"{self.name}: {count} times in {self.path}")
        path.write_text(text.replace(self.old, self.new))
        return copy


BREAKS = {
    each.name: each
    for each in (
        Break(
            "write-after-send",
            "sending/outbox.py",
            "message.state = State.SUBMITTING\n"
            "        try:\n"
            "            await self.store.async_save",
            "message.state = State.SUBMITTING\n"
            "        try:\n"
            "            self.store.save_soon()  # ",
            frozenset({"sent twice", "sent after all"}),
        ),
        Break(
            "send-again-what-was-under-way",
            "sending/outbox.py",
            "message.state = State.UNCLEAR\n",
            "message.state = State.QUEUED\n",
            # Or it is there twice, which makes its file a damaged one; or it is ended
            # as something that waited.
            frozenset({"sent twice", "lost", "sent after all"}),
        ),
        Break(
            "no-order",
            "sending/outbox.py",
            "for message in messages if self.holds_up(message.number)]",
            "for message in messages if False]",
            frozenset({"out of order"}),
        ),
        Break(
            "accept-before-it-is-written",
            "sending/outbox.py",
            "turn = self.take_turn(message.number for message in messages)\n"
            "        try:\n"
            "            await self.store.async_save",
            "turn = self.take_turn(message.number for message in messages)\n"
            "        try:\n"
            "            self.store.save_soon()  # ",
            frozenset({"lost"}),
        ),
        Break(
            "send-again-what-may-have-been-sent",
            "sending/outbox.py",
            "POSTPONING = (CannotConnectError, ",
            "POSTPONING = (OutcomeUnknownError, CannotConnectError, ",
            frozenset({"sent twice"}),
        ),
        Break(
            "say-that-nothing-was-sent",
            "zoho/client.py",
            "raise ServerFailedError(reply.code",
            "raise RejectedError(reply.code",
            frozenset({"sent after all"}),
        ),
        Break(
            "tell-before-it-is-written",
            "tracking/tracker.py",
            "self._is_writing = True\n        try:\n",
            "self._is_writing = True\n"
            "        self._announce()\n"
            "        await asyncio.sleep(1)\n"
            "        try:\n",
            frozenset({"told twice"}),
            PROOF_TOLD,
        ),
        Break(
            "pass-over-what-came-in-meanwhile",
            "tracking/tracker.py",
            "None if since is None else read_number(since),",
            "None,",
            frozenset({"not told"}),
            PROOF_TOLD,
        ),
        Break(
            "follow-nothing-after-a-start",
            "tracking/tracker.py",
            "self._tracked = tracked\n",
            "self._tracked = {}\n",
            frozenset({"not told"}),
            PROOF_TOLD,
        ),
    )
}
