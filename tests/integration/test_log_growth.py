"""What is read of a log costs the same, however long the log is: rows in PostgreSQL, or steps."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from tests.conftest import Service, settings_for
from tests.integration.application import engine_of, running
from tests.integration.tables import never_analyse, rows
from tests.integration.test_growth import NUMBERS, nodes_of, rows_of, steps_of_statement
from todo.database.engine import maintenance_engine
from todo.sync.sync_tokens import Place

FEW, MANY = 100, 200_000
"""Entries of a short log, and the most that is kept of a user's."""
TASKS = 20
BEHIND = 10
ALLOWED, MORE = 1.2, 5
NONCE = "0123456789abcdef"
LOG = """
INSERT INTO changes (user_id, revision, unit, nonce, kind, id, op, at, "by", before, after)
SELECT :owner, i, i, :nonce, 'task', i % {tasks} + 1, 'update', {moment}, 'user',
       '{{"title": "x"}}', '{{"title": "y"}}'
  FROM ({numbers}) AS numbers
"""
USER = """
INSERT INTO users (id, revision, open_tasks, done_tasks, trashed_tasks, created_at, updated_at,
                   nonce, logged, counted)
VALUES (:owner, :total, 20, 0, 0, {moment}, {moment}, :nonce, :total, :total)
"""
TASK = """
INSERT INTO tasks (user_id, id, revision, title, title_key, completed, created_at, updated_at,
                   search_key, priority, tags, tags_key)
SELECT :owner, i, :total - i + 1, 'y', 'y', {false}, {moment}, {moment}, 'y', 2, {none}, ''
  FROM ({numbers}) AS numbers
"""
QUERIES: dict[str, Callable[[int], str]] = {
    "changes": lambda last: f"changes?since={Place(last - BEHIND, NONCE).token}",
    "the history": lambda _: "history?limit=20",
    "the history of a task": lambda _: "history?limit=2&task_id=7",
}


def fill(url: str, dialect: str, owner: str, total: int) -> None:
    """Give ``owner`` twenty tasks, and a log of so many entries about them."""
    is_postgresql = dialect == "postgresql"
    words = {
        "tasks": TASKS,
        "moment": "now()" if is_postgresql else "'2026-01-01 00:00:00.000000'",
        "false": "false" if is_postgresql else "0",
        "none": "'[]'::jsonb".replace(":", r"\:") if is_postgresql else "'[]'",
    }
    rows(url, USER.format(**words), owner=owner, total=total, nonce=NONCE)
    numbers = NUMBERS[dialect].replace(":total", str(TASKS))
    rows(url, TASK.format(numbers=numbers, **words), owner=owner, total=total)
    rows(
        url,
        LOG.format(numbers=NUMBERS[dialect], **words),
        owner=owner,
        total=total,
        nonce=NONCE,
    )


def grown(url: str, dialect: str) -> Iterator[Callable[[str, str], Any]]:
    """Returns what gives the statement that answers a query of a user's."""
    for owner, total in (("few", FEW), ("many", MANY)):
        fill(url, dialect, owner, total)
    with running(settings_for(url)) as service:
        yield asking(service)


def asking(service: Service) -> Callable[[str, str], Any]:
    sent: list[Any] = []

    @event.listens_for(engine_of(service), "before_cursor_execute")
    def note(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        sent.append((statement, parameters))

    def statement_of(owner: str, name: str) -> Any:
        sent.clear()
        last = FEW if owner == "few" else MANY
        response = service.caller(owner)("GET", f"/api/me/{QUERIES[name](last)}")
        assert response.status_code == 200, response.text
        assert response.json()["changes"]
        [statement] = sent
        return statement

    return statement_of


@pytest.fixture(scope="module", params=["known", "never analysed"])
def on_postgresql(
    request: pytest.FixtureRequest, new_database: Callable[[str], str]
) -> Iterator[Callable[[str, str], float]]:
    """How many rows PostgreSQL reads, whatever it knows of the tables."""
    url = new_database("postgresql")
    never_analyse(url)
    for statement_of in grown(url, "postgresql"):
        if request.param == "known":
            rows(url, "VACUUM ANALYZE")

        def read(owner: str, name: str, statement_of: Any = statement_of) -> float:
            statement, parameters = statement_of(owner, name)
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
            with maintenance_engine(url).connect() as connection:
                plan = connection.exec_driver_sql(explain, parameters).scalar_one()[0]["Plan"]
            return sum(rows_of(node) for node in nodes_of(plan))

        yield read


@pytest.fixture(scope="module")
def on_sqlite(new_database: Callable[[str], str]) -> Iterator[Callable[[str, str], int]]:
    """How many steps SQLite takes."""
    url = new_database("sqlite")
    for statement_of in grown(url, "sqlite"):

        def steps(owner: str, name: str, statement_of: Any = statement_of) -> int:
            return steps_of_statement(url, *statement_of(owner, name))

        yield steps


@pytest.mark.parametrize("name", QUERIES)
def test_postgresql_reads_as_much_of_a_log_however_long_it_is(on_postgresql, name):
    few, many = on_postgresql("few", name), on_postgresql("many", name)

    assert many <= ALLOWED * few + MORE


@pytest.mark.parametrize("name", QUERIES)
def test_sqlite_takes_as_many_steps_for_a_log_however_long_it_is(on_sqlite, name):
    few, many = on_sqlite("few", name), on_sqlite("many", name)

    assert many <= ALLOWED * few + MORE
