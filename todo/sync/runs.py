"""Running units of work: in a transaction, again where that can help, once under one key."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from todo.auth.user import User
from todo.database import transactions
from todo.database.deadline import STATEMENT_SECONDS
from todo.metrics.catalogue import REPLAYS
from todo.sync import idempotency
from todo.sync.idempotency import Repeatable
from todo.sync.log import USER
from todo.sync.unit_of_work import UnitOfWork

T = TypeVar("T")


def run(
    user: User,
    work: Callable[[UnitOfWork], T],
    *,
    repeatable: Repeatable | None = None,
    seconds: float = STATEMENT_SECONDS,
    by: str = USER,
    most_entries: int | None = None,
) -> tuple[T, bool]:
    """Return what ``work`` returns, once all that it recorded is committed; and whether that was
    done by an earlier request under the same key.

    ``work`` may run more than once, so it holds no state outside. ``by`` is who does it; the
    log keeps ``most_entries`` of the user's, or all of them. Raises :class:`Problem`: what
    :func:`todo.database.transactions.write`, :func:`todo.sync.idempotency.find` and ``work`` raise.
    """

    def transaction(connection: Connection) -> tuple[T, bool]:
        unit = UnitOfWork(connection, user, by=by, most_entries=most_entries)
        if repeatable is None:
            result = work(unit)
        else:
            with idempotency.announced(connection, user.id, repeatable.key):
                unit.lock()
            if (kept := idempotency.find(connection, user.id, repeatable)) is not None:
                return kept, True
            result = work(unit)
            unit.keep(repeatable, result)
        unit.write()
        return result, False

    result, was_done_before = transactions.write(transaction, seconds=seconds)
    if was_done_before:
        REPLAYS.inc()
    return result, was_done_before
