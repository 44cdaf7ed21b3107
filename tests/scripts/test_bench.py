"""What scripts/bench makes of its figures, and how it takes them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import time
from typing import Any
from unittest.mock import patch

import pytest

from scripts.lib.bench import bench as bench_module, page
from scripts.lib.bench.bench import Bench
from scripts.lib.bench.clock import take_turns, timed, watched
from scripts.lib.bench.figures import (
    Result,
    Sample,
    Spread,
    Target,
    Verdict,
    compare,
    ratio,
    ratio_targets,
)
from scripts.lib.bench.mail import mail_server
from scripts.lib.bench.many_recipients import growth


def samples(*walls: float, cpu: float = 0.001) -> list[Sample]:
    return [Sample(wall, cpu) for wall in walls]


def test_spread_is_the_median_with_its_quartiles() -> None:
    assert Spread.of([5, 1, 4, 2, 3]) == Spread(3, 2, 4, 5)
    assert Spread.of([2], 1000) == Spread(2000, 2000, 2000, 1)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.0123, 0.0124, 0.0125], "0.012"),
        ([0.5, 1.234, 2], "1.23 (0.87-1.62)"),
        ([12.34], "12.3"),
        ([51795.7, 51785.2, 51828.7], "51,796 (51,790-51,812)"),
        ([100, 100, 100], "100"),
        ([1, 2, 3], "2.00 (1.50-2.50)"),
    ],
)
def test_figures_have_about_three_digits(values: list[float], text: str) -> None:
    assert str(Spread.of(values)) == text


def test_ratio_compares_round_by_round() -> None:
    # In the second round all was ten times slower.
    assert ratio([2, 20, 4], [1, 10, 2]) == Spread(2, 2, 2, 3)
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2], [1])


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([1.0, 1.1, 1.15], Verdict.MET),
        ([1.1, 1.1, 1.1, 9.9], Verdict.UNDECIDED),
        ([1.0, 1.2, 1.3], Verdict.UNDECIDED),
        ([1.1, 1.16, 1.3], Verdict.UNDECIDED),
        ([1.16, 1.2, 1.3], Verdict.MISSED),
        ([1.0, 1.0], Verdict.UNDECIDED),
        ([9.0], Verdict.UNDECIDED),
    ],
)
def test_verdict_counts_where_the_quartiles_lie_on_one_side(
    values: list[float], verdict: Verdict
) -> None:
    assert Target("", Spread.of(values), 1.15).verdict is verdict


def test_target_may_be_a_minimum() -> None:
    def verdict(*values: float) -> Verdict:
        return Target("", Spread.of(values), 8, at_least=True).verdict

    assert verdict(8, 9, 10) is Verdict.MET
    assert verdict(7, 9, 10) is Verdict.MET  # its lower quartile is 8
    assert verdict(5, 9, 10) is Verdict.UNDECIDED
    assert verdict(5, 6, 7) is Verdict.MISSED


def test_growth_is_the_step_from_100_to_1000() -> None:
    def verdict(cpu: float) -> Verdict:
        small, large = samples(1, 1, 1, cpu=1), samples(1, 1, 1, cpu=cpu)
        return growth("", {"100": {"it": small}, "1,000": {"it": large}}, "it").verdict

    assert verdict(11) is Verdict.MET
    assert verdict(12) is Verdict.MISSED


def test_contestants_are_compared_within_their_group() -> None:
    groups = {
        "1": {"ours": samples(0.002), "theirs": samples(0.004)},
        "10": {"ours": samples(0.03), "theirs": samples(0.01)},
    }
    table = compare("Title", ("size", "by"), groups, "ours")
    assert [*table.head] == [
        *("size", "by", "wall, ms", "CPU, ms"),
        *("ours ÷ this, wall", "ours ÷ this, CPU"),
    ]
    assert [[str(cell) for cell in row] for row in table.rows] == [
        ["1", "ours", "2", "1", "", ""],
        ["1", "theirs", "4", "1", "0.50", "1"],
        ["10", "ours", "30", "1", "", ""],
        ["10", "theirs", "10", "1", "3", "1"],
    ]


def test_one_label_names_the_contestants_only() -> None:
    table = compare("", ["by"], {"": {"ours": [Sample(1, 1, 0.5, 0.5)]}})
    assert [*table.head] == [
        *("by", "wall, ms", "CPU, ms", "longest step, ms", "longest step, CPU, ms")
    ]
    assert [str(cell) for cell in table.rows[0]] == [
        *("ours", "1,000", "1,000", "500", "500")
    ]


def test_targets_of_a_comparison_are_for_both_clocks() -> None:
    group = {"ours": samples(2, 2, 2), "theirs": samples(1, 1, 1)}
    wall, cpu = ratio_targets("One", group, "ours", "theirs", limit=1.5)
    assert (wall.name, wall.verdict) == ("One: ours ÷ theirs, wall", Verdict.MISSED)
    assert (cpu.name, cpu.verdict) == ("One: ours ÷ theirs, CPU", Verdict.MET)


async def test_every_round_begins_with_another_contestant() -> None:
    order: list[str] = []
    warmed: list[str] = []
    checked: list[str] = []

    def note(where: list[str], name: str | None = None) -> Callable[..., Any]:
        async def run(other: str | None = None) -> None:
            where.append(name or other or "")

        return run

    turns = {name: note(order, name) for name in "abc"}
    group = await take_turns(range(3), turns, before=note(warmed), after=note(checked))
    assert order == warmed == checked == [*"abc", *"bca", *"cab"]
    assert [*map(len, group.values())] == [3, 3, 3]


async def test_waiting_takes_time_but_no_processor() -> None:
    sample = await timed(lambda: asyncio.sleep(0.05))
    assert sample.wall >= 0.05
    assert sample.cpu < 0.04


async def test_longest_step_is_what_blocked_the_loop() -> None:
    took = 0.0

    async def block() -> None:
        nonlocal took
        await asyncio.sleep(0)
        begin = time.perf_counter()
        time.sleep(0.03)  # noqa: ASYNC251
        took = time.perf_counter() - begin

    sample = await watched(block(), asyncio.sleep(0))
    time.sleep(0.1)  # noqa: ASYNC251  what comes afterwards is none of it
    assert sample.step is not None
    assert sample.step_cpu is not None
    # The longest step is the block, or the machine took longer for another one.
    assert sample.wall >= sample.step >= took >= 0.03
    assert sample.step_cpu < sample.step


@pytest.mark.parametrize(
    ("quick", "late", "count"),
    [(False, False, 9), (False, True, 9), (True, False, 5), (True, True, 1)],
)
def test_quick_run_hurries_when_it_is_late(quick: bool, late: bool, count: int) -> None:
    none: Any = None
    bench = Bench(none, none, none, quick)
    began = time.monotonic() - 3600 * late
    with patch.object(bench_module, "BEGIN", began):
        assert [*bench.rounds(9, 5)] == [*range(count)]


async def test_mail_server_passes_a_connection_check(socket_enabled: None) -> None:
    async with mail_server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = [await reader.readline()]
        for line in (b"EHLO localhost\r\n", b"QUIT\r\n"):
            writer.write(line)
            answers.append(await reader.readline())
        assert [answer[:3] for answer in answers] == [b"220", b"250", b"221"]
        assert await reader.read() == b""
        writer.close()


def test_page_begins_with_what_it_comes_to(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    results = [
        Result(
            tables=[compare("All", ["by"], {"": {"ours": samples(1)}})],
            targets=[
                Target("fast", Spread.of([2, 2, 2]), 1),
                Target("small", Spread.of([1, 1, 1]), 1, "KiB"),
                Target("even", Spread.of([1, 1, 8]), 1),
            ],
            in_short=[("One SMS, ms", Spread.of([2]), Spread.of([3]), "another")],
        )
    ]
    with patch.object(page, "PATH", path):
        page.write(results, "a machine", "scripts/bench")
    text = path.read_text()
    in_short = text.index("| One SMS, ms | 2          | 3           | another  |")
    targets = text.index("| ✗         | fast   | 2                | ≤ 1 times |")
    assert in_short < targets < text.index("## All")
    assert "| ✓         | small  | 1                | ≤ 1 KiB   |" in text
    assert "| undecided | even   | 1.00 (1.00-4.50) | ≤ 1 times |" in text
    assert "on 2026-11-22: a machine." in text
    assert page.show(results).count("| ours") == 1
