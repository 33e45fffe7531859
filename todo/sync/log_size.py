"""How long the logs of all users are together, for the metrics."""

from typing import Final

from sqlalchemy import func, select

from todo.database.transactions import read
from todo.models import users

_ENTRIES: Final = select(func.coalesce(func.sum(users.c.revision - users.c.log_floor), 0))


def log_entries() -> int:
    """Return how many entries the log of changes has, of all users.

    A log has each revision behind its floor once, so the users' rows tell, and the log is not read.
    Raises :class:`Problem`: ``database_unavailable``, ``busy``.
    """
    [(entries,)] = read(_ENTRIES, {}, scans=True)
    return int(entries)
