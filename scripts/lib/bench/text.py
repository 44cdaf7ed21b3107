"""Results as a terminal shows them."""

from collections.abc import Iterable, Sequence

from .result import Result, Table, Target


def table_lines(table: Table) -> Iterable[str]:
    """Set a table in columns."""
    rows = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield table.title
    for row in rows:
        yield (
            "  "
            + "  ".join(
                cell.ljust(width) if index == 0 else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
        )
    yield ""


def target_lines(targets: Sequence[Target]) -> Iterable[str]:
    """Say of each target whether it is met."""
    for target in targets:
        mark = "✓" if target.met else "✗"
        limit = f"(target {target.limit_text})"
        yield f"{mark} {target.name}: {target.value.text()} {limit}"


def show(results: Sequence[Result]) -> str:
    """Return everything, the targets last."""
    lines: list[str] = []
    for result in results:
        for table in result.tables:
            lines += table_lines(table)
    targets = [target for result in results for target in result.targets]
    lines += target_lines(targets)
    met = sum(target.met for target in targets)
    lines.append(f"\n{met} of {len(targets)} targets met")
    return "\n".join(lines)
