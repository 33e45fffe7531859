"""What gunicorn's ASGI worker does with connections that have not sent a whole request head.

gunicorn waits for a head for ever. Each such connection is an open file, and a worker that has no
more of them serves nobody, without a word in the log. Here a head has so many seconds, and when a
worker has as many connections as it can hold, the one that has waited for the longest gives way.
"""

import resource
from itertools import takewhile
from typing import Any, Final

import structlog
from gunicorn.asgi.protocol import ASGIProtocol

HEAD_SECONDS = 15.0
"""How long a request's head may take to arrive, on a new connection from its beginning on."""
SWEEP_SECONDS = 0.5
"""How often a worker looks for connections that have waited too long."""
TELL_SECONDS: Final = 10.0
"""A worker logs each of its two lines at most once in so many seconds."""
SPARE_FILES: Final = 64
FILES_PER_THREAD: Final = 4
"""Open files that are no connections of clients: of the process, and of each thread's database
connection (SQLite has three)."""

log = structlog.get_logger("todo.connections")


class Waiting:
    """The connections of one worker that have not sent a whole head, the oldest first."""

    def __init__(self, loop: Any, most: int) -> None:
        """``most`` is the number of connections that the worker can hold, of all kinds."""
        self._loop = loop
        self._most = most
        self._since: dict[Any, float] = {}
        self._sweeping = False
        self._slow = _Line("connections.slow", f"no whole request head in {HEAD_SECONDS:.0f} s")
        self._full = _Line("connections.full", f"there is room for {most}: see 'ulimit -n'")

    def begin(self, connection: Any) -> None:
        """Wait for a head of ``connection``; one that is waited for stays in its place."""
        self._since.setdefault(connection, self._loop.time())
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def end(self, connection: Any) -> None:
        """The head is there, or the connection is closed."""
        self._since.pop(connection, None)

    def make_room(self, connections: int) -> None:
        """Close the oldest of those that wait where there are more ``connections`` than fit.

        The newest is one of them, and the only one where all others are at work.
        """
        if connections > self._most:
            self._close(next(iter(self._since)))
            self._full.tell(self._loop.time())

    def _sweep(self) -> None:
        self._sweeping = False
        now = self._loop.time()
        late = list(takewhile(lambda one: self._since[one] <= now - HEAD_SECONDS, self._since))
        for connection in late:
            self._close(connection)
            self._slow.tell(now)
        if self._since:
            self._sweeping = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _close(self, connection: Any) -> None:
        del self._since[connection]
        connection._keepalive_timeout()  # closes it, and ends the task that waits for a request


class _Line:
    """A line of the log that says how many connections were closed since the line before."""

    def __init__(self, event: str, reason: str) -> None:
        self._event = event
        self._reason = reason
        self._closed = 0
        self._next = 0.0

    def tell(self, now: float) -> None:
        self._closed += 1
        if now >= self._next:
            log.warning(self._event, closed=self._closed, reason=self._reason)
            self._closed, self._next = 0, now + TELL_SECONDS


def most_connections(threads: int) -> int:
    """Return how many connections fit into this process's limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 2**31
    return max(soft - SPARE_FILES - FILES_PER_THREAD * threads, 1)


def bound(threads: int) -> None:
    """Make gunicorn's ASGI workers keep to this; ``threads`` is that of each worker.

    gunicorn has no setting for it, so the methods of its protocol are wrapped.
    """
    made, received = ASGIProtocol.connection_made, ASGIProtocol.data_received
    complete, lost = ASGIProtocol._on_headers_complete, ASGIProtocol.connection_lost

    def waiting(self: Any) -> Waiting:
        found: Waiting | None = getattr(self.worker, "waiting", None)
        if found is None:
            found = self.worker.waiting = Waiting(self.worker.loop, most_connections(threads))
        return found

    def connection_made(self: Any, transport: Any) -> None:
        made(self, transport)
        waiting(self).begin(self)
        waiting(self).make_room(self.worker.nr_conns)

    def data_received(self: Any, data: bytes) -> None:
        received(self, data)
        if self._awaiting_request and not self._request_ready.is_set():
            waiting(self).begin(self)

    def _on_headers_complete(self: Any) -> Any:
        waiting(self).end(self)
        return complete(self)

    def connection_lost(self: Any, error: Exception | None) -> None:
        waiting(self).end(self)
        lost(self, error)

    ASGIProtocol.connection_made, ASGIProtocol.data_received = connection_made, data_received
    ASGIProtocol._on_headers_complete = _on_headers_complete
    ASGIProtocol.connection_lost = connection_lost
