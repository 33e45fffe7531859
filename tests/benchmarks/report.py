"""The result: medians over the rounds and their ratio, as a table and as JSON."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.operations import OPERATIONS
from tests.benchmarks.rounds import Sample

# Whose versions explain a change of the numbers.
DISTRIBUTIONS = (
    *("connexion", "flask", "flask-sqlalchemy", "gunicorn", "starlette", "sqlalchemy"),
    *("fastapi", "sqlmodel", "uvicorn", "uvloop", "httptools", "pydantic", "psycopg2-binary"),
    "pyjwt",
)
HEADINGS = (
    *("operation", "{0} ms", "{1} ms", "ratio", "lowest-highest", "database", "{0}/s", "{1}/s"),
    "errors",
)
LAYOUT = "{:<10}{:>10}{:>10}{:>8}{:>16}{:>13}{:>9}{:>9}{:>8}"


@dataclass(frozen=True)
class Row:
    """One operation: milliseconds of CPU per request as medians; ratios are second / first.

    So a ratio above 1 says that the first contender, ours, is the cheaper one.
    """

    operation: str
    first_ms: float
    second_ms: float
    ratio: float
    lowest_ratio: float
    highest_ratio: float
    first_database_ms: float | None
    second_database_ms: float | None
    first_per_second: float
    second_per_second: float
    errors: int
    reconnects: int


def summarise(taken: Sequence[Sample], labels: tuple[str, str]) -> list[Row]:
    """One row per operation, in the order in which they were measured."""
    first, second = labels
    return [
        summarise_operation(
            operation.name,
            [one for one in taken if (one.operation, one.label) == (operation.name, first)],
            [one for one in taken if (one.operation, one.label) == (operation.name, second)],
        )
        for operation in OPERATIONS
    ]


def summarise_operation(name: str, first: list[Sample], second: list[Sample]) -> Row:
    """The ratio of the medians, and how far the rounds, taken in pairs, stray from it."""
    first_ms, second_ms = (median(one.cpu_ms for one in side) for side in (first, second))
    pairs = [theirs.cpu_ms / ours.cpu_ms for ours, theirs in zip(first, second, strict=True)]
    return Row(
        operation=name,
        first_ms=first_ms,
        second_ms=second_ms,
        ratio=second_ms / first_ms,
        lowest_ratio=min(pairs),
        highest_ratio=max(pairs),
        first_database_ms=database_median(first),
        second_database_ms=database_median(second),
        first_per_second=median(one.requests_per_second for one in first),
        second_per_second=median(one.requests_per_second for one in second),
        errors=sum(one.errors for one in (*first, *second)),
        reconnects=sum(one.reconnects for one in (*first, *second)),
    )


def database_median(side: Sequence[Sample]) -> float | None:
    """PostgreSQL's share, None where it was not ours to count."""
    counted = [one.database_ms for one in side if one.database_ms is not None]
    return median(counted) if counted else None


def table(rows: Sequence[Row], labels: tuple[str, str]) -> str:
    """The rows for a reader; `database` is PostgreSQL's CPU for either, in the same order."""
    headings = [heading.format(*labels) for heading in HEADINGS]
    return "\n".join([LAYOUT.format(*headings), *(line(row) for row in rows)])


def line(row: Row) -> str:
    """One row of the table."""
    return LAYOUT.format(
        row.operation,
        f"{row.first_ms:.2f}",
        f"{row.second_ms:.2f}",
        f"{row.ratio:.2f}",
        f"{row.lowest_ratio:.2f}-{row.highest_ratio:.2f}",
        " ".join(
            "-" if share is None else f"{share:.2f}"
            for share in (row.first_database_ms, row.second_database_ms)
        ),
        f"{row.first_per_second:.0f}",
        f"{row.second_per_second:.0f}",
        row.errors,
    )


def versions() -> dict[str, str]:
    """What ran, as far as it is installed."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_json(path: Path, rows: Sequence[Row], taken: Sequence[Sample]) -> None:
    """Everything, down to the single samples, for who wants to plot or compare."""
    document = {
        "cores": os.cpu_count(),
        "versions": versions(),
        "operations": [asdict(row) for row in rows],
        "samples": [asdict(one) for one in taken],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
