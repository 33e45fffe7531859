"""Migrations: bring a database to the schema of this release, and tell which one it has."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from todo.database import obstacles
from todo.database.engine import engine_url, maintenance_engine
from todo.database.errors import first_line
from todo.database.obstacles import ObstacleError
from todo.models import VERSION_TABLE

_version: Final = sa.Table(  # as Alembic makes it
    VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)
VERSION: Final = sa.select(_version.c.version_num)
"""Selects one row, with the revision that a database is at; no row at the base."""

_ALEMBICS: Final = "alembic_version"
"""Alembic's own name for the version table, which the first releases used; so may others."""


_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtext('todo migrations'))"
_SECONDS_BETWEEN_TRIES: Final = 0.1


class MigrationError(Exception):
    """The migration that failed was not made (those before it were, on PostgreSQL); the text is one
    line that says why, and what to do."""


def migrate(url: str, revision: str = "head", *, namespace: str | None = None) -> None:
    """Bring the database at ``url`` to ``revision``; two processes may do so at once.

    ``namespace`` is the schema of PostgreSQL that the tables are in; it is made where there is
    none. ``None`` is wherever the connection's ``search_path`` leads. A lower revision migrates
    down, for tests and for a release that is taken back. Raises :class:`MigrationError`.
    """
    try:
        _make_folder(url)
        engine = maintenance_engine(url)
        try:
            with _alone(engine), engine.connect() as connection:
                _migrate(connection, revision, namespace)
        finally:
            engine.dispose()
    except (ObstacleError, CommandError) as reason:
        raise MigrationError(str(reason)) from None
    except (SQLAlchemyError, OSError) as error:
        raise MigrationError(first_line(error)) from error


def _migrate(connection: sa.Connection, revision: str, namespace: str | None) -> None:
    config = _config()
    config.attributes["connection"] = connection
    _begin(connection)
    try:
        if namespace is not None:
            _enter(connection, namespace)
        present = _revision_without_obstacles(connection)
        lower = _is_below(revision, present)
        (command.downgrade if lower else command.upgrade)(config, revision)
    except BaseException:
        if not connection.invalidated:
            connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def head() -> str:
    """Return the revision that this release needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 - the wheel ships migrations
    return revision


def current(engine: Engine) -> str | None:
    """Return the revision that a database is at, ``None`` for one that was never migrated.

    ``engine`` leads to the schema, if the tables are in one of their own. Raises SQLAlchemy's
    errors when it cannot be reached.
    """
    with engine.connect() as connection:
        names = connection.get_execution_options().get("schema_translate_map", {})
        if not sa.inspect(connection).has_table(VERSION_TABLE, schema=names.get(None)):
            return None
        return connection.execute(VERSION).scalar()


def _revision_without_obstacles(connection: sa.Connection) -> str | None:
    """Return the revision that the tables are at, ``None`` without tables.

    Raises :class:`ObstacleError` when relations of others are in the way.
    """
    found = obstacles.relations(connection)
    revision = None
    if VERSION_TABLE in found:
        obstacles.check_version_table(connection)
        revision = connection.execute(VERSION).scalar()
        _check_known(revision)
    elif (revision := _earlier_revision(connection)) is not None:
        _version.create(connection)
        connection.execute(sa.insert(_version).values(version_num=revision))
    obstacles.check_users(connection)
    obstacles.check(connection, found, migrated=revision is not None)
    return revision


def _earlier_revision(connection: sa.Connection) -> str | None:
    """Return the revision that an early release wrote into Alembic's own version table.

    It counts only where the tables are this API's: others number their revisions like this, too.
    """
    if not sa.inspect(connection).has_table(_ALEMBICS) or not obstacles.is_ours(connection):
        return None
    rows = connection.execute(sa.text(f"SELECT version_num FROM {_ALEMBICS}")).scalars().all()  # noqa: S608
    return rows[0] if len(rows) == 1 and rows[0] in _revisions() else None


def _check_known(revision: str | None) -> None:
    if revision is not None and revision not in _revisions():
        raise MigrationError(
            f"at revision {revision}, which a later release made; this release knows {head()} at "
            "most; install that release (its 'todo migrate' is the only one that leads back)"
        )


def _revisions() -> list[str]:
    """Return every revision of this release, from the first to the last."""
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return [step.revision for step in steps][::-1]


def _begin(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA busy_timeout = 60000")
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
    else:
        connection.exec_driver_sql("BEGIN")


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Keep other migrations out (PostgreSQL; on SQLite ``BEGIN EXCLUSIVE`` does).

    A connection of its own holds the lock, since a migration may be several transactions. The lock
    is one of a transaction, which survives a pooler in transaction mode. Nobody waits for it inside
    of a statement: an index that is made beside writers waits for the end of every such statement.
    """
    if engine.dialect.name == "sqlite":
        yield
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        while not connection.exec_driver_sql(_LOCK).scalar():
            time.sleep(_SECONDS_BETWEEN_TRIES)
        yield
        connection.exec_driver_sql("ROLLBACK")


def _enter(connection: sa.Connection, namespace: str) -> None:
    """Make the schema of PostgreSQL unless it exists; see no other schema until COMMIT.

    ``CREATE SCHEMA IF NOT EXISTS`` needs the right to make schemas even where the schema exists.
    """
    if connection.dialect.name != "postgresql":
        raise MigrationError("only PostgreSQL has schemas; unset DATABASE_SCHEMA")
    if not sa.inspect(connection).has_schema(namespace):
        connection.execute(sa.schema.CreateSchema(namespace))
    connection.exec_driver_sql(f'SET LOCAL search_path TO "{namespace}"')


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("todo") / "migrations").replace("%", "%%"))
    return config


def _is_below(revision: str, present: str | None) -> bool:
    revisions = _revisions()
    if present is None or revision not in revisions:
        return revision == "base" or revision.startswith("-")
    return revisions.index(revision) < revisions.index(present)


def _make_folder(url: str) -> None:
    parsed = engine_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(str(parsed.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
