"""What a database error means for the client: `todo.database.errors`."""

import sqlite3
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy import exc

from todo.database.deadline import DeadlinePassed
from todo.database.errors import DatabaseDefectError, connection_lost, problem_for, sqlstate

DETAILS = {
    "busy": "The database is busy with other requests.",
    "change_too_large": "The change took too long, because it covers too many tasks at once.",
    "database_unavailable": "The database is unavailable right now.",
    "schema_outdated": "The database schema is not the one that this server needs.",
    "storage_full": "The database has no room left.",
}


def wrapped(original, base, *, invalidated=False):
    """The error that SQLAlchemy raises for a driver's ``original``."""
    return exc.DBAPIError.instance(
        "INSERT", {"title": "Secret"}, original, base, connection_invalidated=invalidated
    )


def postgresql(state, kind=psycopg2.OperationalError, text="the server's text"):
    """The error of a PostgreSQL server that answered with a SQLSTATE, or of none."""
    original = kind(text)
    original.__setstate__({"pgcode": state})
    return wrapped(original, psycopg2.Error)


def sqlite(code, text="SQLite's text"):
    """The error of SQLite that has an (extended) result code."""
    original = sqlite3.OperationalError(text)
    original.sqlite_errorcode = code
    return wrapped(original, sqlite3.Error)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("55P03", "busy"),  # lock_not_available
        ("57014", "busy"),  # query_canceled: a time-out
        ("40001", "busy"),  # serialization_failure
        ("40P01", "busy"),  # deadlock_detected
        ("53300", "database_unavailable"),  # too_many_connections
        ("53200", "database_unavailable"),  # out_of_memory
        ("25006", "database_unavailable"),  # read_only_sql_transaction: a replica
        ("42501", "database_unavailable"),  # insufficient_privilege: nobody granted it
        ("08006", "database_unavailable"),  # connection_failure
        ("08P01", "database_unavailable"),  # protocol_violation
        ("57P01", "database_unavailable"),  # admin_shutdown
        ("57P03", "database_unavailable"),  # cannot_connect_now: it starts
        ("53100", "storage_full"),  # disk_full
        ("42P01", "schema_outdated"),  # undefined_table
        ("42703", "schema_outdated"),  # undefined_column
    ],
)
def test_a_sqlstate_that_the_client_can_wait_out_is_a_problem(state, code):
    problem = problem_for(postgresql(state))

    assert (problem.code, problem.detail) == (code, DETAILS[code])


@pytest.mark.parametrize("state", ["23505", "23514", "23502", "42601", "22P02", "P0001", "XX000"])
def test_any_other_sqlstate_is_a_defect_of_ours(state):
    assert problem_for(postgresql(state, psycopg2.IntegrityError)) is None
    assert problem_for(postgresql(state)) is None


@pytest.mark.parametrize("kind", [psycopg2.OperationalError, psycopg2.InterfaceError])
def test_no_answer_from_a_server_is_database_unavailable(kind):
    problem = problem_for(postgresql(None, kind))

    assert (problem.code, problem.detail) == (
        "database_unavailable",
        DETAILS["database_unavailable"],
    )


def test_a_passed_deadline_is_database_unavailable():
    assert problem_for(wrapped(DeadlinePassed(), psycopg2.Error)).code == "database_unavailable"


def test_a_lost_connection_is_database_unavailable_whatever_its_class():
    lost = wrapped(psycopg2.DatabaseError("gone"), psycopg2.Error, invalidated=True)

    assert connection_lost(lost)
    assert problem_for(lost).code == "database_unavailable"


def test_a_driver_error_without_a_state_is_a_defect_of_ours():
    assert problem_for(postgresql(None, psycopg2.ProgrammingError)) is None


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (sqlite3.SQLITE_BUSY, "busy"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "busy"),
        (sqlite3.SQLITE_LOCKED, "busy"),
        (sqlite3.SQLITE_CANTOPEN, "database_unavailable"),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "database_unavailable"),
        (sqlite3.SQLITE_IOERR_READ, "database_unavailable"),
        (sqlite3.SQLITE_READONLY, "database_unavailable"),
        (sqlite3.SQLITE_FULL, "storage_full"),
    ],
)
def test_a_sqlite_result_that_the_client_can_wait_out_is_a_problem(result, code):
    problem = problem_for(sqlite(result))

    assert (problem.code, problem.detail) == (code, DETAILS[code])


@pytest.mark.parametrize(
    "result",
    [sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.SQLITE_CORRUPT],
)
def test_any_other_sqlite_result_is_a_defect_of_ours(result):
    assert problem_for(sqlite(result)) is None


@pytest.mark.parametrize("statement", ["SELECT * FROM tasks", "SELECT title FROM (SELECT 1)"])
def test_sqlite_names_a_missing_table_or_column_in_its_text_only(statement):
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError) as raised,
    ):
        connection.execute(statement)

    assert problem_for(wrapped(raised.value, sqlite3.Error)).code == "schema_outdated"


@pytest.mark.parametrize("ended", [postgresql("57014"), sqlite(sqlite3.SQLITE_INTERRUPT)])
def test_long_work_whose_time_is_up_was_too_large_and_short_work_is_kept_from_it(ended):
    long, short = problem_for(ended, long=True), problem_for(ended)

    assert (long.code, long.detail) == ("change_too_large", DETAILS["change_too_large"])
    assert (short.code, short.detail) == ("busy", DETAILS["busy"])


@pytest.mark.parametrize("waited", [postgresql("55P03"), sqlite(sqlite3.SQLITE_BUSY)])
def test_long_work_that_waited_for_a_lock_is_busy(waited):
    assert problem_for(waited, long=True).code == "busy"


def test_a_pool_that_ran_dry_is_busy():
    assert problem_for(exc.TimeoutError("QueuePool limit reached")).code == "busy"


@pytest.mark.parametrize("error", [ValueError("x"), exc.ArgumentError("x"), KeyError("x")])
def test_an_error_of_no_database_is_a_defect_of_ours(error):
    assert problem_for(error) is None
    assert not connection_lost(error)
    assert sqlstate(error) is None


def test_the_text_of_a_defect_has_no_values_in_it():
    text = 'violates constraint "inside"\nDETAIL:  Key (title)=(Secret) already exists.'
    error = postgresql("23505", psycopg2.IntegrityError, text)

    assert "Secret" in str(error)
    assert (
        str(DatabaseDefectError(error)) == '(psycopg2.IntegrityError) violates constraint "inside"'
    )
