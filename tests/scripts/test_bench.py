"""What scripts/bench makes of its figures, and how it takes them."""

import asyncio
import time

import pytest

from scripts.lib.bench.mail import MailServer
from scripts.lib.bench.many_recipients import growth
from scripts.lib.bench.result import Result, Table, Target
from scripts.lib.bench.rounds import Spread, interleave, ratio, timed
from scripts.lib.bench.stretch import longest_stretch
from scripts.lib.bench.text import show


def test_spread_is_the_median_with_its_quartiles() -> None:
    assert Spread.of([5, 1, 4, 2, 3]) == Spread(3, 2, 4, 5)
    assert Spread.of([5, 1, 4, 2, 3]).text(digits=1) == "3.0 (2.0-4.0)"


def test_spread_of_one_value_is_the_value() -> None:
    assert Spread.of([2]) == Spread(2, 2, 2, 1)
    assert Spread.of([2]).text(1000, 0) == "2,000"


def test_ratio_compares_round_by_round() -> None:
    # In the second round all was ten times slower.
    assert ratio([2, 20, 4], [1, 10, 2]) == Spread(2, 2, 2, 3)


def test_ratio_refuses_another_number_of_rounds() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2], [1])


@pytest.mark.parametrize(
    ("at_least", "value", "met"),
    [(False, 1.15, True), (False, 1.16, False), (True, 8, True), (True, 7.9, False)],
)
def test_target(at_least: bool, value: float, met: bool) -> None:
    limit = 8 if at_least else 1.15
    assert Target("", Spread.of([value]), limit, at_least).met is met


def test_growth_is_the_step_from_100_to_1000() -> None:
    assert growth("", {100: [1, 1], 1000: [11, 11]}).met
    assert not growth("", {100: [1, 1], 1000: [12, 12]}).met


async def test_every_round_begins_with_another_contestant() -> None:
    order: list[str] = []
    warmed: list[str] = []
    checked: list[str] = []

    def turn(name: str):
        async def run() -> None:
            order.append(name)

        return run

    async def before(name: str) -> None:
        warmed.append(name)

    async def after(name: str) -> None:
        checked.append(name)

    turns = {name: turn(name) for name in "abc"}
    samples = await interleave(3, turns, after, before)
    assert order == warmed == checked == [*"abc", *"bca", *"cab"]
    assert [*map(len, samples.values())] == [3, 3, 3]


async def test_waiting_takes_time_but_no_processor() -> None:
    sample = await timed(lambda: asyncio.sleep(0.05))
    assert sample.wall >= 0.05
    assert sample.cpu < 0.04


async def test_longest_stretch_finds_what_blocked_the_loop() -> None:
    took = 0.0

    def block() -> None:
        nonlocal took
        begin = time.perf_counter()
        time.sleep(0.03)
        took = time.perf_counter() - begin

    with longest_stretch() as stretch:
        asyncio.get_running_loop().call_soon(block)
        await asyncio.sleep(0.05)
    # The greatest stretch is the block, or the machine took longer for another one.
    assert stretch.wall >= took >= 0.03
    assert stretch.cpu < stretch.wall
    assert "block" in stretch.what


async def test_mail_server_passes_a_connection_check(socket_enabled: None) -> None:
    async with MailServer() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        answers = [await reader.readline()]
        for line in (b"EHLO localhost\r\n", b"QUIT\r\n"):
            writer.write(line)
            answers.append(await reader.readline())
        assert [answer[:3] for answer in answers] == [b"220", b"250", b"221"]
        assert await reader.read() == b""
        writer.close()
        assert server.connections == 1


def test_missed_targets_are_marked() -> None:
    result = Result(
        "one",
        [Table("Title", ("name", "ms"), [("ours", "1.00")])],
        [Target("fast", Spread.of([2]), 1), Target("small", Spread.of([1]), 1)],
    )
    text = show([result])
    assert "✗ fast: 2.00 (target ≤ 1 times)" in text
    assert "✓ small" in text
    assert "1 of 2 targets met" in text
