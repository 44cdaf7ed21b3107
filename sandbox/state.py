"""What both of Zoho's hosts and the control API share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Literal

from .faults import Fault, FaultKind, FaultQueue
from .models import Account, Limits, SendRequest, Sms, TokenRequest
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
        self.requests: list[SendRequest] = []
        self.token_requests: list[TokenRequest] = []
        self.revoked: list[str] = []
        self.several_as: SeveralAs = "list"
        self.error_status = 200
        self.answer_seconds = 0.0
        self.tokens = TokenStore(self.limits)
        self.faults = FaultQueue()
        self._log = log

    def log(self, line: str) -> None:
        """Tell whoever watches what was received."""
        if self._log is not None:
            self._log(line)

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
        self.sent.clear()
        self.requests.clear()
        self.token_requests.clear()
        self.clear_faults()

    def issue_token(self, scopes: Iterable[str] | None = None) -> dict[str, Any]:
        """Return a token reply without the browser dance; it is not throttled."""
        return self.tokens.issue(self.account, scopes)

    def expire_access_tokens(self) -> None:
        """Let every access token be answered with 401 from now on."""
        self.tokens.expire_access_tokens()

    def revoke_refresh_tokens(self) -> None:
        """End all access, as if the user had revoked it at Zoho."""
        self.tokens.revoke_all()
