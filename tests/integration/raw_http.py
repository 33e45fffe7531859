"""HTTP byte by byte: what no client library would send, and what one would hide of the answer."""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

PATIENCE_SECONDS = 30
CHUNK = 65_536


@dataclass(frozen=True)
class Answer:
    """One response; header names are lower case. ``raw`` is all of its bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw: bytes

    def problem(self) -> dict[str, Any]:
        """The body, which must be a problem document of this status and of at most 4 KiB."""
        assert self.headers["content-type"] == "application/problem+json", self.raw
        assert len(self.body) <= 4096
        document: dict[str, Any] = orjson.loads(self.body)
        assert document["status"] == self.status
        return document


class Wire:
    """One connection to a server on the loopback."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pending = b""

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has had enough and closes is no error here."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._connection.sendall(data)

    def answer(self, *, to_head: bool = False) -> Answer:
        """Read exactly one response, as its Content-Length says."""
        while b"\r\n\r\n" not in self._pending:
            self._pending += self._received()
        head, _, self._pending = self._pending.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)
        }
        status = int(first.split()[1])
        size = 0 if to_head or status == 204 else int(headers["content-length"])
        while len(self._pending) < size:
            self._pending += self._received()
        body, self._pending = self._pending[:size], self._pending[size:]
        return Answer(status, headers, body, head + b"\r\n\r\n" + body)

    def _received(self) -> bytes:
        data = self._connection.recv(CHUNK)
        assert data, f"closed after {self._pending!r}"
        return data

    def is_closed(self) -> bool:
        """Wait for the server to close; ``False`` if it sends anything instead."""
        with contextlib.suppress(ConnectionResetError):
            self._pending += self._connection.recv(CHUNK)
        return not self._pending

    def is_closed_already(self) -> bool:
        """Whether the server has closed, without waiting for it."""
        patience = self._connection.gettimeout()
        self._connection.setblocking(False)
        try:
            return self.is_closed()
        except BlockingIOError:
            return False
        finally:
            self._connection.settimeout(patience)


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """Connect to ``port`` until the block ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        yield Wire(connection)


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of one request with a Host; ``body`` is appended as it is."""
    lines = [f"{method} {target} HTTP/1.1", "Host: api.example", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*parts: bytes) -> bytes:
    """A body in chunks (RFC 9112, section 7.1)."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return chunks + b"0\r\n\r\n"
