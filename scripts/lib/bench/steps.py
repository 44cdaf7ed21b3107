"""What the integration itself does for one SMS, step by step."""

from collections.abc import Callable
import json
import time
from timeit import repeat
from typing import Any, cast

from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers.json import json_dumps

from custom_components.zoho_voice.account import Account, Recipient
from custom_components.zoho_voice.sending.dispatch import Sending
from custom_components.zoho_voice.services import SEND_SMS_SCHEMA
from custom_components.zoho_voice.zoho.client import ZohoVoiceClient, _read_receipts
from custom_components.zoho_voice.zoho.models import DataCoding, Sms
from custom_components.zoho_voice.zoho.reply import Reply, parse_object

from .bench import Bench
from .contestants import BARE
from .result import Result, Table
from .rounds import Spread
from .zoho import SENDER_ID, TEXT

#: How often a step is repeated at once, and how often on its own after a POST.
WARM_CALLS = 2000
COLD_CALLS = 300
NUMBER = "+14805550001"
REPLY = json.dumps(
    {
        "code": "ZVSMS-2000",
        "send": {
            "multipartCount": 1,
            "country": "us",
            "submittedTime": 1764831248860,
            "customerNumber": "+1 480-555-0001",
            "message": TEXT,
            "userName": "John",
            "customerName": "Jacobs",
            "senderId": "+1 888-555-0100",
            "messageType": "OUTGOING",
            "sentTime": "2022-12-04 12:24",
            "logid": "40319ae8-23c1-4117-b814-a719ec9542ec",
            "email": "john@zylker.com",
            "status": "IN_QUEUE",
        },
        "status": "SUCCESS",
    }
).encode()


async def measure(bench: Bench, entry: ConfigEntry) -> Result:
    """Time each step alone: over and over, and once after each bare POST.

    Between two messages a processor does other things, and finds little of a step in
    its caches when it comes back to it. The sandbox gets the POSTs, too.
    """
    post = bench.contestants(entry)[BARE]
    warm: dict[str, Spread] = {}
    cold: dict[str, Spread] = {}
    for name, step in _steps().items():
        warm[name] = Spread.of(
            [took / WARM_CALLS for took in repeat(step, number=WARM_CALLS, repeat=9)]
        )
        samples = []
        for _ in range(COLD_CALLS):
            await post(NUMBER)
            begin = time.perf_counter()
            step()
            samples.append(time.perf_counter() - begin)
        cold[name] = Spread.of(samples)
    rows = [
        (name, warm[name].text(1_000_000), cold[name].text(1_000_000)) for name in warm
    ]
    sums = [
        f"{sum(spread.median for spread in spreads.values()) * 1_000_000:.1f}"
        for spreads in (warm, cold)
    ]
    await bench.zoho.check([NUMBER] * (COLD_CALLS * len(warm)), COLD_CALLS * len(warm))
    return Result(
        "steps",
        [
            Table(
                "What the integration does for one SMS, each step alone",
                ("step", "repeated, µs", "once after a POST, µs"),
                [*rows, ("all of them", *sums)],
            )
        ],
        raw={"warm": warm, "cold": cold},
    )


def _steps() -> dict[str, Callable[[], Any]]:
    """Return the steps by name."""
    data = {"message": TEXT, "recipients": NUMBER}
    sms = Sms(message=TEXT, data_coding=DataCoding.ENGLISH)
    account = Account(cast(ZohoVoiceClient, None), SENDER_ID)
    recipients = {account: [Recipient((NUMBER,))]}
    reply = Reply(200, parse_object(REPLY))
    return {
        "check the fields": lambda: SEND_SMS_SCHEMA(data),
        "compose the text": lambda: Sms(message=TEXT, data_coding=DataCoding.ENGLISH),
        "split into requests": lambda: Sending(sms, recipients).check(),
        "make the body": lambda: json_dumps(sms.as_json(SENDER_ID, [NUMBER])),
        "read the answer": lambda: parse_object(REPLY),
        "read the receipts": lambda: _read_receipts(reply, [NUMBER]),
    }
