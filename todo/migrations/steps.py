"""The transactions of a migration.

On PostgreSQL each migration is a transaction, or several: a lock on a table is kept until the end
of the transaction, and keeps requests waiting. SQLite's migrations are one transaction, all
together: only writers wait for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


@contextmanager
def between_transactions(connection: sa.Connection) -> Iterator[str | None]:
    """Commit what was done so far, and open the next transaction at the end (PostgreSQL).

    Give the name of the schema that the tables are in, which statements in between have to say;
    ``None`` on SQLite, where nothing is committed.
    """
    if connection.dialect.name == "sqlite":
        yield None
        return
    schema, path = connection.exec_driver_sql(
        "SELECT current_schema(), current_setting('search_path')"
    ).one()
    connection.exec_driver_sql("COMMIT")
    yield schema
    connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql("SELECT set_config('search_path', %s, true)", (path,))


def commit(connection: sa.Connection) -> None:
    """Commit what was done so far, and open the next transaction (PostgreSQL)."""
    with between_transactions(connection):
        pass
