"""The PostgreSQL server of the tests does what they rely on, whichever installation it is."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.depth import ONLY_IN_CI
from tests.servers import cluster
from tests.servers.binaries import SYSTEM, WHEEL
from tests.servers.postgres import (
    PostgresServer,
    StartFailed,
    StopMode,
    Unavailable,
    Unsupported,
)
from tests.servers.process import free_port
from tests.servers.programs import INSTALL, lack
from tests.servers.reaper import Backends, wait_until

pytestmark = ONLY_IN_CI

ROOT = Path(__file__).parents[2]

START_AND_DIE = """
import os, signal, sys
from tests.servers.postgres import PostgresServer
server = PostgresServer.start(source=sys.argv[1])
print(server.socket_folder.name, flush=True)
if sys.argv[2] == "paused":
    server.pause()
os.kill(os.getpid(), signal.SIGKILL)
"""


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def started(source: str, *, durable: bool = False) -> PostgresServer:
    try:
        return PostgresServer.start(source=source, durable=durable)
    except Unavailable:
        if source == WHEEL:  # which is one of the suite's own dependencies
            raise
        lack(f"postgres ({INSTALL['postgres']})")
        raise


@pytest.fixture(scope="module", params=[SYSTEM, WHEEL])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    with started(request.param) as server:
        yield server


def test_server_has_the_settings_that_tests_rely_on(server: PostgresServer) -> None:
    names = ("timezone", "max_connections", "autovacuum", "fsync", "server_encoding")
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    url = server.create_database()
    assert rows(url, f"SELECT {columns}") == [("Asia/Kathmandu", "200", "on", "off", "UTF8")]
    assert rows(url, "SHOW server_version")[0][0].startswith(server.version)


def test_clone_has_the_rows_of_its_template_and_drop_ends_its_clients(
    server: PostgresServer,
) -> None:
    template = server.create_database()
    rows(template, "CREATE TABLE t AS SELECT 1 AS i")
    clone = server.create_database('a "quoted" näme/?', template=template)
    assert rows(clone, "SELECT i FROM t") == [(1,)]

    client = psycopg2.connect(clone)
    server.drop_database(clone)
    with contextlib.closing(client), pytest.raises(psycopg2.OperationalError):
        client.cursor().execute("SELECT 1")
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(clone)


def test_name_that_postgresql_would_cut_is_refused(server: PostgresServer) -> None:
    with pytest.raises(ValueError, match="63 bytes"):
        server.create_database("x" * 64)


@pytest.mark.parametrize("source", [SYSTEM, WHEEL])
def test_committed_row_survives_a_crash_of_a_durable_server(source: str) -> None:
    with started(source, durable=True) as server:
        url = server.create_database()
        rows(url, "CREATE TABLE t (i int)")
        rows(url, "INSERT INTO t VALUES (1)")
        server.kill()
        assert server.pids() == []
        with pytest.raises(psycopg2.OperationalError, match="refused"):
            psycopg2.connect(url)
        server.start_again()
        assert rows(url, "SELECT i FROM t") == [(1,)]


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_stopped_server_starts_again_at_the_same_url(
    server: PostgresServer, mode: StopMode
) -> None:
    url = server.create_database()
    server.stop(mode)
    assert server.pids() == []
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        psycopg2.connect(url)
    server.start_again()
    assert rows(url, "SELECT 1") == [(1,)]


def test_paused_server_answers_only_after_it_is_resumed(server: PostgresServer) -> None:
    url = server.create_database()
    server.pause()
    timer = threading.Timer(0.3, server.resume)
    timer.start()
    begin = time.monotonic()
    assert rows(url, "SELECT 1") == [(1,)]
    assert time.monotonic() - begin > 0.25
    timer.join()


@pytest.mark.parametrize("source", [SYSTEM, WHEEL])
def test_server_that_died_by_itself_starts_again(source: str) -> None:
    with started(source) as server:
        url = server.create_database()
        server.pause()  # So that the backends outlive the postmaster, and hold the data.
        postmaster, *backends = server.pids()
        os.kill(postmaster, signal.SIGKILL)
        assert wait_until(lambda: server.pids() == backends, 5)
        server.start_again()
        assert rows(url, "SELECT 1") == [(1,)]


def test_port_that_was_taken_meanwhile_is_replaced(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = [server.port, server.port]
    monkeypatch.setattr(cluster, "free_port", lambda: offered.pop() if offered else free_port())
    with PostgresServer.start(source=server.source) as other:
        assert offered == []
        assert other.port != server.port


def test_server_that_cannot_start_shows_its_log_and_leaves_nothing(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "MAX_CONNECTIONS", "nonsense")
    folders: list[Path] = []
    real = cluster._make_folder

    def remember(*, in_memory: bool) -> Path:
        folders.append(real(in_memory=in_memory))
        return folders[0]

    monkeypatch.setattr(cluster, "_make_folder", remember)
    with pytest.raises(StartFailed, match='invalid value for parameter "max_connections"'):
        PostgresServer.start(source=server.source)
    assert [folder.exists() for folder in folders] == [False]


@pytest.mark.parametrize("state", ["running", "paused"])
def test_nothing_is_left_when_the_test_run_itself_is_killed(
    server: PostgresServer, state: str
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", START_AND_DIE, server.source, state],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL
    marker = run.stdout.strip()
    backends = Backends(marker)
    bases = [Path(base) / marker for base in (cluster.MEMORY, *cluster.SHORT_BASES)]
    assert marker.startswith("todo-pg-")
    assert wait_until(lambda: not backends.processes(), 15)
    assert wait_until(lambda: not any(folder.exists() for folder in bases), 15)


def test_existing_server_is_used_but_never_hurt(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "SELECT datname FROM pg_database ORDER BY datname"
    before = rows(server.url("postgres"), names)
    monkeypatch.delenv("TODO_TEST_POSTGRES", raising=False)
    monkeypatch.setenv("TODO_TEST_DATABASE_URL", f"{server.url('postgres')}?application_name=t")
    with PostgresServer.start() as other:
        assert (other.source, other.version) == ("url", server.version)
        url = other.create_database(template=other.create_database())
        assert rows(url, "SHOW timezone") == [("Asia/Kathmandu",)]
        for refused in (other.kill, other.pause, other.resume, other.stop, other.start_again):
            with pytest.raises(Unsupported, match="not ours"):
                refused()
    assert rows(server.url("postgres"), names) == before


def test_existing_server_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TODO_TEST_POSTGRES", raising=False)
    monkeypatch.setenv("TODO_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/postgres")
    with pytest.raises(StartFailed, match="TODO_TEST_DATABASE_URL is set, but"):
        PostgresServer.start()


def test_unknown_source_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 'system' or 'wheel'"):
        PostgresServer.start(source="docker")
