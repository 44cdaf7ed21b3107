"""Results as docs/performance.md tells them."""

from collections.abc import Iterable, Sequence
import re

from scripts.lib.process import ROOT

from .machine import Machine
from .plot import draw
from .result import Result, Table

PATH = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.svg"

_HEAD = """\
# Performance

What `{command}` measured on {date}: a real Home Assistant core sends through the
sandbox, which is a process of its own on the same machine. Each figure is a median with
its quartiles; ratios are taken round by round, all contestants in turns.

Machine: {cpu}, {cores} cores, {memory} GiB, {system}; load at the start {load:.1f}.
Versions: {versions}.

## Targets

| | target | measured | limit |
|---|---|---|---|
{targets}
"""
_PICTURE = """
![Time and CPU over the number of recipients](images/{name})
"""
# What somebody wrote between these lines stays when the report is written again.
_MARKED = re.compile(r"<!-- why -->.*<!-- /why -->", re.DOTALL)
_UNMARKED = "<!-- why -->\n<!-- /why -->"


def write(results: Sequence[Result], machine: Machine, command: str) -> None:
    """Write the page and its picture."""
    draw(results, PICTURE)
    kept = _MARKED.search(PATH.read_text()) if PATH.exists() else None
    why = kept[0] if kept else _UNMARKED
    text = _HEAD.format(
        command=command,
        date=machine.date,
        cpu=machine.cpu,
        cores=machine.cores,
        memory=machine.memory_gib,
        system=machine.system,
        load=machine.load,
        versions=", ".join(f"{name} {it}" for name, it in machine.versions.items()),
        targets="\n".join(
            f"| {'✓' if target.met else '✗'} | {target.name}"
            f" | {target.value.text()} | {target.limit_text} |"
            for result in results
            for target in result.targets
        ),
    )
    text += f"\n{why}\n{_PICTURE.format(name=PICTURE.name)}"
    for result in results:
        for table in result.tables:
            text += "\n" + "\n".join(_table(table)) + "\n"
    PATH.write_text(text)


def _table(table: Table) -> Iterable[str]:
    yield f"## {table.title}\n"
    yield _row(table.head)
    yield "|" + "---|" * len(table.head)
    yield from map(_row, table.rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
