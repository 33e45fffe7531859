"""The database is stopped, paused, empty or read only: every request has an answer, none hangs."""

import secrets
import socket
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.integration.concurrently import beside
from tests.integration.responses import assert_503, every_request
from tests.integration.tables import assert_books_balance, rows
from tests.servers.postgres import PostgresServer
from todo.database import schema
from todo.http.asgi.turns import share

pytestmark = pytest.mark.deadlines


@pytest.fixture
def url(new_database) -> str:
    return new_database("postgresql")


@pytest.fixture(scope="module")
def hurt_url(hurt_postgres: PostgresServer) -> str:
    """A database on the server that may be stopped and paused."""
    url = hurt_postgres.create_database()
    schema.migrate(url)
    return url


def test_stopped_server_is_503_database_unavailable_and_its_return_needs_no_help(
    hurt_postgres, hurt_url, service_on
):
    service = service_on(hurt_url)
    alice = service.caller()
    task = alice.create("Buy milk")

    hurt_postgres.stop()
    try:
        for response in every_request(alice):
            assert_503(response, "database_unavailable")
        assert service.client.get("/health").json() == {"status": "ok"}
        assert alice("GET", "/api/somebody-else/tasks").status_code == 403
    finally:
        hurt_postgres.start_again()

    assert alice("GET", "").json()["tasks"] == [task]
    assert alice.create("Buy bread")["revision"] == 2
    assert service.client.get("/readyz").status_code == 200
    assert_books_balance(hurt_url, alice.id, changes=2)


def test_server_that_was_never_there_is_503_database_unavailable(service_on):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens, so that nobody else can
        service = service_on(f"postgresql://postgres@127.0.0.1:{taken.getsockname()[1]}/todo")

        for response in every_request(service.caller()):
            assert_503(response, "database_unavailable")


def test_paused_server_is_503_while_health_answers_and_all_works_again_after_it(
    hurt_postgres, hurt_url, service_on
):
    service = service_on(hurt_url)
    alice = service.caller()
    task = alice.create("Buy milk")

    hurt_postgres.pause()
    try:
        refused, healthy = beside(
            lambda: every_request(alice), [lambda: service.client.get("/health")]
        )
    finally:
        hurt_postgres.resume()

    for response in refused:
        assert_503(response, response.json()["code"])
    # Those on threads find out; those behind them wait for their turn, and not as long.
    codes = Counter(response.json()["code"] for response in refused)
    assert codes.keys() <= {"database_unavailable", "busy"}
    assert codes["database_unavailable"] >= share(service.settings.web_threads)
    assert {response.status_code for response in healthy} == {200}
    # First of all: on a thread whose last request ran into the deadline.
    assert service.client.get("/readyz").status_code == 200
    assert alice("GET", "").json()["tasks"] == [task]
    assert alice.create("Buy bread")["revision"] == 2
    assert_books_balance(hurt_url, alice.id, changes=2)


def test_database_that_was_never_migrated_is_503_schema_outdated(empty_database, service_on):
    service = service_on(empty_database)

    for response in every_request(service.caller()):
        assert_503(response, "schema_outdated")
    assert service.client.get("/health").status_code == 200


def test_database_at_another_revision_is_not_ready(database_url, service_on):
    rows(database_url, "UPDATE todo_api_version SET version_num = 'other'")
    service = service_on(database_url)

    response = service.client.get("/readyz")

    assert_503(response, "schema_outdated")
    assert response.json()["detail"] == "The database is at revision other; run 'todo migrate'."


def test_read_only_postgresql_is_503_for_writes_and_still_read(url, service_on):
    before = service_on(url).caller("alice").create("Buy milk")
    name = urlsplit(url).path[1:]
    rows(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    alice = service_on(url).caller("alice")

    for response in every_request(alice):
        if response.request.method != "GET":
            assert_503(response, "database_unavailable")
        else:
            assert response.status_code == 200

    assert alice("GET", "").json()["tasks"] == [before]


@pytest.fixture
def visitor(url) -> Iterator[str]:
    """The URL for a role that is no superuser: connection limits count for it."""
    role = f"visitor_{secrets.token_hex(4)}"
    rows(url, f"CREATE ROLE {role} LOGIN")
    parts = urlsplit(url)
    yield parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}").geturl()
    rows(url, f"DROP ROLE {role}")


def test_server_that_refuses_our_role_is_503_and_the_answer_does_not_name_it(
    url, visitor, service_on
):
    rows(url, f'ALTER DATABASE "{urlsplit(url).path[1:]}" CONNECTION LIMIT 0')

    response = service_on(visitor).caller()("GET", "")

    assert_503(response, "database_unavailable")
    assert "visitor" not in response.text
