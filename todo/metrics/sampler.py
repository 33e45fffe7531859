"""The sampler: reads what is a state, and no event, again and again on the event loop.

So requests do nothing for the gauges. What happens between two looks does not show in a gauge; the
histograms have it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import structlog

from todo.metrics.instruments import Gauge

LOOK_SECONDS: Final = 1.0
"""How often the numbers of this process are read."""
ASK_SECONDS: Final = 60.0
"""How often what the database must be asked for is read."""

log = structlog.get_logger("todo.metrics")


class Reading(NamedTuple):
    """A gauge, the values of its labels, and where its number comes from."""

    gauge: Gauge
    read: Callable[[], float]
    labels: tuple[str, ...] = ()


class Sampler:
    """Sets gauges to what is read for them, from :meth:`start` on."""

    def __init__(
        self, readings: Sequence[Reading], asked: Gauge, ask: Callable[[], Awaitable[float]]
    ) -> None:
        """``ask`` asks the database for the number of the gauge ``asked``; it may raise."""
        self._readings = readings
        self._asked, self._ask = asked, ask
        self._looks = 0
        self._asking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Read now, and again and again, on the running event loop."""
        if self._timer is None:
            self._look()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        for reading in self._readings:
            reading.gauge.set(reading.read(), *reading.labels)
        if self._looks * LOOK_SECONDS % ASK_SECONDS == 0:
            self._asking = loop.create_task(self._set_asked())
        self._looks += 1
        self._timer = loop.call_later(LOOK_SECONDS, self._look)

    async def _set_asked(self) -> None:
        try:
            self._asked.set(await self._ask())
        except Exception as error:  # the database is away or busy: it is asked again later
            log.debug("sampler.waits", reason=type(error).__name__)
