"""The ends of a user's log: where it ends after a unit of work, and what goes at its beginning."""

from typing import Final

from sqlalchemy import Connection, bindparam, select

from todo.database.prepared import execute
from todo.models import changes
from todo.sync import writer
from todo.sync.log import LogState, LogUnit

BATCH: Final = 2000
"""Entries that one statement deletes."""
_SLACK: Final = 100
"""A log that is too long is made shorter by this part of it, so that not every change does it."""

_NONCE: Final = select(changes.c.nonce).where(
    changes.c.user_id == bindparam("of_user"), changes.c.revision == bindparam("floor")
)


def after(
    connection: Connection, log: LogState, unit: LogUnit, revision: int, most: int | None
) -> LogState:
    """Return the state of the ``log`` after ``unit``, which ended at ``revision``.

    It has at most so many entries, where there is a bound: the oldest are deleted. The caller holds
    the user's lock. The entries of ``unit`` that are still to be written are the newest, and stay.
    """
    if revision >= unit.first:  # what is deleted for good takes no revision
        log = log._replace(nonce=unit.nonce, logged=revision)
    if most is None or revision - log.log_floor <= most:
        return log
    floor = revision - most + most // _SLACK
    rows = execute(connection, _NONCE, {"of_user": unit.user_id, "floor": floor})
    nonce = rows[0].nonce if rows else unit.nonce
    writer.forget_entries(connection, unit.user_id, floor, BATCH)
    return log.beginning_at(floor, nonce)
