"""A connection dies: idle, at work, while committing, with its server. No answer lies about it."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Caller, Service
from tests.integration.commit_cutter import DIE_ONCE, Cut, Cutter, cutter_before
from tests.integration.concurrently import together
from tests.integration.responses import assert_503
from tests.integration.tables import assert_books_balance, rows, tasks_of, value
from tests.servers.postgres import PostgresServer
from tests.servers.programs import lack
from tests.servers.reaper import wait_until
from todo.database import schema

pytestmark = pytest.mark.deadlines

TERMINATE_IDLE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'todo'"
)
WAIT_SECONDS = 60


@pytest.fixture
def url(new_database) -> str:
    return new_database("postgresql")


@pytest.fixture
def service(service_on, url) -> Service:
    return service_on(url)


@pytest.fixture
def alice(service) -> Caller:
    return service.caller("alice")


@pytest.mark.parametrize("request_first", ["read", "write", "readiness"])
def test_connections_killed_while_idle_are_replaced_without_an_error(
    url, service, alice, request_first
):
    together([lambda: alice.create("Buy milk")] * 8)  # several connections wait in the pool
    assert value(url, TERMINATE_IDLE) > 0

    match request_first:
        case "read":
            assert alice("GET", "").json()["total"] == 8
        case "write":
            assert alice("DELETE", "1").status_code == 204
        case "readiness":
            assert service.client.get("/readyz").status_code == 200
    together([lambda: alice.create("Buy bread")] * 8)

    assert_books_balance(url, alice.id, changes=16 + (request_first == "write"))


def test_unit_whose_connection_is_killed_before_its_last_statement_is_run_again_whole(url, alice):
    rows(url, DIE_ONCE.format(table="users"))

    task = alice.create("Buy milk")

    assert value(url, "SELECT last_value FROM attempts") == 2
    assert alice("GET", "").json()["tasks"] == [task]
    assert_books_balance(url, alice.id, changes=1)


def test_unit_whose_connection_is_killed_in_its_last_statement_is_503_outcome_unknown(url, alice):
    rows(url, DIE_ONCE.format(table="tasks"))

    key = {"Idempotency-Key": "once"}
    first = alice("POST", "", json={"title": "Buy milk"}, headers=key)
    again = alice("POST", "", json={"title": "Buy milk"}, headers=key)

    assert (first.status_code, first.json()["code"]) == (503, "outcome_unknown")
    assert alice("GET", "").json()["tasks"] == [again.json()]
    assert_books_balance(url, alice.id, changes=1)


@pytest.fixture
def cutter(url) -> Iterator[Cutter]:
    with cutter_before(urlsplit(url).port) as cutter:
        yield cutter


@pytest.fixture
def alice_behind_the_cutter(cutter, service_on, url) -> Caller:
    parts = urlsplit(url)
    behind = parts._replace(netloc=f"postgres@127.0.0.1:{cutter.port}").geturl()
    return service_on(behind).caller("alice")


@pytest.mark.parametrize(
    ("cut", "tasks"),
    [
        (Cut.BEFORE_COMMIT_ARRIVES, 0),
        (Cut.BEFORE_COMMIT_IS_ANSWERED, 1),
        (Cut.NEVER_AGAIN_A_WORD, 0),
    ],
)
def test_connection_that_dies_at_commit_is_503_outcome_unknown_and_nothing_is_repeated(
    url, cutter, alice_behind_the_cutter, cut, tasks
):
    alice = alice_behind_the_cutter
    cutter.cut = cut

    response = alice("POST", "", json={"title": "Buy milk"})

    assert_503(response, "outcome_unknown")
    assert (cutter.begun, cutter.committed) == (1, 1)
    cutter.cut = Cut.NEVER
    assert alice("GET", "").json()["total"] == len(tasks_of(url, alice.id)) == tasks
    assert alice.create("Buy bread")["revision"] == tasks + 1
    assert_books_balance(url, alice.id, changes=tasks + 1)


@pytest.mark.parametrize(
    ("cut", "replayed"),
    [(Cut.BEFORE_COMMIT_ARRIVES, False), (Cut.BEFORE_COMMIT_IS_ANSWERED, True)],
)
def test_change_of_unknown_outcome_is_made_once_however_often_it_is_repeated_with_its_key(
    url, cutter, alice_behind_the_cutter, cut, replayed
):
    alice = alice_behind_the_cutter
    body, headers = {"title": "Buy milk"}, {"Idempotency-Key": "x"}
    cutter.cut = cut
    assert_503(alice("POST", "", json=body, headers=headers), "outcome_unknown")
    cutter.cut = Cut.NEVER

    first, again = [alice("POST", "", json=body, headers=headers) for _ in range(2)]

    assert (first.status_code, "idempotency-replayed" in first.headers) == (201, replayed)
    assert again.headers["idempotency-replayed"] == "true"
    assert alice("GET", "").json()["tasks"] == [first.json()] == [again.json()]
    assert_books_balance(url, alice.id, changes=1)


@pytest.fixture
def durable_postgres(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server that may be killed: what it has committed is on the disk."""
    if postgres.source == "url":
        lack("a PostgreSQL that is ours to kill (unset TODO_TEST_DATABASE_URL)", fatal=False)
    with PostgresServer.start(durable=True) as server:
        yield server


def test_crash_under_eight_writers_loses_and_doubles_nothing_that_was_acknowledged(
    durable_postgres, service_on
):
    url = durable_postgres.create_database()
    schema.migrate(url)
    alice = service_on(url).caller("alice")
    over = threading.Event()
    numbers = itertools.count()
    acknowledged: list[dict[str, Any]] = []
    unknown: list[str] = []

    def write() -> None:
        while not over.is_set():
            title = f"Task {next(numbers)}"
            response = alice("POST", "", json={"title": title})
            if response.status_code == 201:
                acknowledged.append(response.json())
                continue
            code = response.json()["code"]
            assert_503(response, code)
            if code == "outcome_unknown":
                unknown.append(title)
            over.wait(0.1)

    def more_are_acknowledged() -> bool:
        enough = len(acknowledged) + 20
        return wait_until(lambda: len(acknowledged) > enough, WAIT_SECONDS)

    def crash() -> None:
        try:
            assert more_are_acknowledged()
            durable_postgres.kill()
            durable_postgres.start_again()
            assert more_are_acknowledged()
        finally:
            over.set()

    together([*[write] * 8, crash])

    stored = {task["title"]: task["revision"] for task in tasks_of(url, "alice")}
    known = {task["title"]: task["revision"] for task in acknowledged}
    assert known.items() <= stored.items()
    assert stored.keys() - known.keys() <= set(unknown)
    assert_books_balance(url, "alice", changes=len(stored))
