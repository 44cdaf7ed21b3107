"""The messages: what is called, what Zoho has to receive, what has to come back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scripts.lib.hass import CommandError

from .set_up import ALICE, NIGHT_SHIFT, SENDER_ID
from .stage import Received, Record, Stage
from .step import Play, Step

TIME_ZONE = "America/New_York"
NUMBERS = [f"+148055501{number}" for number in range(20, 32)]
IMPOSSIBLE = "+1 480 777"
TODAY = datetime.now(ZoneInfo(TIME_ZONE))
TOMORROW = TODAY + timedelta(days=1)

SCRIPTS = """\
water_in_the_cellar:
  alias: Water in the cellar
  icon: mdi:water-alert
  sequence:
    - action: notify.send_message
      target:
        entity_id: [notify.alice, notify.night_shift]
      data:
        title: Leak sensor
        message: "There is water in the cellar since {{ now().strftime('%A') }}."
"""


@dataclass(frozen=True, kw_only=True)
class Send:
    """One action, and what has to come of it."""

    title: str
    action: str
    data: Record = field(default_factory=dict)
    target: Record = field(default_factory=dict)
    response: bool = False
    requests: Sequence[Record] = ()
    error: str | None = None
    fault: str | None = None
    touched: Sequence[str] = ()
    """The entities that note the time of the message."""

    def play(self) -> Play:
        """Return it as a step."""
        return Play(self.title, self.perform)

    async def perform(self, stage: Stage, step: Step) -> None:
        """Perform the action and check what comes of it."""
        step.called = self._shown()
        stage.texts |= _texts(self.data)
        before = await self._states(stage)
        if self.fault is not None:
            await stage.zoho("POST", "faults", {"kind": self.fault})
        try:
            answer = await stage.action(
                self.action, self.data, self.target, response=self.response
            )
        except CommandError as error:
            stage.errors.append(error.message)
            step.got = {"error": error.message, "code": error.code}
            self._check_error(step, error.message)
            answer = None
        else:
            after = await self._states(stage)
            step.got = answer or after or "no error; the action has no response"
            self._check_error(step, None)
            if self.touched:
                step.check(
                    "the entities note when they were written to",
                    held=all(after[each] != before[each] for each in after),
                )
        received = await step.received()
        self._check_received(step, received)
        if self.response and answer:
            _check_rows(step, answer["messages"], received)

    def _shown(self) -> Record:
        shown: Record = {"action": self.action}
        if self.target:
            shown["target"] = self.target
        if self.data:
            shown["data"] = self.data
        if self.fault is not None:
            shown["fault in the sandbox"] = self.fault
        return shown

    async def _states(self, stage: Stage) -> dict[str, str]:
        return {
            entity_id: (await stage.hass.rest("GET", f"/api/states/{entity_id}"))[
                "state"
            ]
            for entity_id in self.touched
        }

    def _check_error(self, step: Step, message: str | None) -> None:
        if self.error is None:
            step.expect("the action did not fail", message, None)
        else:
            step.check(
                f"the action failed and says “{self.error}”",
                held=message is not None and self.error in message,
                otherwise=message or "it did not fail",
            )

    def _check_received(self, step: Step, received: Received) -> None:
        wanted = _comparable(self.requests)
        counted = "1 request" if len(wanted) == 1 else f"{len(wanted)} requests"
        numbers = [number for body in wanted for number in body["customerNumber"]]
        step.expect(
            f"Zoho received {counted}, exactly as expected"
            if wanted
            else "Zoho received nothing",
            _comparable(request["body"] for request in received.requests),
            wanted,
        )
        if numbers:
            step.expect(
                f"{len(numbers)} SMS on their way, one to each number",
                sorted(received.numbers),
                sorted(numbers),
            )


def _comparable(bodies: Iterable[Record]) -> list[Record]:
    """Return requests in an order of their own, and so the numbers in them.

    Requests go out side by side, and entities are written to in any order.
    """
    sets = [
        body | {"customerNumber": sorted(body["customerNumber"].split(","))}
        for body in bodies
    ]
    return sorted(sets, key=str)


def _check_rows(step: Step, rows: Sequence[Record], received: Received) -> None:
    """Check the response of an action against what Zoho noted."""
    log_ids = {sms["number"]: sms["log_id"] for sms in received.sent}
    step.expect(
        "the response has a row for each, with Zoho's log ID",
        {row["recipient"]: row["log_id"] for row in rows},
        log_ids,
    )


def body(
    message: str, numbers: Sequence[str], coding: int = 0, **others: str
) -> dict[str, Any]:
    """Return what Zoho has to receive."""
    return {
        "senderId": SENDER_ID,
        "customerNumber": ",".join(numbers),
        "message": message,
        "dataCoding": coding,
        **others,
    }


def _texts(data: Mapping[str, Any]) -> set[str]:
    """Return the texts and the numbers of a call, which nobody may find in a log."""
    texts = {data[key] for key in ("message", "title") if key in data}
    for key in ("recipients", "target"):
        for value in data.get(key, ()):
            digits = "".join(filter(str.isdigit, value))
            texts |= {digits} if digits else set()
    return texts


SENDS = [
    Send(
        title="To the notify entity of a recipient",
        action="notify.send_message",
        target={"entity_id": "notify.alice"},
        data={"title": "Front door", "message": "It has been open for 10 minutes."},
        requests=[body("Front door\nIt has been open for 10 minutes.", [ALICE])],
        touched=["notify.alice"],
    ),
    Send(
        title="To 12 numbers, with a response",
        action="zoho_voice.send_sms",
        data={"recipients": NUMBERS, "message": "The heating is off. Engineer called."},
        response=True,
        requests=[
            body("The heating is off. Engineer called.", NUMBERS[:10]),
            body("The heating is off. Engineer called.", NUMBERS[10:]),
        ],
    ),
    Send(
        title="With the classic notify action, to a recipient's name and a number",
        action="notify.zoho_voice",
        data={
            "target": ["Night shift", "480 555 0140"],
            "message": "The gate is locked for the night.",
        },
        requests=[
            body("The gate is locked for the night.", [*NIGHT_SHIFT, "+14805550140"])
        ],
        touched=["notify.night_shift"],
    ),
    Send(
        title="Scheduled for tomorrow morning",
        action="zoho_voice.send_sms",
        target={"entity_id": "notify.night_shift"},
        data={
            "message": "Bins go out today.",
            "scheduled_time": f"{TOMORROW:%Y-%m-%d} 07:30:00",
        },
        response=True,
        requests=[
            body(
                "Bins go out today.",
                NIGHT_SHIFT,
                scheduledTime=f"{TOMORROW:%Y-%m-%d} 07:30:00",
                timeZone=TIME_ZONE,
            )
        ],
        touched=["notify.night_shift"],
    ),
    Send(
        title="With an emoji and umlauts",
        action="zoho_voice.send_sms",
        target={"entity_id": "notify.alice"},
        data={"message": "Schöne Grüße vom Balkon 🌻"},
        response=True,
        requests=[body("Schöne Grüße vom Balkon 🌻", [ALICE], 2)],
        touched=["notify.alice"],
    ),
    Send(
        title="From a script in YAML to both recipients, which share a request",
        action="script.water_in_the_cellar",
        requests=[
            body(
                f"Leak sensor\nThere is water in the cellar since {TODAY:%A}.",
                [ALICE, *NIGHT_SHIFT],
            )
        ],
        touched=["notify.alice", "notify.night_shift"],
    ),
    Send(
        title="To an impossible number among good ones: nobody may get anything",
        action="zoho_voice.send_sms",
        data={
            "recipients": ["+14805550150", IMPOSSIBLE],
            "message": "Nobody is ever to read this.",
        },
        error="is not a valid phone number. Nothing was sent.",
    ),
    Send(
        title="The connection drops after Zoho accepted: not to be sent twice",
        action="notify.send_message",
        target={"entity_id": "notify.alice"},
        data={"message": "The washing machine is done."},
        requests=[body("The washing machine is done.", [ALICE])],
        error="may have been sent and was not repeated",
        fault="drop_after",
    ),
]
