"""Fixtures of the tests that need real servers, real files and real processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DIALECTS, SECRET, Service, settings_for
from tests.integration.application import running
from tests.integration.server import SERVING, Server
from tests.integration.typescript import EXAMPLE, compiled, played
from tests.servers.postgres import PostgresServer
from tests.servers.programs import lack, require
from todo.settings.settings import Settings


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "wheel: builds and installs the wheel (needs pip's index)")


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def empty_database(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody has migrated, on each dialect in turn."""
    if dialect == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.create_database()
    return f"sqlite:///{tmp_path / 'todo.db'}"


@pytest.fixture(scope="session")
def hurt_postgres(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A second server, to be stopped and paused: no other test has connections to it."""
    if postgres.source == "url":
        lack("a PostgreSQL that is ours to stop (unset TODO_TEST_DATABASE_URL)", fatal=False)
    with PostgresServer.start() as server:
        yield server


@pytest.fixture
def application() -> Iterator[Callable[[Settings], Service]]:
    """Start applications in this process; they are closed with the test."""
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(running(settings))


@pytest.fixture
def service_on(application: Callable[[Settings], Service]) -> Callable[..., Service]:
    """Start an application on a database, with changes to the usual settings."""

    def start(url: str, **changes: Any) -> Service:
        return application(settings_for(url, **changes))

    return start


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start gunicorns in a folder of the test's own; they are ended with the test."""
    with ExitStack() as stack:

        def start(cwd: Path = tmp_path, **options: Any) -> Server:
            server = Server.start(cwd, **options)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture(scope="module")
def servers(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    """The live API on each dialect, for the example client."""
    require("node", "npm", folder=EXAMPLE)
    with on_each_dialect(new_database, tmp_path_factory) as started:
        yield started


@pytest.fixture(scope="module")
def project(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example client, generated from the live contract, with the scenes; compiled."""
    return compiled(servers[DIALECTS[0]], tmp_path_factory)


@pytest.fixture(params=DIALECTS)
def play_on_board(
    request: pytest.FixtureRequest, project: Path, servers: dict[str, Server], tmp_path: Path
) -> Callable[[str, str], Any]:
    """Play a scene of a script of ``tests/board`` as a new user; return what it prints."""
    return lambda script, scene: played(project, servers[request.param], script, scene, tmp_path)


@pytest.fixture(scope="module", params=DIALECTS)
def crowded(
    request: pytest.FixtureRequest, new_database: Callable[[str], str]
) -> Iterator[Service]:
    """An application with a thread, and a database connection, for each of four of ours."""
    with running(settings_for(new_database(request.param), web_threads=4)) as service:
        yield service


@contextmanager
def on_each_dialect(
    new_database: Callable[[str], str], folders: pytest.TempPathFactory, **variables: str
) -> Iterator[dict[str, Server]]:
    """Servers with the same ``variables``, on a database of each dialect."""
    with ExitStack() as stack:
        started = {}
        for dialect in DIALECTS:
            started[dialect] = Server.start(
                folders.mktemp(dialect),
                command=SERVING,
                DATABASE_URL=new_database(dialect),
                BETTER_AUTH_SECRET=SECRET,
                **variables,
            )
            stack.callback(started[dialect].close)
        yield started
