"""What became of the requests of an account since Home Assistant started."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
import re

from ..errors import error_key
from ..zoho.errors import ZohoError
from .outbox import Outcome

#: How many failures are remembered.
MAX_FAILURES = 10
#: How a request ended that Zoho accepted.
ACCEPTED = "accepted"
#: How one may end for a sender ID that is not approved, among other causes.
BAD_REQUEST = "bad_request"

# The shape of what Zoho calls its errors. Anything else might be private.
_CODE = re.compile(r"[A-Za-z_]{1,40}(?:[ -]?[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Failure:
    """Hold when a request failed (UTC epoch seconds), how, and Zoho's code if any.

    `kind` is a key of the exceptions in en.json.
    """

    time: float
    kind: str
    code: str | None


class Outcomes:
    """Count the requests by how they ended, and remember the last ones that failed.

    It keeps neither texts nor recipients. `clock` returns UTC epoch seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: How many requests were accepted, or failed in which way.
        self.requests: Counter[str] = Counter()
        #: How many messages were kept to be sent later.
        self.kept = 0
        #: The last failures, the latest one at the end.
        self.failures: deque[Failure] = deque(maxlen=MAX_FAILURES)
        #: When Zoho accepted a request last (UTC epoch seconds).
        self.last_success: float | None = None
        #: The sender IDs of which Zoho refused a request, and accepted none since.
        self.refused_senders: frozenset[str] = frozenset()

    def record(self, outcome: Outcome, sender_id: str | None = None) -> None:
        """Take note of how a request ended, or why none could be made.

        `sender_id` is None if it is not to be remembered as refused.
        """
        if not isinstance(outcome, ZohoError):
            self.requests[ACCEPTED] += 1
            self.last_success = self._clock()
            self.forget_refusal(sender_id)
            return
        kind = error_key(outcome)
        code = outcome.code if _CODE.fullmatch(outcome.code) else None
        self.requests[kind] += 1
        self.failures.append(Failure(self._clock(), kind, code))
        if kind == BAD_REQUEST and sender_id is not None:
            self.refused_senders |= {sender_id}

    def forget_refusal(self, sender_id: str | None) -> None:
        """Take it that a sender ID is accepted."""
        self.refused_senders -= {sender_id}
