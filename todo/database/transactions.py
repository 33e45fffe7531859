"""The only ways to read and to write.

A read is one statement in autocommit. A write is a unit of work: a function that
gets a connection inside a transaction, locks the user first, decides, and writes. It may be run
more than once, so it holds no state outside.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import SQLAlchemyError

from todo.database import deadline
from todo.database.errors import (
    RETRIABLE,
    DatabaseDefectError,
    change_too_large,
    connection_lost,
    problem_for,
    sqlstate,
)
from todo.database.prepared import execute
from todo.metrics.catalogue import RETRIES
from todo.models import db
from todo.problems import Problem

LOCK_MS: Final = 2000
"""How long a unit of work waits for a row lock (PostgreSQL)."""
LAST_SECONDS: Final = 1.0
"""How long before the deadline of its unit of work PostgreSQL ends a statement, the lock waits in
it included: the client hears why, and the connection lives."""
MANY_SECONDS: Final = 60.0
"""How long the statements of a change of many tasks may take together (PostgreSQL)."""
ATTEMPTS: Final = 5
"""How often a unit of work is tried before the client is told to come back."""
BACKOFF_SECONDS: Final = 0.02
"""The mean of the first pause between two attempts; it doubles each time."""

# SET LOCAL ends with the transaction: safe behind PgBouncer in transaction mode.
_BEGIN_POSTGRESQL: Final = f"BEGIN; SET LOCAL lock_timeout = {LOCK_MS}"
_BEGIN_SQLITE: Final = "BEGIN IMMEDIATE"

T = TypeVar("T")


class _CommitError(Exception):
    """COMMIT was sent and did not succeed; the database's error is the cause."""

    __cause__: SQLAlchemyError


def read(
    statement: Executable,
    parameters: Mapping[str, Any],
    *,
    scans: bool = False,
    seconds: float = deadline.STATEMENT_SECONDS,
) -> Sequence[Any]:
    """Run one ``statement`` and return its rows; the statement may take ``seconds``.

    PostgreSQL itself ends a statement that ``scans`` all of a user's tasks in that time, since
    nobody waits for it longer. A connection that died while idle is noticed here, and the statement
    runs once more on a new one. Raises :class:`Problem`: ``database_unavailable``, ``busy``,
    ``schema_outdated``.
    """
    with deadline.scope(seconds):
        return _read(statement, parameters, scans=scans)


def _read(statement: Executable, parameters: Mapping[str, Any], *, scans: bool) -> Sequence[Any]:
    for last in (False, True):
        try:
            with db.engine.connect() as connection:
                if scans and connection.dialect.name == "postgresql":
                    # One message with several statements is one transaction of PostgreSQL's.
                    _driver(connection).carry(_statement_timeout())
                return execute(connection, statement, parameters)
        except SQLAlchemyError as error:
            if connection_lost(error) and not last and not _is_deadline(error):
                continue
            _give_up(error)
    raise AssertionError  # pragma: no cover - the loop returns or raises


def write(unit: Callable[[Connection], T], *, seconds: float = deadline.STATEMENT_SECONDS) -> T:
    """Run ``unit`` in a transaction and return its result once it is committed.

    All of its attempts and waits may take ``seconds`` together.

    Before COMMIT is sent, a serialization failure, a deadlock or a connection that died start
    the whole unit again, at most :data:`ATTEMPTS` times. After that nothing is retried. Raises
    :class:`Problem`: ``outcome_unknown`` when the connection died while committing,
    ``database_unavailable``, ``busy``, ``storage_full``, ``schema_outdated`` (nothing was
    written), ``change_too_large`` instead of ``busy`` when the time of a long unit is up, and
    whatever problem ``unit`` raises (rolled back).
    """
    with deadline.scope(seconds):
        return _write(unit, long=seconds > deadline.STATEMENT_SECONDS)


def _write(unit: Callable[[Connection], T], *, long: bool) -> T:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction() as connection:
                return unit(connection)
        except _CommitError as failed:
            if not connection_lost(failed.__cause__):
                _give_up(failed.__cause__, long=long)
            raise Problem(
                "outcome_unknown", "The connection to the database was lost during the commit."
            ) from failed.__cause__
        except SQLAlchemyError as error:
            if attempt == ATTEMPTS or not _may_retry(error):
                _give_up(error, long=long)
            RETRIES.inc("connection_lost" if connection_lost(error) else "conflict")
            time.sleep(random.uniform(0, BACKOFF_SECONDS * 2**attempt))  # noqa: S311 - jitter
    raise AssertionError  # pragma: no cover - the loop returns or raises


@contextmanager
def transaction() -> Iterator[Connection]:
    """Open the transaction of a unit of work: BEGIN, then COMMIT, or ROLLBACK on any exception.

    Raises :class:`_CommitError` when the database refuses COMMIT, and when the connection is lost
    between sending it and reading the response.
    """
    with db.engine.connect() as connection:
        driver_connection = _begin(connection)
        try:
            yield connection
        except BaseException as error:
            committing = _has_sent_commit(driver_connection)
            _roll_back(connection)
            if committing and connection_lost(error):
                raise _CommitError from error
            raise
        if _has_sent_commit(driver_connection):
            return
        try:
            connection.exec_driver_sql("COMMIT")
        except SQLAlchemyError as error:
            _roll_back(connection)
            raise _CommitError from error


def commit_with_next(connection: Connection) -> None:
    """Let the next statement, the last of its unit of work, carry COMMIT (PostgreSQL).

    The statement gives no rows then. It fails like any other, and its unit with it; only when the
    connection is lost meanwhile nobody knows which of the two came first.
    """
    if connection.dialect.name == "postgresql":
        _driver(connection).behind = "COMMIT"


def _has_sent_commit(driver_connection: Any) -> bool:
    return getattr(driver_connection, "sent_behind", False)


def _begin(connection: Connection) -> Any:
    """Begin the transaction with the next statement, or now (SQLite); return the driver's side."""
    driver_connection = _driver(connection)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_BEGIN_SQLITE)
    else:
        driver_connection.carry(f"{_BEGIN_POSTGRESQL}; {_statement_timeout()}")
    return driver_connection


def go_on(tx: Connection) -> None:
    """Let the next statement of a long unit of work take what is left of the unit's time.

    Raises :class:`Problem` ``change_too_large`` when nothing is left.
    """
    if deadline.has_passed():
        raise change_too_large()
    if tx.dialect.name == "postgresql":
        driver_connection = _driver(tx)
        waiting = driver_connection.before
        timeout = _statement_timeout()
        driver_connection.before = f"{waiting}; {timeout}" if waiting else timeout


def _statement_timeout() -> str:
    milliseconds = int((deadline.remaining() - LAST_SECONDS) * 1000)
    return f"SET LOCAL statement_timeout = {max(milliseconds, 1)}"  # 0 would be no limit


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _roll_back(connection: Connection) -> None:
    """Leave no transaction open on a pooled connection, or no connection."""
    if connection.invalidated:
        return
    if connection.dialect.name == "postgresql":
        driver_connection = _driver(connection)
        driver_connection.carry(driver_connection.before)  # BEGIN, where it was not sent yet
    try:
        connection.exec_driver_sql("ROLLBACK")
    except SQLAlchemyError:
        connection.invalidate()


def _may_retry(error: SQLAlchemyError) -> bool:
    if _is_deadline(error):
        return False
    return connection_lost(error) or sqlstate(error) in RETRIABLE


def _is_deadline(error: SQLAlchemyError) -> bool:
    return isinstance(getattr(error, "orig", None), deadline.DeadlinePassed)


def _give_up(error: SQLAlchemyError, *, long: bool = False) -> NoReturn:
    if problem := problem_for(error, long=long):
        raise problem from error
    raise DatabaseDefectError(error).with_traceback(error.__traceback__) from None
