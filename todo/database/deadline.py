"""A deadline for every wait on PostgreSQL, and for SQLite's work.

psycopg2 blocks in libpq without any time limit when a server hangs or the network swallows
packets. Its wait callback lets us wait ourselves, so that a request is answered in time whatever
the server does. Time-outs set on the server cannot do this, and a session SET would leak through
PgBouncer.
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
    """The server did not answer in time.

    The text is one that SQLAlchemy takes for a lost connection, so it discards the connection:
    after an aborted wait its protocol state is unknown.
    """

    def __init__(self) -> None:
        super().__init__("could not receive data from server: the deadline has passed")


_local = threading.local()


@contextmanager
def scope(seconds: float = STATEMENT_SECONDS) -> Iterator[None]:
    """Give the database work of this thread, inside of the block, ``seconds`` together.

    Outside of a block every single wait may take :data:`STATEMENT_SECONDS`: a thread serves one
    request after the other, and none inherits what an earlier one had left.
    """
    _local.end = time.monotonic() + seconds
    try:
        yield
    finally:
        del _local.end


def remaining() -> float:
    """Return the seconds that this thread's block has left: 0 or less when they are over.

    Outside of a block it is what every single wait may take.
    """
    end: float | None = getattr(_local, "end", None)
    return STATEMENT_SECONDS if end is None else end - time.monotonic()


def has_passed() -> bool:
    """Whether the time of this thread's block is over; SQLite, too, asks now and then."""
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
