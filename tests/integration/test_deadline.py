"""A deadline belongs to the work it was given to, not to the thread."""

import psycopg2
import pytest

from todo.database import deadline


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
