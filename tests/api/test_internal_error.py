"""A defect of the server: the client learns nothing of the inside, the log learns everything but
the data.

The defect is real: the database has a constraint that the product knows nothing of.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from tests.api.expect import a_page, problem, refusal
from tests.conftest import Caller, Service, settings_for
from todo.database.engine import maintenance_engine
from todo.logs import configure
from todo.settings.settings import Settings

SECRET_TITLE = "Secret title"
SECRET_NOTE = "Secret note"
ORIGIN = "http://localhost:3000"
JUST_THAT = "Something went wrong on the server."


@pytest.fixture
def carol(database_url: str, serve: Callable[[Settings], Service]) -> Caller:
    """A user who has a task, on a database that refuses a second one of the same title."""
    engine = maintenance_engine(database_url)
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE UNIQUE INDEX inside ON tasks (user_id, title)"))
    engine.dispose()
    carol = serve(settings_for(database_url)).caller()
    carol.create(title=SECRET_TITLE)
    return carol


@pytest.fixture
def start_log() -> Iterator[Callable[[str], io.StringIO]]:
    """Let the server log in one of its forms from now on, to where the test can read it."""

    def start(form: str) -> io.StringIO:
        configure("info", form)
        (handler,) = logging.getLogger().handlers
        assert isinstance(handler, logging.StreamHandler)
        written = io.StringIO()
        handler.setStream(written)
        return written

    yield start
    logging.getLogger().handlers.clear()


@pytest.fixture
def logged(start_log: Callable[[str], io.StringIO]) -> io.StringIO:
    """What the server logs, one JSON document on each line."""
    return start_log("json")


def break_the_server(carol, **headers):
    """Send the request that the server cannot carry out."""
    fields = {"title": SECRET_TITLE, "description": SECRET_NOTE}
    return carol("POST", "", json=fields, headers=headers)


def test_an_internal_error_says_nothing_of_the_inside(carol, logged):
    response = break_the_server(carol, Origin=ORIGIN)

    assert refusal(response) == problem("internal_error", JUST_THAT, carol.tasks)
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["cache-control"] == "private, no-cache"


def test_an_internal_error_writes_nothing_and_the_server_goes_on(carol, logged):
    before = carol("GET", "").json()
    for _ in range(20):  # more often than there are connections
        break_the_server(carol)

    assert carol("GET", "").json() == before
    task = carol.create(title="Another title")
    assert carol("GET", "").json() == a_page([task, *before["tasks"]])


def test_the_log_has_the_traceback_under_the_request_id(carol, logged):
    break_the_server(carol, **{"X-Request-ID": "find-me-in-the-log"})
    (event,) = [json.loads(line) for line in logged.getvalue().splitlines()]

    assert event["event"] == "request.crashed"
    assert event["request_id"] == "find-me-in-the-log"
    assert event["level"] == "error"
    assert event["exception"].startswith("Traceback (most recent call last):")
    assert "todo/sync/writer.py" in event["exception"]
    assert "todo/handlers/tasks.py" in event["exception"]
    assert "unique constraint" in event["exception"].lower()


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_log_of_an_internal_error_has_no_token_title_or_note(carol, start_log, form):
    written = start_log(form)
    break_the_server(carol, **{"X-Request-ID": "find-me-in-the-log"})
    text = written.getvalue()

    assert "find-me-in-the-log" in text
    assert "todo/sync/writer.py" in text
    kept = [carol.token, SECRET_TITLE, SECRET_NOTE, carol.token.split(".")[2]]
    assert [value for value in kept if value in text] == []


@pytest.fixture
def dave(database_url: str, serve: Callable[[Settings], Service]) -> Caller:
    """A user who has a task, on a database that has lost a column."""
    dave = serve(settings_for(database_url)).caller()
    dave.create(title="Buy milk")
    engine = maintenance_engine(database_url)
    with engine.connect() as connection:
        connection.execute(sa.text("ALTER TABLE tasks RENAME COLUMN title_key TO elsewhere"))
    engine.dispose()
    return dave


def test_the_log_of_a_503_has_its_cause_and_no_title(dave, logged):
    response = dave("PUT", "1", json={"title": SECRET_TITLE})
    (event,) = [json.loads(line) for line in logged.getvalue().splitlines()]

    assert response.status_code == 503
    assert (event["event"], event["code"]) == ("request.failed", "schema_outdated")
    assert event["request_id"] == response.headers["x-request-id"]
    assert "title_key" in event["cause"]
    assert SECRET_TITLE not in event["cause"]


def test_requests_that_are_the_clients_fault_leave_no_trace_in_the_log(carol, logged):
    carol("POST", "", json={"title": ""})
    carol("GET", "9")
    carol("GET", "/api/somebody/tasks")
    carol.client.get(carol.tasks)

    assert logged.getvalue() == ""
