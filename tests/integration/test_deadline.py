"""A deadline belongs to the work it was given to, not to the thread."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest
import sqlalchemy as sa

from tests.api.expect import refusal
from tests.integration.application import engine_of
from tests.integration.tables import value
from todo.database import deadline
from todo.database.transactions import read
from todo.problems import Problem

pytestmark = pytest.mark.deadlines


@pytest.fixture
def connection(new_database):
    """A connection that waits the way the server's do."""
    deadline.install()
    connection = psycopg2.connect(new_database("postgresql"))
    yield connection
    connection.close()


def test_the_next_use_of_a_thread_does_not_inherit_a_deadline_that_has_passed(connection):
    with deadline.scope(0):
        pass

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_work_past_its_deadline_is_given_up(connection):
    with (
        connection.cursor() as cursor,
        deadline.scope(0.1),
        pytest.raises(deadline.DeadlinePassed),
    ):
        cursor.execute("SELECT pg_sleep(30)")


RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%strpos%' AND state = 'active'"


def test_a_search_that_takes_too_long_is_ended_by_postgresql_itself(new_database, service_on):
    url = new_database("postgresql")
    alice = service_on(url).caller()
    alice.create()
    with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor() as pool:
            response = pool.submit(alice, "GET", "?search=milk").result()

        assert refusal(response)["code"] == "busy"
        ours = RUNNING + " AND pid <> pg_backend_pid()"
        cursor.execute(ours)
        assert cursor.fetchone() == (0,)
    assert alice("GET", "?search=milk").json()["total"] == 1
    assert value(url, "SELECT count(*) FROM tasks") == 1


def test_sqlite_gives_up_what_takes_too_long(new_database, service_on):
    service = service_on(new_database("sqlite"))
    forever = sa.text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    )
    engine_of(service)
    with service.application.flask.app_context(), pytest.raises(Problem) as refused:
        read(forever, {})

    assert refused.value.code == "busy"
    assert service.caller().create()["id"] == 1
