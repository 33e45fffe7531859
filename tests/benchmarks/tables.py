"""The result as text: one table for each thing that was measured, a column for each contender."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from tests.benchmarks.contenders import Contender
from tests.benchmarks.summary import Cell, Figure, Speed

GAP = "  "
LETTERS = "abcdefgh"

Marks = dict[tuple[str, str], str]  # (operation, label) -> a letter


class Placed(Protocol):
    """What stands in a table: something of an operation and a contender."""

    @property
    def operation(self) -> str: ...

    @property
    def label(self) -> str: ...


P = TypeVar("P", bound=Placed)


def grid(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns that are as wide as they must be; the first is flush left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        GAP.join(
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def by_operation(
    title: str,
    cells: Sequence[P],
    headings: Sequence[str],
    show: Callable[[P], Sequence[str]],
) -> str:
    """A row for each operation; `show` gives what stands below the headings of a contender."""
    labels = list(dict.fromkeys(one.label for one in cells))
    rows = {one.operation: [one.operation] for one in cells}
    for one in cells:
        rows[one.operation] += show(one)
    head = [title, *(heading.format(label) for label in labels for heading in headings)]
    return grid([head, *rows.values()])


def span(one: Figure, form: str) -> str:
    """A median with its range."""
    return f"{one.median:{form}} ({one.lowest:{form}}-{one.highest:{form}})"


def cpu_table(cells: Sequence[Cell], marks: Marks) -> str:
    """CPU per request, and its ratio to the first contender's."""

    def show(one: Cell) -> Sequence[str]:
        mark = marks.get((one.operation, one.label), "")
        return f"{one.cpu_ms.median:.2f}{mark}", span(one.ratio, ".2f")

    return by_operation("CPU ms per request", cells, ("{}", "ratio"), show)


def database_table(cells: Sequence[Cell]) -> str:
    """PostgreSQL's CPU per request, where it was ours to count."""
    return by_operation(
        "PostgreSQL's CPU ms per request",
        cells,
        ("{}",),
        lambda one: ["-" if one.database_ms is None else f"{one.database_ms.median:.2f}"],
    )


def speed_table(cells: Sequence[Cell], title: str, speed: Callable[[Cell], Speed]) -> str:
    """Requests per second, and what latency they have."""

    def show(one: Cell) -> Sequence[str]:
        found = speed(one)
        return (
            f"{found.requests_per_second.median:.0f}",
            f"{found.p50_ms.median:.1f}",
            f"{found.p99_ms.median:.1f}",
        )

    return by_operation(title, cells, ("{}/s", "p50", "p99"), show)


def marked(cells: Sequence[Cell], contenders: Mapping[str, Contender]) -> tuple[Marks, str]:
    """A letter for every cell whose contender does something else, and what the letters mean."""
    marks: Marks = {}
    reasons: dict[str, str] = {}
    for one in cells:
        difference = contenders[one.label].differences.get(one.operation)
        if difference is not None:
            meaning = f"{difference.why} ({difference.status})"
            letter = reasons.setdefault(meaning, LETTERS[len(reasons)])
            marks[one.operation, one.label] = letter
    return marks, "\n".join(f"{letter}  {meaning}" for meaning, letter in reasons.items())
