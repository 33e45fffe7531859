"""What the benchmark asks of PostgreSQL itself, beside the contenders."""

from contextlib import closing

import psycopg2

from tests.benchmarks.cpu import parent_of
from tests.servers.postgres import PostgresServer


def set_time_zone(dsn: str) -> None:
    """Give the database the time zone that hosted ones have; the tests' has an odd one."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE \"{connection.info.dbname}\" SET timezone TO 'UTC'")


def settle(dsn: str) -> None:
    """Let the planner know the data, and leave autovacuum nothing to do during the rounds."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True  # VACUUM refuses to run inside a transaction
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def postmaster_pid(server: PostgresServer, dsn: str) -> int | None:
    """The process whose tree is all of PostgreSQL: the parent of the one that serves us here.

    None when the server was lent to us (`TODO_TEST_DATABASE_URL`): it may be on another machine,
    and other people's work would be counted.
    """
    if server.source == "url":
        return None
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
        assert row is not None
        return parent_of(int(row[0]))
