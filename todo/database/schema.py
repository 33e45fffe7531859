"""Migrations: bringing a database to the schema of this release, and knowing whether it is."""

from importlib.resources import files
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from todo.database.engine import engine_url, maintenance_engine

VERSION: Final = sa.text("SELECT version_num FROM alembic_version")
"""Gives one row with the revision that a database is at, none when it is at its base."""


BETTER_AUTH_TABLES: Final = frozenset({"user", "session", "account", "verification", "jwks"})
"""What Better Auth calls its tables; none of them is ever created, altered or dropped here."""


class ForeignUsers(Exception):  # noqa: N818 - it is a state of the database
    """Better Auth has, or had, the table ``users`` here; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "Better Auth keeps its users in the table 'users' of this database (modelName), and "
            "this API needs that name; give the API a schema of its own, with "
            "?options=-csearch_path%3Dtodo on a direct URL or ALTER ROLE ... SET search_path"
        )


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``; two processes may do so at once.

    A lower revision migrates down; it is meant for tests and for a release that is taken back.
    Raises :class:`ForeignUsers`, and SQLAlchemy's errors.
    """
    _make_folder(url)
    engine = maintenance_engine(url)
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            _serialised(connection)
            try:
                check_users(connection)
                (command.downgrade if _is_below(revision) else command.upgrade)(config, revision)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()


def head() -> str:
    """Return the revision that this release needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 - the wheel ships migrations
    return revision


def current(engine: Engine) -> str | None:
    """Return the revision that a database is at, ``None`` for one that was never migrated.

    Raises SQLAlchemy's errors when it cannot be reached.
    """
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(VERSION).scalar()


def check_users(connection: sa.Connection) -> None:
    """Raise :class:`ForeignUsers` when the table ``users`` has a column of Better Auth's."""
    inspector = sa.inspect(connection)
    if inspector.has_table("users") and "emailVerified" in {
        column["name"] for column in inspector.get_columns("users")
    }:
        raise ForeignUsers


def better_auth_tables(connection: sa.Connection) -> list[str]:
    """Return those of Better Auth's tables that are in the database, sorted."""
    return sorted(BETTER_AUTH_TABLES & set(sa.inspect(connection).get_table_names()))


def _serialised(connection: sa.Connection) -> None:
    """Open a transaction that no second migration can be inside of.

    DDL is transactional in both databases: a migration that fails leaves nothing behind. The
    lock is one of the transaction, which survives a pooler in transaction mode.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA busy_timeout = 60000")
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('todo migrations'))")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("todo") / "migrations").replace("%", "%%"))
    return config


def _is_below(revision: str) -> bool:
    return revision == "base" or revision.startswith("-")


def _make_folder(url: str) -> None:
    parsed = engine_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(str(parsed.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
