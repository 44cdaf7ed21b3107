"""What both of Zoho's hosts and the control API share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo
from typing import Any, Literal

from .call_limit import CallLimit
from .callbacks import Callback, Callbacks
from .delivery import Delivery
from .faults import Fault, FaultKind, FaultQueue
from .message_log import MessageLog
from .models import (
    Account,
    Limits,
    LoggedSms,
    ReadRequest,
    ScheduledSms,
    SendRequest,
    Sms,
    TokenRequest,
)
from .tokens import TokenStore

DEFAULT_CLIENT_ID = "1000.SANDBOXCLIENT"
DEFAULT_CLIENT_SECRET = "sandbox-secret"
DEFAULT_REDIRECT_URIS = (
    "http://127.0.0.1:8123/auth/external/callback",
    "http://localhost:8123/auth/external/callback",
    "http://homeassistant.local:8123/auth/external/callback",
    "https://my.home-assistant.io/redirect/oauth",
)
DEFAULT_SENDER_IDS = ("+18885550100", "ZohoVoice")

type SeveralAs = Literal["list", "object"]
type StatusCase = Literal["as_is", "upper", "lower", "title"]


class SandboxState(ABC):
    """The settings and the records of a sandbox, without any network."""

    def __init__(
        self,
        redirect_uris: Iterable[str] = DEFAULT_REDIRECT_URIS,
        *,
        client_id: str = DEFAULT_CLIENT_ID,
        client_secret: str = DEFAULT_CLIENT_SECRET,
        account: Account | None = None,
        sender_ids: Iterable[str] = DEFAULT_SENDER_IDS,
        limits: Limits | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Set up a Zoho without any SMS or token."""
        self.accounts_url = ""
        self.voice_url = ""
        self.redirect_uris = set(redirect_uris)
        self.client_id = client_id
        self.client_secret = client_secret
        self.account = account or Account()
        self.sender_ids = set(sender_ids)
        self.limits = limits or Limits()
        self.sent: list[Sms] = []
        self.scheduled: list[ScheduledSms] = []
        self.message_log = MessageLog()
        self.callbacks = Callbacks(self.log)
        self.requests: list[SendRequest] = []
        self.reads: list[ReadRequest] = []
        self.token_requests: list[TokenRequest] = []
        self.revoked: list[str] = []
        self.several_as: SeveralAs = "list"
        self.error_status = 200
        self.answer_seconds = 0.0
        self.accept_callbacks = True
        """Whether a `statusCallback` is taken, or refused with ZVT011."""
        self.zone: tzinfo = UTC
        """The account's own time zone, which Zoho tells nobody."""
        self.oldest_first = False
        self.status_case: StatusCase = "as_is"
        self.log_lag_seconds = 0.0
        """How long an SMS takes to show up in the message log."""
        self.reads_per_minute: int | None = None
        """How often each call that reads is answered, before it is locked."""
        self.auto_deliver_seconds: float | None = None
        """How long an SMS is queued, and sent, before it is delivered by itself."""
        self.undeliverable: set[str] = set()
        """Numbers that SMS do not reach by themselves."""
        self.tokens = TokenStore(self.limits)
        self.faults = FaultQueue()
        self._log = log
        self._call_limit = CallLimit()
        self.delivery = Delivery(self)

    def log(self, line: str) -> None:
        """Tell whoever watches what was received."""
        if self._log is not None:
            self._log(line)

    def in_case(self, status: str) -> str:
        """Return a status as Zoho writes it at the moment."""
        match self.status_case:
            case "upper":
                return status.upper()
            case "lower":
                return status.lower()
            case "title":
                return status.title()
            case _:
                return status

    def may_read(self, call: str, account: Account) -> bool:
        """Count a call that reads; False if it is one too many."""
        return self.reads_per_minute is None or self._call_limit.allows(
            call,
            account.zuid,
            self.reads_per_minute,
            self.limits.read_lock_seconds,
        )

    def add_fault(
        self,
        kind: FaultKind,
        *,
        times: int | None = 1,
        seconds: float | None = None,
        status: int | None = None,
        retry_after: str | int | None = None,
        code: str | None = None,
        message: str | None = None,
    ) -> Fault:
        """Let the next requests of an endpoint fail (times=None: all of them)."""
        fault = Fault(kind, times, seconds, status, retry_after, code, message)
        if fault.kind is FaultKind.REFUSE:
            self.begin_fault(fault)
        else:
            self.faults.add(fault)
        return fault

    @abstractmethod
    def begin_fault(self, fault: Fault) -> None:
        """Begin a fault that does not wait for a request."""

    def clear_faults(self) -> None:
        """Let nothing fail any more."""
        self.faults.clear()

    def reset(self) -> None:
        """Forget what was sent and received, and the faults."""
        self.delivery.cancel()
        self.callbacks.clear()
        self._call_limit.clear()
        self.sent.clear()
        self.scheduled.clear()
        self.message_log.clear()
        self.requests.clear()
        self.reads.clear()
        self.token_requests.clear()
        self.clear_faults()

    async def report(
        self,
        sms: Sms | LoggedSms | str,
        status: str,
        description: str | None = None,
        *,
        number: str | None = None,
        callback: bool = True,
    ) -> list[Callback]:
        """Let an SMS, or a log ID, have a status from now on: "DELIVERED", say.

        A log ID may stand for several numbers: `number` is one of them. If the SMS
        carries a `statusCallback`, its receiver is called before this returns, with
        the tries that it took; `callback=False` leaves that out, as if the callback
        were late or lost. Raises LookupError if the log does not have the SMS.
        """
        return await self.delivery.report(
            sms, status, description, number, callback=callback
        )

    async def call_back(
        self,
        sms: Sms | LoggedSms | str,
        status: str,
        description: str | None = None,
        *,
        number: str | None = None,
    ) -> list[Callback]:
        """Call the receiver of an SMS, late or again or with what is not so.

        The log stays as it is. Raises LookupError if it does not have the SMS, and
        ValueError if the SMS came without a `statusCallback`.
        """
        return await self.delivery.call_back(sms, status, description, number)

    def receive(self, from_number: str, text: str, to: str | None = None) -> LoggedSms:
        """Take an SMS from somebody's phone, to a sender ID of the account.

        Without `to`, it answers the last sender that wrote to the number. Raises
        ValueError if it is from nobody, or to a sender ID that is not the account's.
        """
        return self.delivery.receive(from_number, text, to)

    def send_due(self) -> list[LoggedSms]:
        """Send the scheduled SMS that are due by now, and return them."""
        return self.delivery.send_due()

    def issue_token(self, scopes: Iterable[str] | None = None) -> dict[str, Any]:
        """Return a token reply without the browser dance; it is not throttled."""
        return self.tokens.issue(self.account, scopes)

    def expire_access_tokens(self) -> None:
        """Let every access token be answered with 401 from now on."""
        self.tokens.expire_access_tokens()

    def revoke_refresh_tokens(self) -> None:
        """End all access, as if the user had revoked it at Zoho."""
        self.tokens.revoke_all()
