"""Samples summed up: for each operation and contender medians, ranges, and ratios to the first."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.rounds import Load, Sample


@dataclass(frozen=True)
class Figure:
    """A number of every round: their median, and how far they stray from it."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, numbers: Iterable[float]) -> "Figure":
        """The figure of these numbers, of which there is at least one."""
        found = list(numbers)
        return cls(median(found), min(found), max(found))


@dataclass(frozen=True)
class Speed:
    """How one contender answers one operation under one load."""

    requests_per_second: Figure
    p50_ms: Figure
    p99_ms: Figure


@dataclass(frozen=True)
class Cell:
    """One operation of one contender.

    `ratio` is its CPU by that of the first contender, ours: above 1 when ours is the cheaper one.
    CPU is that of saturated servers. Ranges of ratios are those of single rounds.
    """

    operation: str
    label: str
    cpu_ms: Figure
    ratio: Figure
    database_ms: Figure | None
    saturated: Speed
    half_load: Speed
    errors: int
    reconnects: int
    unexpected: str


def summarise(taken: Sequence[Sample], labels: Sequence[str]) -> list[Cell]:
    """A cell for every operation and label, in the order in which they were measured."""
    operations = dict.fromkeys(one.operation for one in taken)
    return [cell(taken, name, label, labels[0]) for name in operations for label in labels]


def cell(taken: Sequence[Sample], operation: str, label: str, first: str) -> Cell:
    """What the rounds say about one operation of one contender."""

    def side(of: str, load: Load) -> list[Sample]:
        wanted = (operation, of, load)
        return [one for one in taken if (one.operation, one.label, one.load) == wanted]

    full, half, base = side(label, Load.FULL), side(label, Load.HALF), side(first, Load.FULL)
    counted = [one.database_ms for one in full if one.database_ms is not None]
    return Cell(
        operation=operation,
        label=label,
        cpu_ms=figure(full, lambda one: one.cpu_ms),
        ratio=ratio(full, base),
        database_ms=Figure.of(counted) if counted else None,
        saturated=speed(full),
        half_load=speed(half),
        errors=sum(one.errors for one in (*full, *half)),
        reconnects=sum(one.reconnects for one in (*full, *half)),
        unexpected=next((one.unexpected for one in (*full, *half) if one.unexpected), ""),
    )


def figure(side: Sequence[Sample], number: Callable[[Sample], float]) -> Figure:
    """One number of all rounds."""
    return Figure.of(map(number, side))


def speed(side: Sequence[Sample]) -> Speed:
    """Throughput and latency of all rounds."""
    return Speed(
        figure(side, lambda one: one.requests_per_second),
        figure(side, lambda one: one.p50_ms),
        figure(side, lambda one: one.p99_ms),
    )


def ratio(theirs: Sequence[Sample], ours: Sequence[Sample]) -> Figure:
    """The ratio of the medians, with the range of the rounds, taken in pairs."""
    pairs = [
        one.cpu_ms / other.cpu_ms if other.cpu_ms else float("inf")
        for one, other in zip(theirs, ours, strict=True)
    ]
    medians = (figure(side, lambda one: one.cpu_ms).median for side in (theirs, ours))
    return Figure(next(medians) / max(next(medians), 1e-9), min(pairs), max(pairs))
