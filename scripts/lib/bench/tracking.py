"""What Zoho tells: 5,000 rows of the message log, and 500 callbacks in a burst."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from custom_components.zoho_voice.tracking.coordinator import MessageLogCoordinator
from custom_components.zoho_voice.tracking.signals import (
    SIGNAL_DELIVERY,
    SIGNAL_INCOMING,
)
from custom_components.zoho_voice.tracking.tracker import IncomingSms, TrackedSms

from .bench import Bench
from .clock import watched
from .contestants import ACTION, call
from .core import WrongResultError
from .figures import Result, Sample, Target, compare, ms
from .zoho import numbers

#: As many as are tracked at once, and what came in beside them.
SENT, RECEIVED = 2000, 3000
CALLBACKS = 500
LOG = f"{SENT + RECEIVED:,} rows of the message log"
HINTS = f"{CALLBACKS} callbacks, the message log can be read"
REPORTS = f"{CALLBACKS} callbacks, the message log can't be read"
#: The longest that any step may take (milliseconds).
STEP_LIMIT = 50

_DELIVERED = "delivered"


async def measure(bench: Bench) -> Result:
    """Read the log, and be called back with and without it."""
    group: defaultdict[str, list[Sample]] = defaultdict(list)
    for _ in bench.rounds(5, 1):
        async with bench.account(1) as entry:
            group[LOG].append(await _read_log(bench, entry))
        for name in (HINTS, REPORTS):
            async with bench.account(1) as entry:
                coordinator: MessageLogCoordinator = entry.runtime_data.coordinator
                coordinator.can_read = name == HINTS
                group[name].append(await _be_called_back(bench, entry, name))
    result = Result()
    result.tables.append(compare("What Zoho tells", [""], {"": group}))
    for name, samples in group.items():
        step = ms(samples, "step")
        result.targets.append(Target(f"{name}: longest step", step, STEP_LIMIT, "ms"))
    return result


async def _read_log(bench: Bench, entry: ConfigEntry) -> Sample:
    """Let everything be delivered, and many answer, before the log is read."""
    await bench.zoho.change(auto_deliver_seconds=0)
    coordinator: MessageLogCoordinator = entry.runtime_data.coordinator
    # The look after the start would come in between.
    coordinator._debounced_refresh.async_cancel()  # noqa: SLF001
    await _read_all(coordinator)
    to = numbers(SENT)
    for start in range(0, SENT, 1000):
        await call(bench, ACTION, recipients=to[start : start + 1000])
    await bench.settle()
    await bench.zoho.receive(numbers(RECEIVED))
    with _told(bench, entry) as told:
        sample = await watched(_read_all(coordinator))
    if told != {_DELIVERED: SENT, "received": RECEIVED}:
        raise WrongResultError(f"the log told {told}")
    await bench.zoho.change(auto_deliver_seconds=None)
    await bench.zoho.check(to)
    return sample


async def _read_all(coordinator: MessageLogCoordinator) -> None:
    """Look until nothing is left to be read, without the minute between two looks."""
    while True:
        coordinator._calls.clear()  # noqa: SLF001
        await coordinator.async_refresh()
        if not coordinator.last_update_success:
            raise WrongResultError("the log can't be read")
        if not coordinator._reader.is_under_way:  # noqa: SLF001
            return


async def _be_called_back(bench: Bench, entry: ConfigEntry, name: str) -> Sample:
    """Let all that was sent be reported at once, each by a request of its own."""
    to = numbers(CALLBACKS)
    await call(bench, ACTION, recipients=to)
    await bench.settle()
    port = bench.hass.http.server_port
    url = f"http://127.0.0.1:{port}/api/webhook/{entry.data['webhook_id']}"
    reports = [
        {"logid": log_id, "customerNumber": number, "status": "DELIVERED"}
        for number, log_id in await bench.zoho.log_ids()
    ]

    async def report(body: dict[str, str]) -> None:
        async with bench.zoho.session.post(url, json=body) as response:
            response.raise_for_status()

    with _told(bench, entry) as told:
        sample = await watched(*map(report, reports))
        await bench.settle()
    expected = {} if name == HINTS else {_DELIVERED: CALLBACKS}
    if told != expected:
        raise WrongResultError(f"callbacks told {told}, not {expected}")
    await bench.zoho.check(to)
    return sample


@contextmanager
def _told(bench: Bench, entry: ConfigEntry) -> Iterator[Counter[str]]:
    """Count what triggers and entities are told of an account."""
    told = Counter[str]()

    @callback
    def delivery(entry_id: str, sms: TrackedSms) -> None:
        if entry_id == entry.entry_id:
            told[sms.state] += 1

    @callback
    def incoming(entry_id: str, _: IncomingSms) -> None:
        if entry_id == entry.entry_id:
            told["received"] += 1

    stops = [
        async_dispatcher_connect(bench.hass, SIGNAL_DELIVERY, delivery),
        async_dispatcher_connect(bench.hass, SIGNAL_INCOMING, incoming),
    ]
    try:
        yield told
    finally:
        for stop in stops:
            stop()
