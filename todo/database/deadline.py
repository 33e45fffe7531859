"""A deadline for every wait on PostgreSQL, and for SQLite's work.

psycopg2 blocks in libpq without any time limit when a server hangs or the network swallows
packets. With psycopg2's wait callback this module waits itself, so that a request gets a response
in time whatever the server does. Time-outs set on the server cannot do this, and a session SET
would leak through PgBouncer.
"""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg2
from psycopg2 import extensions

STATEMENT_SECONDS: Final = 4.0
"""How long the statements of one read, or of one unit of work, may take together."""


class DeadlinePassed(psycopg2.OperationalError):
    """The server did not respond in time.

    SQLAlchemy recognises a lost connection by this text, and discards the connection. That is
    needed, because the state of the protocol is unknown after an aborted wait.
    """

    def __init__(self) -> None:
        super().__init__("could not receive data from server: the deadline has passed")


_local = threading.local()


@contextmanager
def scope(seconds: float = STATEMENT_SECONDS) -> Iterator[None]:
    """Limit the database work of this thread inside the block to ``seconds`` in all.

    Outside of a block each wait may take :data:`STATEMENT_SECONDS`. A thread serves one request
    after the other, and no request inherits the remaining time of an earlier one.
    """
    begun = time.monotonic()
    _local.end = begun + seconds
    try:
        yield
    finally:
        del _local.end
        _local.spent = getattr(_local, "spent", 0.0) + time.monotonic() - begun


def take_spent() -> float:
    """Return the seconds that this thread spent inside of blocks since the last call."""
    spent: float = getattr(_local, "spent", 0.0)
    _local.spent = 0.0
    return spent


def remaining() -> float:
    """Return the remaining seconds of this thread's block: 0 or less when the time is over.

    Outside of a block the result is the limit of a single wait, :data:`STATEMENT_SECONDS`.
    """
    end: float | None = getattr(_local, "end", None)
    return STATEMENT_SECONDS if end is None else end - time.monotonic()


def has_passed() -> bool:
    """Whether the time of this thread's block is over; SQLite calls this regularly, too."""
    return remaining() <= 0


def install() -> None:
    """Make psycopg2 wait with the deadline of the thread, in this whole process."""
    extensions.set_wait_callback(_wait)


def _wait(connection: Any) -> None:
    """Wait until ``connection`` is ready (psycopg2's documented protocol for callbacks)."""
    poll = select.poll()
    registered = None
    while (state := connection.poll()) != extensions.POLL_OK:
        fileno = connection.fileno()
        if registered not in (None, fileno):  # libpq changes sockets when it tries addresses
            poll.unregister(registered)
        poll.register(fileno, select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        registered = fileno
        seconds = remaining()
        if seconds <= 0 or not poll.poll(seconds * 1000):
            raise DeadlinePassed
