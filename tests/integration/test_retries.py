"""What fails before COMMIT is done again, whole and a bounded number of times; nothing else is."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import httpx2
import psycopg2
import pytest
from structlog.testing import capture_logs

from tests.conftest import Caller
from tests.integration.concurrently import together
from tests.integration.tables import assert_books_balance, rows, tasks_of, value
from tests.servers.reaper import wait_until
from todo.database.transactions import ATTEMPTS

pytestmark = pytest.mark.deadlines

WAIT_SECONDS = 30
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"

# A sequence is not rolled back: it counts the attempts.
FAIL_FIRST = """
CREATE SEQUENCE attempts;
CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('attempts') <= {times} THEN RAISE EXCEPTION 'again' USING ERRCODE = '{state}'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fail_first BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION fail_first()
"""
AT_COMMIT = (
    "CREATE TRIGGER fail_first BEFORE INSERT ON tasks",
    "CREATE CONSTRAINT TRIGGER fail_first AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED",
)
SLEEP = """
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_sleep(600);
  RETURN NEW;
END $$;
CREATE TRIGGER sleep BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION sleep()
"""
OUR_BACKEND = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'todo'"
)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def url(new_database) -> str:
    return new_database("postgresql")


@pytest.fixture
def alice(service_on, url) -> Caller:
    return service_on(url).caller("alice")


@contextmanager
def session(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """Somebody else's transaction, rolled back at the end."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        yield cursor


def attempts(url: str) -> int:
    return value(url, "SELECT last_value FROM attempts")


@pytest.mark.parametrize("state", [SERIALIZATION_FAILURE, DEADLOCK])
def test_unit_that_fails_before_commit_is_run_again_whole(url, alice, state):
    rows(url, FAIL_FIRST.format(times=ATTEMPTS - 1, state=state))

    task = alice.create("Buy milk")

    assert attempts(url) == ATTEMPTS
    assert (task["id"], task["revision"]) == (1, 1)
    assert alice("GET", "").json()["tasks"] == [task]
    assert_books_balance(url, alice.id, changes=1)


def test_unit_that_fails_for_ever_is_given_up_after_a_bounded_number_of_attempts(url, alice):
    rows(url, FAIL_FIRST.format(times=1000, state=SERIALIZATION_FAILURE))

    response = alice("POST", "", json={"title": "Buy milk"})

    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert response.headers["retry-after"] == "1"
    assert attempts(url) == ATTEMPTS
    assert value(url, "SELECT count(*) FROM users") == 0
    assert tasks_of(url, alice.id) == []


def test_unit_whose_commit_is_refused_is_run_again(url, alice):
    rows(url, FAIL_FIRST.format(times=1000, state=SERIALIZATION_FAILURE).replace(*AT_COMMIT))

    response = alice("POST", "", json={"title": "Buy milk"})

    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert attempts(url) == ATTEMPTS
    assert tasks_of(url, alice.id) == []


def test_failure_that_is_no_conflict_is_not_retried_and_says_nothing_of_the_inside(url, alice):
    rows(url, FAIL_FIRST.format(times=1000, state="P0001"))

    with capture_logs() as logs:
        response = alice("POST", "", json={"title": "Buy milk"})

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "again" not in response.text
    assert [("again" in str(log["exc_info"]), log["event"]) for log in logs] == [
        (True, "request.crashed")
    ]
    assert attempts(url) == 1
    assert tasks_of(url, alice.id) == []
    assert alice("GET", "").json()["total"] == 0


def test_deadlock_with_another_session_costs_nothing_but_a_second_try(url, alice):
    alice.create("Buy milk")
    answers = []

    with session(url) as other:
        other.execute("SET deadlock_timeout = '60s'")  # so that the server ends ours, not this one
        other.execute("SELECT 1 FROM tasks WHERE user_id = 'alice' FOR UPDATE")
        update = threading.Thread(
            target=lambda: answers.append(alice("PUT", "1", json={"title": "Buy oat milk"}))
        )
        update.start()
        assert wait_until(lambda: value(url, WAITING) == 1, WAIT_SECONDS)
        other.execute("SELECT 1 FROM users WHERE id = 'alice' FOR UPDATE")  # the other way round
    update.join()

    assert answers[0].status_code == 200
    assert answers[0].json()["title"] == "Buy oat milk"
    assert_books_balance(url, alice.id, changes=2)
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert wait_until(lambda: value(url, deadlocks) == 1, WAIT_SECONDS)


def test_statement_that_takes_too_long_is_503_busy_and_its_connection_lives(url, service_on):
    alice = service_on(url, web_threads=1).caller("alice")
    assert alice("GET", "").status_code == 200
    pid = value(url, OUR_BACKEND)
    rows(url, SLEEP)

    assert_busy(alice("POST", "", json={"title": "Buy milk"}))

    assert value(url, OUR_BACKEND) == pid
    assert tasks_of(url, alice.id) == []


def every_write(caller: Caller) -> list[httpx2.Response]:
    """Send one request of each kind that writes, as many at once as are let on threads."""
    return [
        *together(
            [
                lambda: caller("POST", "", json={"title": "Buy oat milk"}),
                lambda: caller("PUT", "1", json={"title": "Buy oat milk"}),
            ]
        ),
        *together([lambda: caller("PATCH", "1/complete"), lambda: caller("DELETE", "1")]),
    ]


def assert_busy(response: httpx2.Response) -> None:
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert response.headers["retry-after"] == "1"


def test_owner_who_is_locked_by_somebody_else_is_503_busy_and_nothing_is_written(url, alice):
    task = alice.create("Buy milk")

    with session(url) as other:
        other.execute("SELECT 1 FROM users WHERE id = 'alice' FOR UPDATE")
        for response in every_write(alice):
            assert_busy(response)
        assert alice("GET", "").json()["tasks"] == [task]

    assert_books_balance(url, alice.id, changes=1)
    assert alice.create("Buy bread")["revision"] == 2


def test_repeat_that_waits_too_long_is_409_and_the_first_is_503_and_nothing_is_written(url, alice):
    alice.create("Buy milk")
    toggle = partial(alice, "PATCH", "1/complete", headers={"Idempotency-Key": "x"})

    with session(url) as other:
        other.execute("SELECT 1 FROM users WHERE id = 'alice' FOR UPDATE")
        repeat, first = sorted(together([toggle] * 2), key=lambda answer: answer.status_code)

    assert (repeat.status_code, repeat.json()["code"]) == (409, "idempotency_key_in_progress")
    assert repeat.headers["retry-after"] == "1"
    assert_busy(first)
    assert_books_balance(url, alice.id, changes=1)
    assert toggle().json()["revision"] == 2
    assert toggle().headers["idempotency-replayed"] == "true"


def test_unit_that_is_run_again_keeps_one_answer(url, alice):
    rows(url, FAIL_FIRST.format(times=ATTEMPTS - 1, state=SERIALIZATION_FAILURE))
    create = partial(
        alice, "POST", "", json={"title": "Buy milk"}, headers={"Idempotency-Key": "x"}
    )

    first, repeat = create(), create()

    assert attempts(url) == ATTEMPTS
    assert (first.status_code, repeat.json()) == (201, first.json())
    assert repeat.headers["idempotency-replayed"] == "true"
    assert_books_balance(url, alice.id, changes=1)


def test_sqlite_file_that_another_process_writes_to_is_503_busy_and_still_read(
    new_database, service_on
):
    url = new_database("sqlite")
    alice = service_on(url).caller("alice")
    task = alice.create("Buy milk")

    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        for response in every_write(alice):
            assert_busy(response)
        assert alice("GET", "").json()["tasks"] == [task]

    assert_books_balance(url, alice.id, changes=1)
    assert alice.create("Buy bread")["revision"] == 2
