"""A line to the server that breaks: what a tunnel, or a sleeping laptop, does to a front end."""

import itertools
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from select import select

from tests.integration.relay import CHUNK, Relay, listening

METHODS = (b"GET /", b"POST /", b"PATCH /", b"DELETE /")


class Break(Enum):
    """When the connection of a request breaks."""

    NEVER = "never"
    BEFORE = "before the server has the request"
    MIDWAY = "when the server has half of the request"
    AFTER = "when the server has answered, before the client has the answer"


class BadLine(Relay):
    """Passes bytes to a server and back; ``breaks`` says what becomes of each request in turn.

    ``broken`` has what was done.
    """

    def __init__(self, server_port: int, breaks: Iterable[Break]) -> None:
        super().__init__(server_port)
        self.broken: list[Break] = []
        self._breaks = iter(breaks)
        self._lock = threading.Lock()

    def next_break(self) -> Break:
        with self._lock:
            self.broken.append(next(self._breaks))
            return self.broken[-1]

    def pass_on(self, client: socket.socket, upstream: socket.socket) -> None:
        """A request begins a chunk: clients of HTTP/1.1 wait for each answer."""
        fate = Break.NEVER
        while True:
            for end in select([client, upstream], [], [])[0]:
                data = end.recv(CHUNK)
                if not data:
                    return
                if end is upstream:
                    if fate is Break.AFTER:
                        return
                    client.sendall(data)
                    continue
                if data.startswith(METHODS):
                    fate = self.next_break()
                if fate is Break.BEFORE:
                    return
                upstream.sendall(data[: len(data) // 2] if fate is Break.MIDWAY else data)
                if fate is Break.MIDWAY:
                    return


@contextmanager
def bad_line_to(server_port: int, *breaks: Break) -> Iterator[BadLine]:
    """Listen before the server until the block ends; requests break in turn, round and round."""
    with listening(BadLine(server_port, itertools.cycle(breaks))) as line:
        yield line
