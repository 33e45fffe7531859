"""The access log: one line for each request, written when its response is over.

The line says which operation was asked for, and never with what: it has no path, no query, no
header but the request id and the trace, and the user's id only as a keyed hash. So there is nothing
in it to mask.

Requests only leave their exchange here. The lines of a moment are made and written together. A line
made and written within each request costs four times as much: a logging library's way is long, and
Python lets another thread run whenever it writes, while the event loop waits for its turn.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import structlog
from starlette.types import Scope

from todo.http.exchange import Exchange
from todo.metrics.catalogue import LOG_LINES_LOST

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods that a line names; any other one is ``OTHER``."""
HASH_BYTES: Final = 8
"""Bytes of a user's hash, which is written as twice as many hexadecimal digits."""
WAIT_SECONDS: Final = 0.05
"""How long a line may wait for others, with which it is written."""
PIECE_BYTES: Final = 4096
"""The most that is written at once. As much goes into a pipe whole (``PIPE_BUF`` of Linux), so that
the lines of two workers never mix."""
_STANDARD_ERROR: Final = 2
_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z

log = structlog.get_logger("todo.access")


def hash_key(secret: str | None) -> bytes:
    """Return the key that hashes users: made of ``secret``, so that hashes stay the same.

    Without a secret the key is random: the hashes of another start, or machine, are others.
    """
    if secret is None:
        return os.urandom(32)
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"todo access log").digest()


def hashed(user: str, key: bytes) -> str:
    """Return what stands for the id of a ``user`` in the log."""
    text = user.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=key, digest_size=HASH_BYTES).hexdigest()


class AccessLog:
    """Writes a line for each exchange, at the level ``info``. For one event loop at a time."""

    def __init__(self, key: bytes, form: str) -> None:
        """``key`` hashes users; ``form`` is that of ``LOG_FORMAT``: ``json`` or ``console``."""
        self._key = key
        self._write = _write_json if form == "json" else _write_events
        self._waiting: list[tuple[str, Exchange]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop that will write what waits."""

    def __call__(self, scope: Scope, exchange: Exchange) -> None:
        """Write the line of an exchange, in :data:`WAIT_SECONDS` at the latest."""
        self._waiting.append((scope["method"], exchange))
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(WAIT_SECONDS, self._write_waiting)

    def _write_waiting(self) -> None:
        self._loop = None
        self.flush()

    def flush(self) -> None:
        """Write the lines that wait."""
        waiting, self._waiting = self._waiting, []
        moment, counter = datetime.now(UTC), time.perf_counter()
        self._write(
            (moment - timedelta(seconds=counter - exchange.ended), self._fields(method, exchange))
            for method, exchange in waiting
        )

    def _fields(self, method: str, exchange: Exchange) -> dict[str, Any]:
        """Return the members of a line; what is not known of an exchange is left out."""
        fields: dict[str, Any] = {"request_id": exchange.request_id}
        fields["method"] = method if method in METHODS else "OTHER"
        if exchange.operation is not None:
            fields["operation"] = exchange.operation
        fields["status"] = exchange.status
        if exchange.code is not None:
            fields["code"] = exchange.code
        fields["duration_ms"] = round(exchange.seconds * 1000, 2)
        if (waited_for_own := exchange.waited_for_own) is not None:
            fields["queued_ms"] = round(waited_for_own * 1000, 2)
        if (waited := exchange.waited) is not None:
            fields["waited_ms"] = round(waited * 1000, 2)
        if exchange.database is not None:
            fields["database_ms"] = round(exchange.database * 1000, 2)
        fields["bytes"] = exchange.sent
        if exchange.user is not None:
            fields["user"] = hashed(exchange.user, self._key)
        if exchange.traceparent is not None:
            fields["traceparent"] = exchange.traceparent
        return fields


_Lines = Iterable[tuple[datetime, dict[str, Any]]]


def _write_json(lines: _Lines) -> None:
    """Write the lines. Those that cannot be written are lost, and counted."""
    for piece in _pieces(lines):
        try:
            os.write(_STANDARD_ERROR, b"".join(piece))
        except OSError:  # the disk behind the log is full, or nobody reads it: requests go on
            LOG_LINES_LOST.inc(by=len(piece))


def _pieces(lines: _Lines) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for moment, fields in lines:
        event = {"timestamp": moment, "level": "info", "logger": "todo.access", "event": "request"}
        line = orjson.dumps({**event, **fields}, option=_OPTIONS)
        size += len(line)
        if piece and size > PIECE_BYTES:
            yield piece
            piece, size = [], len(line)
        piece.append(line)
    if piece:
        yield piece


def _write_events(lines: _Lines) -> None:
    """Let :mod:`todo.logs` write the lines, which escapes what a terminal would obey."""
    for _, fields in lines:
        log.info("request", **fields)
