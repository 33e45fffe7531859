"""What the metrics are told of each request when its response is over."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from starlette.types import Scope

from todo.http.exchange import Exchange
from todo.metrics import catalogue

WINDOW_SECONDS: Final = 10.0
"""How long the requests of each user are counted."""
MOST_USERS: Final = 10_000
"""Users that are counted in that time."""


class BusiestUser:
    """How many requests a second come from the user who sends most, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._requests: Counter[str] = Counter()
        self._since = clock()
        self._per_second = 0.0

    def count(self, user: str) -> None:
        """Count a request of the ``user``'s."""
        if user in self._requests or len(self._requests) < MOST_USERS:
            self._requests[user] += 1

    def per_second(self) -> float:
        """Return the rate of the last whole :data:`WINDOW_SECONDS`."""
        seconds = self._clock() - self._since
        if seconds >= WINDOW_SECONDS:
            self._per_second = max(self._requests.values(), default=0) / seconds
            self._requests.clear()
            self._since += seconds
        return self._per_second


class RequestMetrics:
    """Records each exchange."""

    def __init__(self, busiest: BusiestUser) -> None:
        self._busiest = busiest

    def __call__(self, scope: Scope, exchange: Exchange) -> None:
        """Record one exchange; of a stream, only that there was one."""
        del scope
        operation = exchange.operation or "none"
        catalogue.REQUESTS.inc(operation, str(exchange.status), exchange.code or "")
        if not exchange.is_stream:
            catalogue.DURATION.observe(exchange.seconds, operation)
        if (waited := exchange.waited) is not None:
            catalogue.THREAD_WAIT.observe(waited)
        if exchange.database is not None:
            catalogue.DATABASE.observe(exchange.database)
        if exchange.user is not None:
            self._busiest.count(exchange.user)
