"""Engines: what a URL means, and how each dialect is set up.

Both engines run in autocommit; ``transactions.write`` sends BEGIN and COMMIT itself (a read then
costs one round trip, not three).
"""

import ipaddress
import sqlite3
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import orjson
import psycopg2
import sqlalchemy as sa
from psycopg2 import extensions
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, SAWarning
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import to_list

from todo.database import deadline
from todo.database.connection import CombiningConnection
from todo.settings.configuration_error import ConfigurationError
from todo.settings.instance_folder import private_file
from todo.values.origins import MAX_PORT

CONNECT_SECONDS: Final = 3
"""How long connecting may take; Neon wakes in less."""
RECYCLE_SECONDS: Final = 280
"""Connections are renewed before the five minutes after which Neon suspends."""
STEPS: Final = 10_000
"""Instructions of SQLite's virtual machine between two looks at the deadline."""
SQLITE_BUSY_MS: Final = 4000
"""How long SQLite waits for another writer."""

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""https://www.postgresql.org/docs/current/libpq-ssl.html, table "SSL Mode Descriptions"."""

_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+psycopg2"})
_SQLITE: Final = frozenset({"sqlite", "sqlite+pysqlite"})

# A table of another back end may have columns of any extension's type. Nothing here needs to know
# them, and what a command says is one line.
warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)


def engine_url(url: str, variable: str = "DATABASE_URL") -> URL:
    """Return the SQLAlchemy URL for ``url`` as operators write it.

    ``postgres://`` and ``postgresql://`` mean psycopg2; a host that is not local gets
    ``sslmode=require`` unless the URL names a mode. Raises :class:`ConfigurationError`, which names
    ``variable``, for what is no URL, for other databases, and for a port or an option that
    libpq would refuse at every connection.
    """
    parsed = _parsed(url, variable)
    if parsed.drivername in _SQLITE:
        return _sqlite_url(parsed, variable)
    if parsed.drivername not in _POSTGRESQL:
        raise ConfigurationError(
            f"{variable}: {parsed.drivername!r} is not supported; use postgresql or sqlite"
        )
    parsed = parsed.set(drivername="postgresql+psycopg2")
    # In the URL itself: a password that begins with a raw & is an empty one to SQLAlchemy.
    _check_libpq(parsed, variable, with_password="password" in unquote(url))
    if "sslmode" not in parsed.query and not _is_local(parsed):
        parsed = parsed.update_query_dict({"sslmode": "require"})
    return parsed


def _parsed(url: str, variable: str) -> URL:
    """Split ``url``; no error repeats any part of it but the name of a driver.

    Of two ``@`` one usually belongs to the password, and the text between them would be read as a
    part of the host, which errors and logs show.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise ConfigurationError(
            f"{variable}: not a database URL; write postgresql://user:password@host/name "
            "or sqlite:///path"
        ) from None
    if parsed.drivername in _POSTGRESQL and url.count("@") > 1:
        raise ConfigurationError(
            f"{variable}: has more than one @; percent-encode user and password, so that only the "
            "one before the host is left: @ is %40, / is %2F, : is %3A, # is %23, % is %25"
        )
    if "\0" in unquote(url):
        raise ConfigurationError(f"{variable}: a database URL cannot contain NUL (%00)")
    return parsed


def display(url: str) -> str:
    """Return ``url`` without its password: libpq takes one in the query, too."""
    parsed = engine_url(url)
    shown = {name: value for name, value in parsed.query.items() if "password" not in name}
    return parsed.set(query=shown).render_as_string(hide_password=True)


def _check_libpq(url: URL, variable: str, *, with_password: bool) -> None:
    if url.port is not None and not 1 <= url.port <= MAX_PORT:
        # Without a host, what was meant as the password is read as the port.
        raise ConfigurationError(f"{variable}: the port is not a number from 1 to {MAX_PORT}")
    options = {name: ",".join(to_list(value)) for name, value in url.query.items()}
    if options.get("sslmode", "require") not in SSL_MODES:
        raise ConfigurationError(f"{variable}: sslmode must be one of {', '.join(SSL_MODES)}")
    try:
        extensions.make_dsn(**options)
    except psycopg2.ProgrammingError as error:  # its text names the option
        reason = str(error).strip().removeprefix("invalid dsn: ")
        if with_password:  # what follows an & may be a part of it
            reason = "invalid connection option beside the password (an & in it is %26)"
        raise ConfigurationError(f"{variable}: {reason}; remove the option from the URL") from None


def _sqlite_url(url: URL, variable: str) -> URL:
    if url.database in (None, "", ":memory:"):
        raise ConfigurationError(
            f"{variable}: SQLite needs the path of a file; write sqlite:///path"
        )
    path = Path(url.database).absolute()
    return url.set(drivername="sqlite+pysqlite", database=str(path))


def engine_options(url: URL, *, threads: int, namespace: str | None = None) -> dict[str, Any]:
    """Return the options of the engine that serves requests on ``threads`` threads.

    The tables are in the schema ``namespace`` of PostgreSQL; ``None``: wherever its
    ``search_path`` leads.
    """
    options: dict[str, Any] = {
        "isolation_level": "AUTOCOMMIT",
        "hide_parameters": True,  # titles do not belong into a log
        "pool_size": threads,
        "max_overflow": 0,
        "pool_timeout": CONNECT_SECONDS,
        # In autocommit there is nothing to roll back; ``transactions.write`` ends its own.
        "pool_reset_on_return": None,
        "skip_autocommit_rollback": True,
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    # SQLite's parameters have names, as psycopg2's do.
    options |= _postgresql_options() if is_postgresql(url) else {"paramstyle": "named"}
    return options | _within(namespace)


def _postgresql_options() -> dict[str, Any]:
    return {
        "pool_recycle": RECYCLE_SECONDS,
        "pool_use_lifo": True,
        "connect_args": {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "todo",
            "connection_factory": CombiningConnection,
        },
    }


def _within(namespace: str | None) -> dict[str, Any]:
    """Return the option that writes a schema before every table.

    It is no setting of a session, which a pooler could lose or leak.
    """
    if namespace is None:
        return {}
    return {"execution_options": {"schema_translate_map": {None: namespace}}}


def is_postgresql(url: URL) -> bool:
    """Return whether ``url``, which came from :func:`engine_url`, is a PostgreSQL one."""
    return url.get_backend_name() == "postgresql"


def prepare(engine: Engine) -> Engine:
    """Set up what every connection of ``engine`` needs, and return it."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _make_private)
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def in_use(engine: Engine) -> int:
    """Return how many connections of the pool are taken."""
    taken: int = getattr(engine.pool, "checkedout", lambda: 0)()  # only pools with a bound know
    return taken


def maintenance_engine(url: str, *, namespace: str | None = None) -> Engine:
    """Return an engine for a command: one connection at a time, none kept."""
    parsed = engine_url(url)
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "poolclass": sa.NullPool}
    options |= _within(namespace)
    if is_postgresql(parsed):
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    return prepare(sa.create_engine(parsed, **options))


def _make_private(_dialect: sa.Dialect, _record: Any, arguments: Any, _options: Any) -> None:
    """Make the file that SQLite would make for everybody to read; its log gets the same mode."""
    with suppress(OSError):  # SQLite says itself what is wrong
        private_file(Path(arguments[0]))


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")  # first: WAL needs a lock, too
    _turn_on_wal(cursor)
    cursor.execute("PRAGMA foreign_keys = ON")
    connection.set_progress_handler(deadline.has_passed, STEPS)
    cursor.close()


def _turn_on_wal(cursor: sqlite3.Cursor) -> None:
    """Bring the file into WAL, which it then stays in.

    Only the first connection of a new file changes anything. Of two that do so at once SQLite
    refuses one without a wait, whatever its ``busy_timeout`` (it would be a deadlock: both hold a
    shared lock and want the exclusive one); that one tries again, and finds it done.
    """
    deadline = time.monotonic() + SQLITE_BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _is_local(url: URL) -> bool:
    host = url.query.get("host") or url.host or ""
    if not isinstance(host, str):
        return False
    if host in ("", "localhost") or host.startswith("/"):  # a Unix socket
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
