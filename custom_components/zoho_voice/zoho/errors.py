"""What can go wrong at Zoho: one exception per way of failing that matters."""


class ZohoError(Exception):
    """Say that Zoho did not do what was asked, without having accepted anything.

    `code` and `message` are Zoho's own words, empty where it gave none. They stay
    out of `str()`, which may end up in a log.
    """

    def __init__(self, code: str = "", message: str = "") -> None:
        """Keep Zoho's own words."""
        super().__init__(code)
        self.code = code
        self.message = message


class CannotConnectError(ZohoError):
    """Say that no connection was had, so that nothing can have been accepted.

    `url` is on the server that is out of reach, empty if it is not the network's fault.
    """

    def __init__(self, code: str = "", message: str = "", url: str = "") -> None:
        """Keep which server it is about."""
        super().__init__(code, message)
        self.url = url


class ThrottledError(ZohoError):
    """Say that Zoho asks to wait.

    `retry_after` is in seconds, None where Zoho did not say.
    """

    def __init__(
        self, code: str = "", message: str = "", retry_after: float | None = None
    ) -> None:
        """Keep how long Zoho asks to wait."""
        super().__init__(code, message)
        self.retry_after = retry_after


class AccountsServerError(ZohoError):
    """Say that the accounts server failed, so that no token was had."""


class RejectedError(ZohoError):
    """Say that Zoho understood and refused."""


class SignInError(ZohoError):
    """Say that the person has to sign in again: a token or code is dead."""


class MissingScopeError(SignInError):
    """Say that the sign-in does not cover what was asked."""


class UnknownClientError(SignInError):
    """Say that this accounts server does not know the OAuth client."""


class WrongClientSecretError(SignInError):
    """Say that the secret does not belong to the OAuth client."""


class WrongRedirectUriError(SignInError):
    """Say that the redirect URI is not registered for the OAuth client."""


class OutcomeUnknownError(ZohoError):
    """Say that nobody knows whether the message was accepted.

    It must never be sent again by itself (zoho-voice-api.md section 1). Where only
    something was asked for, it says no more than that there is no answer.
    """


class TimedOutError(OutcomeUnknownError):
    """Say that the request was on its way but no answer came in time."""


class ConnectionLostError(OutcomeUnknownError):
    """Say that the connection broke before the answer was there."""


class ServerFailedError(OutcomeUnknownError):
    """Say that the server failed (5xx); `code` is the HTTP status."""


class UnreadableReplyError(OutcomeUnknownError):
    """Say that Zoho answered with success, but with nothing that can be read."""
