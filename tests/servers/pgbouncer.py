"""A real PgBouncer in transaction mode before a PostgreSQL server: `PgBouncer`.

    with PgBouncer.start(server.url("postgres"), folder) as pooler:
        url = pooler.url(server.create_database())

Its pool is smaller than what the API opens, and is used in turn: two transactions of one client
seldom meet the same server connection, and one connection serves many clients.
"""

from __future__ import annotations

import contextlib
import pwd
import urllib.parse
from pathlib import Path
from typing import Self

import psycopg2

from tests.servers.binaries import UNPRIVILEGED, server_environment
from tests.servers.process import ServerProcess, StartFailed, free_port, tail
from tests.servers.programs import require
from tests.servers.reaper import wait_until

POOL_SIZE = 3
MAX_CLIENTS = 200
START_SECONDS = 20.0
CONNECT_SECONDS = 5
PORT_ATTEMPTS = 3
QUOTE = "'"
CONSOLE = "pgbouncer"
"""The name of the database that PgBouncer answers itself."""

# auth_type `any`: whoever comes is let in as the upstream's user. login_retry: by default a server
# that was away is left alone for 15 s.
CONFIGURATION = """\
[databases]
* = {upstream}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = {clients}
default_pool_size = {size}
min_pool_size = {size}
server_round_robin = 1
server_login_retry = 1
log_connections = 0
log_disconnections = 0
"""


class PgBouncer:
    """A running pooler before every database of one server; from `start()`."""

    def __init__(self, upstream: str, folder: Path, settings: tuple[str, ...]) -> None:
        """Know where the server and the configuration are; use `start()`."""
        self._upstream = upstream
        self._settings = settings
        self._configuration = folder / "pgbouncer.ini"
        self._process: ServerProcess | None = None
        self.port = 0

    @classmethod
    def start(cls, upstream: str, folder: Path, *settings: str) -> Self:
        """Start before the server of the URL `upstream`, with its configuration in `folder`.

        `settings` are more lines of the configuration, like `ignore_startup_parameters = options`.
        Skips the test where there is no PgBouncer; raises `StartFailed` when it does not start.
        """
        pooler = cls(upstream, folder, settings)
        for attempt in range(1, PORT_ATTEMPTS + 1):
            pooler.port = free_port()
            pooler._configure()
            try:
                pooler.start_again()
            except StartFailed as error:
                if "in use" not in str(error) or attempt == PORT_ATTEMPTS:
                    raise
            else:
                break
        return pooler

    def _configure(self) -> None:
        text = CONFIGURATION.format(
            upstream=_libpq_words(self._upstream),
            port=self.port,
            clients=MAX_CLIENTS,
            size=POOL_SIZE,
        )
        self._configuration.write_text("\n".join((text.rstrip(), *self._settings, "")))

    def start_again(self) -> None:
        """Start on the same port, after `kill()`; returns when it answers."""
        command = [*_program(), str(self._configuration)]
        process = ServerProcess(command, server_environment(), None)
        self._process = process

        def answers_or_ended() -> bool:
            return process.returncode() is not None or self._answers()

        wait_until(answers_or_ended, START_SECONDS)
        if process.returncode() is not None or not self._answers():
            log = tail(process.log_path)
            self.kill()
            raise StartFailed(f"PgBouncer did not start\n{log}")

    def _answers(self) -> bool:
        try:
            connection = psycopg2.connect(self._at(CONSOLE), connect_timeout=CONNECT_SECONDS)
        except psycopg2.OperationalError:
            return False
        with contextlib.closing(connection), connection.cursor() as cursor:
            connection.autocommit = True  # the console knows no BEGIN
            cursor.execute("SHOW VERSION")
            return True

    def url(self, direct: str) -> str:
        """The way to the database at the URL `direct`, through this pooler."""
        return self._at(urllib.parse.urlsplit(direct).path.lstrip("/"))

    def _at(self, name: str) -> str:
        return f"postgresql://pooled@127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        """SIGKILL, as in a crash; `start_again()` after. Stopped: do nothing."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> Self:
        """Give the pooler itself; the end of the block ends it."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End it, whatever happened."""
        self.kill()


def _libpq_words(url: str) -> str:
    """Host, port, user and password of a URL as PgBouncer's `[databases]` takes them."""
    parts = urllib.parse.urlsplit(url)
    names = ("host", "port", "user", "password")
    values = (parts.hostname, parts.port, parts.username, parts.password)
    given = (
        (name, urllib.parse.unquote(str(value)))
        for name, value in zip(names, values, strict=True)
        if value
    )
    return " ".join(f"{name}='{value.replace(QUOTE, QUOTE * 2)}'" for name, value in given)


def _program() -> list[str]:
    """The program and how it leaves root, as whom it refuses to run."""
    found = require("pgbouncer")
    return found if UNPRIVILEGED is None else [*found, "-u", pwd.getpwuid(UNPRIVILEGED).pw_name]
