"""Whom SMS reach or do not reach, how Zoho says so, and who answers."""

import asyncio
from asyncio import Task
from contextlib import suppress
from random import Random

from sandbox import Sandbox
from sandbox.models import Sms

from .history import RECEIVED, Channel, News

#: What becomes of an SMS: Zoho's word and its reason, the state, and how often.
_FATES = (
    ("DELIVERED", None, "delivered", 8),
    ("UNDELIVERED", "The phone cannot be reached", "undelivered", 1),
    ("FAILED", "Blocked by the carrier", "failed", 1),
)
#: How likely it is that Zoho calls back, not only says so in the message log; that it
#: does so once more; that it says last what was so before; and that somebody answers.
_CALLED_BACK = 0.5
_REPEATED = 0.3
_OUT_OF_ORDER = 0.3
_ANSWERED = 0.15
#: How long it takes until something happens, on average and at most (seconds).
_PAUSE = 1.5
_LONGEST = 8.0
#: How often to look for SMS that were sent (seconds).
_LOOK_EVERY = 0.05


class People:
    """Everybody who gets SMS."""

    def __init__(self, zoho: Sandbox, random: Random) -> None:
        """Watch a Zoho."""
        self.news: list[News] = []
        #: Whether they answer.
        self.answer = False
        self._zoho = zoho
        self._random = random
        self._in_haste = asyncio.Event()
        self._seen = 0
        self._tasks: set[Task[None]] = set()

    async def run(self) -> None:
        """Let what is sent reach them, or not."""
        try:
            while True:
                for sms in self._zoho.sent[self._seen :]:
                    self._seen += 1
                    task = asyncio.create_task(self._follow(sms))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            for task in self._tasks:
                task.cancel()

    async def finish(self) -> None:
        """Let all happen that is still to happen, and from now on at once."""
        self._in_haste.set()
        while self._tasks or self._seen < len(self._zoho.sent):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY)

    async def _follow(self, sms: Sms) -> None:
        """Let an SMS go its way."""
        random = self._random
        is_called_back = sms.status_callback is not None and (
            random.random() < _CALLED_BACK or self._in_haste.is_set()
        )
        ((status, why, state, _),) = random.choices(
            _FATES, [weight for *_, weight in _FATES]
        )
        comes_late = random.random() < _OUT_OF_ORDER
        await self._pause()
        await self._zoho.report(sms, "SENT", callback=is_called_back and not comes_late)
        await self._pause()
        channel = Channel.CALLBACK if is_called_back else Channel.LOG
        self.news.append(News(sms.log_id, sms.number, sms.message, state, channel))
        await self._zoho.report(sms, status, why, callback=is_called_back)
        if state == "delivered" and random.random() < _ANSWERED:
            self._reply(sms.number)
        # Its row may be archived by the time it is to come once more.
        with suppress(LookupError):
            if is_called_back and comes_late:
                await self._zoho.call_back(sms, "SENT")
            if is_called_back and random.random() < _REPEATED:
                await self._pause()
                await self._zoho.call_back(sms, status, why)

    def _reply(self, number: str) -> None:
        """Let somebody answer."""
        if not self.answer:
            return
        text = f"Answer {len(self.news):05}"
        sms = self._zoho.receive(number, text)
        self.news.append(News(sms.log_id, number, text, RECEIVED, Channel.REPLY))

    async def _pause(self) -> None:
        """Wait for a while."""
        seconds = min(_LONGEST, self._random.expovariate(1 / _PAUSE))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._in_haste.wait()
