"""Instruments: counters, gauges and histograms that do nothing until they are turned on.

prometheus-client decides when it is imported whether its values are shared between processes, and
takes memory and time. So it is imported when metrics are turned on, and not before.
"""

from collections.abc import Sequence
from typing import Any


class Instrument:
    """A metric with a name, a meaning, and the names of its labels."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = labels
        self._real: Any = None
        self._children: dict[tuple[str, ...], Any] = {}

    def turn_on(self, library: Any) -> None:
        """Record from now on, through the ``library``: the imported ``prometheus_client``."""
        self._real = self._made(library)

    def _made(self, library: Any) -> Any:
        raise NotImplementedError

    def _of(self, values: tuple[str, ...]) -> Any:
        child = self._children.get(values)
        if child is None:
            child = self._real.labels(*values) if values else self._real
            self._children[values] = child
        return child


class Counter(Instrument):
    """A number that only grows; its exported name ends with ``_total``."""

    def inc(self, *values: str, by: int = 1) -> None:
        """Add ``by`` for the ``values`` of the labels."""
        if self._real is not None:
            self._of(values).inc(by)

    def _made(self, library: Any) -> Any:
        return library.Counter(self.name, self.meaning, self.labels, registry=None)


class Gauge(Instrument):
    """A number of each process, which moves up and down."""

    def __init__(self, name: str, meaning: str, *labels: str, together: str = "livesum") -> None:
        """``together`` is what the numbers of all processes make: a mode of prometheus-client."""
        super().__init__(name, meaning, *labels)
        self._together = together

    def set(self, number: float, *values: str) -> None:
        """Set the number of this process for the ``values`` of the labels."""
        if self._real is not None:
            self._of(values).set(number)

    def _made(self, library: Any) -> Any:
        return library.Gauge(
            self.name, self.meaning, self.labels, registry=None, multiprocess_mode=self._together
        )


class Histogram(Instrument):
    """How often a number of seconds was at most so large, for a few bounds."""

    def __init__(self, name: str, meaning: str, *labels: str, bounds: Sequence[float]) -> None:
        super().__init__(name, meaning, *labels)
        self._bounds = bounds

    def observe(self, seconds: float, *values: str) -> None:
        """Count one time of so many ``seconds`` for the ``values`` of the labels."""
        if self._real is not None:
            self._of(values).observe(seconds)

    def _made(self, library: Any) -> Any:
        return library.Histogram(
            self.name, self.meaning, self.labels, registry=None, buckets=self._bounds
        )
