"""A limit of calls a minute, as neighbouring Voice calls have it."""

from collections import defaultdict, deque
import time

_MINUTE = 60


class CallLimit:
    """Counts calls, and locks out whoever makes too many."""

    def __init__(self) -> None:
        """Start with no calls made."""
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._locked_until: dict[tuple[str, str], float] = {}

    def allows(
        self, call: str, zuid: str, calls_a_minute: int, lock_seconds: float
    ) -> bool:
        """Count a call of an account; False if it is one too many, or while locked."""
        key, now = (call, zuid), time.time()
        if now < self._locked_until.get(key, 0):
            return False
        calls = self._calls[key]
        while calls and calls[0] <= now - _MINUTE:
            calls.popleft()
        if len(calls) >= calls_a_minute:
            self._locked_until[key] = now + lock_seconds
            calls.clear()
            return False
        calls.append(now)
        return True

    def clear(self) -> None:
        """Forget the calls, and lock nobody out."""
        self._calls.clear()
        self._locked_until.clear()
