"""Maps a database error to the problem code that the client gets."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from psycopg2 import errorcodes as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from todo.problems import Problem

_DETAILS: Final[Mapping[str, str]] = {
    "busy": "The database is busy with other requests.",
    "change_too_large": "The change took too long, because it covers too many tasks at once.",
    "database_unavailable": "The database is unavailable right now.",
    "schema_outdated": "The database schema is not the one that this server needs.",
    "storage_full": "The database has no room left.",
}

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: Final[Mapping[str, str]] = {
    pg.LOCK_NOT_AVAILABLE: "busy",
    pg.QUERY_CANCELED: "busy",
    pg.SERIALIZATION_FAILURE: "busy",
    pg.DEADLOCK_DETECTED: "busy",
    pg.TOO_MANY_CONNECTIONS: "database_unavailable",
    pg.READ_ONLY_SQL_TRANSACTION: "database_unavailable",  # a replica, after a fail-over
    pg.INSUFFICIENT_PRIVILEGE: "database_unavailable",  # until somebody grants it
    pg.DISK_FULL: "storage_full",
    pg.UNDEFINED_TABLE: "schema_outdated",
    pg.UNDEFINED_COLUMN: "schema_outdated",
}
_POSTGRESQL_CLASSES: Final[Mapping[str, str]] = {
    pg.CLASS_CONNECTION_EXCEPTION: "database_unavailable",
    pg.CLASS_INSUFFICIENT_RESOURCES: "database_unavailable",
    pg.CLASS_OPERATOR_INTERVENTION: "database_unavailable",  # shutting down, starting up
}

# https://www.sqlite.org/rescode.html; the low byte is the primary code.
_SQLITE: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_INTERRUPT: "busy",  # by our own deadline
    sqlite3.SQLITE_CANTOPEN: "database_unavailable",
    sqlite3.SQLITE_IOERR: "database_unavailable",
    sqlite3.SQLITE_READONLY: "database_unavailable",
    sqlite3.SQLITE_NOTADB: "database_unavailable",
    sqlite3.SQLITE_FULL: "storage_full",
}

RETRIABLE: Final = frozenset({pg.SERIALIZATION_FAILURE, pg.DEADLOCK_DETECTED})
"""SQLSTATEs after which the whole unit of work may be run again."""


class DatabaseDefectError(Exception):
    """A database error that a defect of this server caused.

    The text is the first line of the driver's text. PostgreSQL quotes the row in the other lines,
    and a title does not belong into a log.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error).partition("\n")[0])


def sqlstate(error: Exception) -> str | None:
    """Return the SQLSTATE of a wrapped psycopg2 error, if the server gave one."""
    return getattr(getattr(error, "orig", None), "pgcode", None)


def connection_lost(error: BaseException) -> bool:
    """Whether the connection died with ``error``."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def first_line(error: Exception) -> str:
    """Return the first line of the driver's text: PostgreSQL quotes the row in the other lines."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def problem_for(error: Exception, *, long: bool = False) -> Problem | None:
    """Return the problem that a client gets for ``error``; ``None`` for a defect of this server.

    ``long`` says that the work may take far longer than any wait for a lock. When the time of such
    work is up, the work itself took too long, so the problem is ``change_too_large``, not ``busy``.
    """
    if long and _time_was_up(error):
        return change_too_large()
    code = _code(error)
    return Problem(code, _DETAILS[code]) if code else None


def change_too_large() -> Problem:
    """Return the problem of a change of more tasks than a unit of work has time for."""
    return Problem("change_too_large", _DETAILS["change_too_large"])


def _time_was_up(error: Exception) -> bool:
    interrupted = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return sqlstate(error) == pg.QUERY_CANCELED or interrupted == sqlite3.SQLITE_INTERRUPT


def _code(error: Exception) -> str | None:
    if isinstance(error, PoolTimeout):
        return "busy"
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig)
    state = sqlstate(error)
    if state is None:  # the server did not respond: refused, reset, or past the deadline
        return "database_unavailable" if _is_operational(error) else None
    return _POSTGRESQL.get(state) or _POSTGRESQL_CLASSES.get(state[:2])


def _is_operational(error: DBAPIError) -> bool:
    return error.connection_invalidated or type(error).__name__ in (
        "OperationalError",
        "InterfaceError",
    )


def _sqlite_code(error: sqlite3.Error) -> str | None:
    if "no such table" in str(error) or "no such column" in str(error):
        return "schema_outdated"
    return _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
