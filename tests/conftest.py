"""Fixtures. Whatever takes ``service`` runs on SQLite and on PostgreSQL, both real; a module that
is marked ``pooled`` runs through PgBouncer, too.

One application serves a whole session; tests are kept apart by the product's own boundary: each
has users of its own (``alice``, ``bob``). Files run side by side, each process with servers of
its own.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
from connexion.spec import OpenAPISpecification
from starlette.testclient import TestClient

from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer
from todo.app import Application, create_app
from todo.auth.tokens import mint
from todo.database import deadline, schema
from todo.logs import configure
from todo.models import db
from todo.settings.settings import Settings

configure("error", "json")  # as a server does: tracebacks without the values of variables

hypothesis.settings.register_profile("todo", deadline=None)  # a busy machine fails no test
hypothesis.settings.load_profile("todo")

SECRET = "a-secret-of-the-tests-000000000000000000"
DIALECTS = ("sqlite", "postgresql")
POOLER = "pgbouncer"
PATIENCE_SECONDS = 60
MOST_PROCESSES = 4

pytest_plugins = ["tests.plugin"]


def validating_once(validate: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return ``validate`` for documents, which takes one that it has found valid before at its
    word: it is most of the start of an application, and hundreds start here.
    """
    valid = set[bytes]()

    def once(document: Any) -> None:
        if (text := orjson.dumps(document)) not in valid:
            validate(document)
            valid.add(text)

    return once


_validate = OpenAPISpecification._validate_spec
OpenAPISpecification._validate_spec = staticmethod(validating_once(_validate))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for each core, for many tests wait; none for a single file, which then starts
    at once.
    """
    named = [Path(argument.partition("::")[0]) for argument in config.args]
    if len(set(named)) == 1 and named[0].is_file():
        return 0
    return min(2 * len(os.sched_getaffinity(0)), MOST_PROCESSES)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "pooled: through PgBouncer, too (what writes)")
    config.addinivalue_line("markers", "deadlines: the database has as long as a server gives it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        pooled = metafunc.definition.get_closest_marker("pooled") is not None
        backends = [*DIALECTS, POOLER] if pooled else DIALECTS
        metafunc.parametrize("backend", backends, indirect=True, scope="session")


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give the database of this process longer than a server does: a busy machine fails no test
    but those of the deadlines themselves, which are marked so.
    """
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("deadlines") is None:
            remaining = deadline.remaining
            patch.setattr(deadline, "remaining", lambda: remaining() + PATIENCE_SECONDS)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole session."""
    with PostgresServer.start() as server:
        yield server


@pytest.fixture(scope="session")
def pooling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., PgBouncer]]:
    """Start a PgBouncer before the server at a URL, with more lines of its configuration; it ends
    with the session.
    """
    with ExitStack() as stack:

        def start(upstream: str, *settings: str) -> PgBouncer:
            folder = tmp_path_factory.mktemp("pgbouncer")
            return stack.enter_context(PgBouncer.start(upstream, folder, *settings))

        yield start


@pytest.fixture(scope="session")
def pgbouncer(postgres: PostgresServer, pooling: Callable[..., PgBouncer]) -> PgBouncer:
    """A PgBouncer before the PostgreSQL server of the session."""
    return pooling(postgres.url("postgres"))


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Make a fresh, migrated database of a dialect and return its URL.

    The one of ``pgbouncer`` is PostgreSQL's, and its URL leads through the pooler.
    """
    templates: dict[str, str] = {}

    def new(dialect: str) -> str:
        if dialect == POOLER:
            pooler: PgBouncer = request.getfixturevalue("pgbouncer")
            return pooler.url(new("postgresql"))
        if dialect == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            if dialect not in templates:
                templates[dialect] = server.create_database()
                schema.migrate(templates[dialect])
            return server.create_database(template=templates[dialect])
        if dialect not in templates:
            templates[dialect] = f"sqlite:///{tmp_path_factory.mktemp('template') / 'todo.db'}"
            schema.migrate(templates[dialect])
        path = tmp_path_factory.mktemp("sqlite") / "todo.db"
        shutil.copy(templates[dialect].removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    return new


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> str:
    """A fresh, migrated database for one test, on each dialect in turn."""
    return new_database(request.param)


@dataclass(frozen=True)
class Service:
    """A running application, in this process."""

    application: Application
    client: TestClient
    settings: Settings

    def caller(self, subject: str | None = None) -> "Caller":
        """A signed-in user; a new one unless ``subject`` is given."""
        return Caller(self.client, subject or f"user-{uuid.uuid4().hex}")


class Caller:
    """A user who calls the API with a real token."""

    def __init__(self, client: TestClient, subject: str, token: str | None = None) -> None:
        self.client = client
        self.id = subject
        self.token = token or mint(SECRET, subject, hours=1)

    @property
    def tasks(self) -> str:
        """The path of the user's own list."""
        return f"/api/{self.id}/tasks"

    def __call__(self, method: str, path: str, **kwargs: Any) -> Any:
        """Send a request with the user's token; ``path`` is absolute, or below ``tasks``."""
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        url = path if path.startswith("/") else f"{self.tasks}{'/' * bool(path)}{path}"
        if path.startswith("?"):
            url = f"{self.tasks}{path}"
        return self.client.request(method, url, headers=headers, follow_redirects=False, **kwargs)

    def create(self, title: str = "Buy milk", **fields: Any) -> dict[str, Any]:
        """Create a task and return it."""
        response = self("POST", "", json={"title": title, **fields})
        assert response.status_code == 201, response.text
        return response.json()

    @property
    def lists(self) -> str:
        """The path of the user's lists."""
        return f"/api/{self.id}/lists"

    def create_list(self, name: str = "Groceries", **fields: Any) -> dict[str, Any]:
        """Create a list and return it."""
        response = self("POST", self.lists, json={"name": name, **fields})
        assert response.status_code == 201, response.text
        return response.json()


def settings_for(url: str, **changes: Any) -> Settings:
    """Settings of a server on the database at ``url``."""
    return Settings(
        **{
            "better_auth_secret": SECRET,
            "database_url": url,
            "instance_path": Path("instance-of-no-test"),
            "local_accounts": True,
            "rate_limit": "off",
            "access_log": "off",
            **changes,
        }
    )


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Settings], Service]]:
    """Start an application in this process; it is closed with the session."""
    services: list[Service] = []

    def start(settings: Settings) -> Service:
        application = create_app(settings)
        client = TestClient(application, raise_server_exceptions=False)
        client.__enter__()
        services.append(Service(application, client, settings))
        return services[-1]

    yield start
    for service in services:
        service.client.__exit__(None, None, None)
        with service.application.flask.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def service_of(
    new_database: Callable[[str], str], serve: Callable[[Settings], Service]
) -> Callable[[str], Service]:
    """The application of a backend; kept, because every file asks for one and then the other."""
    return cache(lambda backend: serve(settings_for(new_database(backend))))


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Each dialect in turn, and PgBouncer for what is marked ``pooled``."""
    return request.param


@pytest.fixture(scope="session")
def service(backend: str, service_of: Callable[[str], Service]) -> Service:
    """The application of the session, on each backend in turn."""
    return service_of(backend)


@pytest.fixture
def alice(service: Service) -> Caller:
    """A user without any tasks."""
    return service.caller()


@pytest.fixture
def bob(service: Service) -> Caller:
    """Another user without any tasks."""
    return service.caller()


@pytest.fixture
def client(service: Service) -> TestClient:
    """A client that sends no token."""
    return service.client
