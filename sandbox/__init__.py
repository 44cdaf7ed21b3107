"""Zoho on localhost: accounts server, consent page, SMS API, faults on demand."""

from .faults import Fault, FaultKind
from .models import Account, Limits, SendRequest, Sms, TokenRequest
from .server import Sandbox

__all__ = [
    "Account",
    "Fault",
    "FaultKind",
    "Limits",
    "Sandbox",
    "SendRequest",
    "Sms",
    "TokenRequest",
]
