"""What is noted of messages before they are sent, so that no limit is passed."""

from collections.abc import Iterable

from ..zoho.errors import OutcomeUnknownError, ZohoError
from ..zoho.models import Receipt, Sms
from .brakes import Repeats
from .segments import estimate_segments
from .spending import Booking, SpendingGuard, SpendingGuardError


class Permit:
    """Count the messages of one request, from when their call is let through.

    `hold` keeps their place until the request begins: no other call can take it
    meanwhile. `book` counts them as sent at that moment, which has to be on disk before
    the request is made. `settle` corrects that by what Zoho said. What waits in the
    outbox is released: it counts there.
    """

    def __init__(
        self,
        guard: SpendingGuard,
        repeats: Repeats,
        sms: Sms,
        numbers: Iterable[str],
    ) -> None:
        """Note nothing yet."""
        self._guard = guard
        self._repeats = repeats
        self._sms = sms
        self._numbers = dict.fromkeys(numbers)
        self._each = estimate_segments(sms.message, sms.data_coding)
        self._booking: Booking | None = None

    @property
    def segments(self) -> int:
        """Return how many segments the messages take, as estimated."""
        return self._each * len(self._numbers)

    def hold(self) -> None:
        """Count the messages of a call that has been let through."""
        self._booking = self._guard.spend(self.segments)
        for number in self._numbers:
            self._repeats.remember(number, self._sms)

    def book(self) -> None:
        """Count the messages as sent now. Raises SpendingGuardError; then none is."""
        if self._booking:
            self._booking.refund()
        opens_at = self._guard.opens_at(self.segments)
        if opens_at is not None:
            err = SpendingGuardError(self.segments, opens_at)
            self.release([*self._numbers])
            raise err
        self.hold()

    def release(self, numbers: Iterable[str]) -> None:
        """Count some messages no more: they do not go with this request."""
        for number in numbers:
            if number in self._numbers:
                del self._numbers[number]
                self._repeats.forget(number, self._sms)
        self._correct(self.segments)

    def settle(self, outcome: list[Receipt] | ZohoError) -> None:
        """Count what Zoho counted, or nothing if it certainly accepted nothing."""
        if isinstance(outcome, ZohoError):
            if not isinstance(outcome, OutcomeUnknownError):
                self.release([*self._numbers])
            return
        for receipt in outcome:
            self._repeats.confirm(receipt.number, self._sms)
        self._correct(sum(map(self._segments_of, outcome)))

    def _correct(self, segments: int) -> None:
        """Count so many segments in place of those that are booked, if any are."""
        if self._booking:
            self._booking.correct(segments)

    def _segments_of(self, receipt: Receipt) -> int:
        """Return how many segments Zoho counted, or as many as were estimated."""
        segments = receipt.segments
        return segments if segments is not None and segments > 0 else self._each
