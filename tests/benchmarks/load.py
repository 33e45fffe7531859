"""The load: a fixed number of keep-alive connections, each with one request in flight.

One thread and the standard library only, because the load shares two cores with the server under
test: requests are bytes rendered beforehand, and of an answer no more is looked at than its status
and where it ends. Everything goes to the loopback and is bounded in count and in time.
"""

import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.benchmarks.answers import LoadError, is_complete, is_last
from tests.benchmarks.outcome import Outcome
from tests.benchmarks.spread import evenly

LOOPBACK = "127.0.0.1"
CONNECTIONS = 16
RECEIVE_BYTES = 65536
PATIENCE_SECONDS = 10.0  # how long a single answer may take
MOST_RECONNECTS = 64  # per run; more means that the server is falling over


@dataclass
class Connection:
    """A connection with at most one request in flight."""

    socket: socket.socket
    request: bytes = b""
    since: float = 0.0  # when the request was due
    answer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes, since: float) -> None:
        """Put a request in flight; a request fits any send buffer, so this does not block.

        That the server has closed the connection is left for `receive` to notice.
        """
        self.request = request
        self.since = since
        self.answer.clear()
        with suppress(ConnectionError):
            self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what has arrived; False when the server has closed the connection instead."""
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except ConnectionError:
            return False
        self.answer += data
        return bool(data)


@dataclass
class Timetable:
    """When which request is due: as soon as a connection is free, or at a steady rate."""

    requests: deque[bytes]
    started: float
    interval: float  # seconds between two requests; 0: none
    sent: int = 0

    def due(self) -> float:
        """When the next request is due; a past moment without a rate."""
        return self.started + self.sent * self.interval

    def wait(self) -> float:
        """How long until then; PATIENCE_SECONDS when nothing is left to send."""
        return max(0.0, self.due() - time.monotonic()) if self.requests else PATIENCE_SECONDS

    def send_due(self, idle: deque[Connection]) -> None:
        """Send what is due, as far as connections are idle.

        At a rate latency counts from when the request was due, so that one slow answer also counts
        for those that had to wait behind it.
        """
        while idle and self.requests and self.due() <= (now := time.monotonic()):
            since = self.due() if self.interval else now
            idle.popleft().send(self.requests.popleft(), since)
            self.sent += 1


class Connections:
    """Keep-alive connections to a server on the loopback, used for one run after another.

    Warm-up and measurement share them, so that accepting connections is not part of the measure
    and no worker meets its first request in it.
    """

    def __init__(self, port: int, server: int, workers: int, count: int = CONNECTIONS) -> None:
        """Open `count` connections, the same number on each worker of the process `server`.

        Raises LoadError when nobody listens on the port.
        """
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.all = [self.watch(one) for one in evenly(self.connect, server, count, workers)]

    def __enter__(self) -> Self:
        """Nothing to do: the connections are open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them all."""
        for connection in self.all:
            connection.socket.close()
        self.selector.close()

    def connect(self) -> socket.socket:
        """One more connection."""
        try:
            opened = socket.create_connection((LOOPBACK, self.port), timeout=PATIENCE_SECONDS)
        except OSError as error:
            raise LoadError(f"port {self.port}: {error}") from error
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def watch(self, opened: socket.socket) -> Connection:
        """Let the selector tell when something arrives on the connection."""
        connection = Connection(opened)
        self.selector.register(opened, selectors.EVENT_READ, connection)
        return connection

    def run(
        self,
        requests: Sequence[bytes],
        expected: frozenset[int],
        seconds: float,
        rate: float | None = None,
    ) -> Outcome:
        """Send the requests, in order, and wait for all answers.

        Without a `rate` (per second) every connection always has a request in flight. After
        `seconds` no more are sent. Raises LoadError when an answer does not come in time, or when
        the server keeps closing connections.
        """
        outcome = Outcome(expected)
        idle = deque(self.all)
        started = time.monotonic()
        waiting = Timetable(deque(requests), started, 1 / rate if rate else 0.0)
        while True:
            if time.monotonic() - started > seconds:
                waiting.requests.clear()
            waiting.send_due(idle)
            if not waiting.requests and len(idle) == len(self.all):
                break
            for connection in self.ready(waiting.wait() if idle else PATIENCE_SECONDS):
                if self.is_answered(connection, outcome):
                    idle.append(connection)
        outcome.seconds = time.monotonic() - started
        return outcome

    def ready(self, patience: float) -> list[Connection]:
        """The connections on which something arrives within so many seconds."""
        events = self.selector.select(patience)
        if not events and patience >= PATIENCE_SECONDS:
            raise LoadError(f"no answer within {PATIENCE_SECONDS:.0f} s")
        return [key.data for key, _ in events]

    def is_answered(self, connection: Connection, outcome: Outcome) -> bool:
        """Read on; when the answer is whole, count it and make the connection ready for more."""
        if not connection.receive():
            outcome.reconnects += 1
            self.reopen(connection, outcome)
            connection.send(connection.request, connection.since)
            return False
        if not is_complete(connection.answer):
            return False
        outcome.count(connection.answer, time.monotonic() - connection.since)
        if is_last(connection.answer):
            outcome.reconnects += 1
            self.reopen(connection, outcome)
        return True

    def reopen(self, connection: Connection, outcome: Outcome) -> None:
        """Replace a connection that the server closed, as it does when it renews a worker."""
        if outcome.reconnects > MOST_RECONNECTS:
            closed = f"the server closed {outcome.reconnects} connections"
            raise LoadError(f"{closed}\n{outcome.unexpected}")
        self.selector.unregister(connection.socket)
        connection.socket.close()
        connection.socket = self.connect()
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
