"""Checks of the database: each says what it found, or raises :class:`CheckFailedError`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from todo.auth.jwks import STALE_SECONDS
from todo.cli.check import CheckFailedError, check_clock
from todo.database import obstacles, schema
from todo.database.engine import engine_url, is_postgresql, maintenance_engine
from todo.database.errors import first_line
from todo.database.issuer_keys import last_confirmed
from todo.database.pooler import is_pooled
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings

_IDENTITY: Final = sa.text(
    "SELECT oid, datname, pg_postmaster_start_time() FROM pg_database "
    "WHERE datname = current_database()"
)
_NOT_SHARED: Final = "none yet; the first server that fetches the keys keeps them for all"


def check_server(settings: Settings) -> str:
    """Return which release of a database answers; check its clock, too."""
    if _is_new(settings):
        return f"SQLite {sqlite3.sqlite_version}; the first start creates the database"
    engine = maintenance_engine(settings.sqlalchemy_url)
    with _told("check DATABASE_URL and that the server runs"), engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            return f"SQLite {_value(connection, 'SELECT sqlite_version()')}"
        version = _value(connection, "SHOW server_version")
        now = _value(connection, "SELECT extract(epoch FROM clock_timestamp())")
        check_clock(float(now), "the database's", settings)
        return f"PostgreSQL {version}"


def check_schema(settings: Settings) -> str:
    """Return the revision of the tables, which is the one that this release needs."""
    if _is_new(settings):
        return "the tables do not exist yet; the first start creates them"
    engine = maintenance_engine(settings.sqlalchemy_url, namespace=settings.database_schema)
    with _told():
        revision = schema.current(engine)
    if revision is None:
        raise CheckFailedError("the database has none of this API's tables; run 'todo migrate'")
    if revision != schema.head():
        raise CheckFailedError(
            f"at {revision}, but this release needs {schema.head()}; run 'todo migrate'"
        )
    return f"at revision {revision}"


def check_migrations(settings: Settings) -> str:
    """Return where ``todo migrate`` goes: to the database that the server uses."""
    if (url := settings.migration_database_url) is None:
        return "'todo migrate' uses DATABASE_URL"
    with _told("check MIGRATION_DATABASE_URL"):
        here, there = _identity(settings.sqlalchemy_url), _identity(url, "MIGRATION_DATABASE_URL")
    if here != there:
        raise CheckFailedError(
            "MIGRATION_DATABASE_URL leads to another database than DATABASE_URL, so 'todo migrate' "
            "does not make the server's tables; mend one of the two"
        )
    return "MIGRATION_DATABASE_URL leads to the same database"


def _identity(url: str, variable: str = "DATABASE_URL") -> tuple[object, ...]:
    """Return what no other database has, whichever way leads to it."""
    parsed = engine_url(url, variable)
    if not is_postgresql(parsed):
        return (Path(str(parsed.database)).resolve(),)
    with maintenance_engine(url).connect() as connection:
        return tuple(connection.execute(_IDENTITY).one())


def check_pooler(settings: Settings) -> str:
    """Return which of the two URLs lead through a pooler."""
    migrations = settings.migration_database_url
    with _told():
        if not is_pooled(settings.sqlalchemy_url):
            return "none"
        if migrations is None:
            return (
                "DATABASE_URL leads through a pooler; "
                "give 'todo migrate' a direct URL with MIGRATION_DATABASE_URL"
            )
        if is_pooled(migrations, "MIGRATION_DATABASE_URL"):
            return "MIGRATION_DATABASE_URL leads through a pooler; set it to a direct URL"
    return "DATABASE_URL leads through a pooler, and MIGRATION_DATABASE_URL is direct"


def check_better_auth(settings: Settings) -> str:
    """Return which tables of Better Auth share the database; fail if any is in our way."""
    if _is_new(settings):
        return "the database has no tables of Better Auth"
    engine = maintenance_engine(settings.sqlalchemy_url)
    with _told(), engine.connect() as connection:
        obstacles.check_users(connection, settings.database_schema)
        tables = obstacles.better_auth_tables(connection)
    if not tables:
        return "the database has no tables of Better Auth"
    return (
        f"the database has tables of Better Auth ({', '.join(tables)}); this API never touches them"
    )


def check_shared_keys(url: str, settings: Settings) -> str:
    """Return which keys of the issuer at ``url`` the processes share, and for how long."""
    if _is_new(settings):
        return _NOT_SHARED
    engine = maintenance_engine(settings.sqlalchemy_url, namespace=settings.database_schema)
    with _told(), engine.connect() as connection:
        found = last_confirmed(connection, url)
    if found is None:
        return _NOT_SHARED
    number, age = found
    hours = (STALE_SECONDS - age) / 3600
    if hours <= 0:
        raise CheckFailedError(
            f"{number}, which Better Auth last confirmed {age / 3600:.0f} h ago; they are trusted "
            "for 24 h, so every token under them is 503; see the line 'keys'"
        )
    return f"{number}, confirmed {age:.0f} s ago; without Better Auth they serve {hours:.1f} h more"


@contextmanager
def _told(advice: str = "") -> Iterator[None]:
    """Let a check fail with what the database says, and with the ``advice``."""
    try:
        yield
    except (obstacles.ObstacleError, ConfigurationError) as error:
        raise CheckFailedError(str(error)) from None
    except SQLAlchemyError as error:
        raise CheckFailedError("; ".join(filter(None, (first_line(error), advice)))) from None


def _is_new(settings: Settings) -> bool:
    """Whether the embedded database was never started: looking at it would make its file."""
    return (
        settings.embedded and not Path(str(engine_url(settings.sqlalchemy_url).database)).exists()
    )


def _value(connection: sa.Connection, statement: str) -> str:
    return str(connection.execute(sa.text(statement)).scalar_one())
