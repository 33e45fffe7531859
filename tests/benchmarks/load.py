"""The load: a fixed number of keep-alive connections, each with one request in flight.

One thread and the standard library only, because the load shares two cores with the server under
test: requests are bytes rendered beforehand, and of an answer no more is looked at than its status
and where it ends. Everything goes to the loopback and is bounded in count and in time.
"""

import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.benchmarks.spread import evenly

LOOPBACK = "127.0.0.1"
CONNECTIONS = 16
RECEIVE_BYTES = 65536
PATIENCE_SECONDS = 10.0  # how long a single answer may take
MOST_RECONNECTS = 64  # per run; more means that the server is falling over

STATUS = slice(9, 12)  # in "HTTP/1.1 200 OK"
END_OF_HEAD = b"\r\n\r\n"
END_OF_CHUNKS = b"0\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class LoadError(RuntimeError):
    """The server does not answer, or not in HTTP: there is nothing to measure."""


@dataclass
class Outcome:
    """What came of a run: answers by status, how long it took, and one unexpected answer."""

    expected: int
    seconds: float = 0.0
    reconnects: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: str = ""

    @property
    def requests(self) -> int:
        """How many requests were answered, whatever the answer."""
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """How many answers had another status than the expected one."""
        return self.requests - self.statuses[self.expected]

    def count(self, answer: bytes | bytearray) -> None:
        """Take one complete answer into account; keep the first unexpected one as evidence."""
        status = int(answer[STATUS])
        self.statuses[status] += 1
        if status != self.expected and not self.unexpected:
            self.unexpected = answer[:1000].decode("utf-8", errors="replace")


@dataclass
class Connection:
    """A connection with at most one request in flight."""

    socket: socket.socket
    request: bytes = b""
    answer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        """Put a request in flight; a request fits any send buffer, so this does not block.

        That the server has closed the connection is left for `receive` to notice.
        """
        self.request = request
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


def is_complete(answer: bytes | bytearray) -> bool:
    """Whether the answer has arrived whole (RFC 9112 section 6, as far as an API needs it).

    Raises LoadError for an answer whose end only the end of the connection would tell.
    """
    head = answer.find(END_OF_HEAD)
    if head < 0:
        return False
    if length := CONTENT_LENGTH.search(answer, 0, head):
        return len(answer) >= head + len(END_OF_HEAD) + int(length[1])
    if CHUNKED.search(answer, 0, head):
        return answer.endswith(END_OF_CHUNKS)
    if answer[STATUS] in (b"204", b"304"):
        return True
    raise LoadError(f"an answer without a length: {bytes(answer[:head])!r}")


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

    def run(self, requests: Sequence[bytes], expected: int, seconds: float) -> Outcome:
        """Send the requests, in order, and wait for all answers.

        After `seconds` no more are sent. Raises LoadError when an answer does not come in time,
        or when the server keeps closing connections.
        """
        outcome = Outcome(expected)
        started = time.monotonic()
        waiting = iter(requests)
        in_flight = sum(self.send_next(connection, waiting) for connection in self.all)
        while in_flight:
            for connection in self.ready():
                if not self.is_answered(connection, outcome):
                    continue
                in_time = time.monotonic() - started < seconds
                if not (in_time and self.send_next(connection, waiting)):
                    in_flight -= 1
        outcome.seconds = time.monotonic() - started
        return outcome

    def ready(self) -> list[Connection]:
        """The connections on which something has arrived."""
        events = self.selector.select(PATIENCE_SECONDS)
        if not events:
            raise LoadError(f"no answer within {PATIENCE_SECONDS:.0f} s")
        return [key.data for key, _ in events]

    def send_next(self, connection: Connection, waiting: Iterator[bytes]) -> bool:
        """Put the next request in flight, if there is one."""
        request = next(waiting, None)
        if request is None:
            return False
        connection.send(request)
        return True

    def is_answered(self, connection: Connection, outcome: Outcome) -> bool:
        """Read on; when the answer is whole, count it and make the connection ready for more."""
        if not connection.receive():
            outcome.reconnects += 1
            self.reopen(connection, outcome)
            connection.send(connection.request)
            return False
        if not is_complete(connection.answer):
            return False
        outcome.count(connection.answer)
        if CLOSING.search(connection.answer, 0, connection.answer.find(END_OF_HEAD)):
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
