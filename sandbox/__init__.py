"""Zoho on localhost: accounts server, consent page, SMS API, faults on demand.

In a test, with a client of the server that is to be called back:

    async with Sandbox() as sandbox:
        sandbox.callbacks.transport = through_test_client(client)
        ...  # something sends an SMS
        await sandbox.report(sandbox.sent[0], "DELIVERED")
        sandbox.receive("+14805550100", "On my way")

`python -m sandbox --help` tells how other processes use it.
"""

from .callbacks import Callback, CallbackStyle, Transport, through_test_client
from .faults import Fault, FaultKind
from .models import (
    Account,
    Direction,
    Limits,
    LoggedSms,
    ReadRequest,
    ScheduledSms,
    SendRequest,
    Sms,
    TokenRequest,
)
from .server import Sandbox

__all__ = [
    "Account",
    "Callback",
    "CallbackStyle",
    "Direction",
    "Fault",
    "FaultKind",
    "Limits",
    "LoggedSms",
    "ReadRequest",
    "Sandbox",
    "ScheduledSms",
    "SendRequest",
    "Sms",
    "TokenRequest",
    "Transport",
    "through_test_client",
]
