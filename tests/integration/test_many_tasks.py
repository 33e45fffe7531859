"""A change of very many tasks costs the same for each, whatever the database knows of them.

Cost is what the databases count while they run the very statements that the API sends: rows in
PostgreSQL, steps of the virtual machine in SQLite. No clock. What took 3 s and more for 5,000
tasks was a join that compared each with each, because PostgreSQL had no statistics yet.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.api.expect import refusal
from tests.conftest import DIALECTS, Caller, Service, settings_for
from tests.integration.application import engine_of, running
from tests.integration.locks import holding
from tests.integration.tables import (
    assert_books_balance,
    counters_of,
    never_analyse,
    rows,
    slow_down,
    value,
)
from tests.integration.test_growth import fill, nodes_of, rows_of
from todo.database import deadline
from todo.database.transactions import MANY_SECONDS, go_on, write
from todo.http import responses
from todo.sync import trash, unit_of_work
from todo.sync.unit_of_work import BATCH
from todo.tasks.resource import TASKS

FEW, MANY = 300, 3_000
TIMES = MANY // FEW
SMALL_BATCH = 200
"""With few tasks, too, there are batches, and none may cost what all of the user's tasks do."""
ALLOWED = 1.3
STEPS = 100
"""Instructions of SQLite's virtual machine between two counts."""


def analyse(url: str) -> None:
    rows(url, "ANALYZE")


OPERATIONS: dict[str, Callable[[Caller], Any]] = {
    "complete_all": lambda alice: alice("POST", "complete-all", json={"completed": True}),
    "take that back": lambda alice: alice("POST", "complete-all", json={"completed": False}),
    "rename_tag": lambda a: a("PATCH", f"/api/{a.id}/tags?name=work", json={"name": "home"}),
    "delete_tag": lambda alice: alice("DELETE", f"/api/{alice.id}/tags?name=home"),
    "complete_all again": lambda alice: alice("POST", "complete-all", json={"completed": True}),
    "clear_completed": lambda alice: alice("POST", "clear-completed"),
    "empty_trash": lambda alice: alice("DELETE", f"/api/{alice.id}/trash"),
}
KNOWLEDGE: dict[str, Callable[[str], None]] = {
    "nothing": lambda url: None,
    "that the table is empty": analyse,
    "another user": lambda url: (fill(url, "postgresql", "bob", MANY, trashed=0), analyse(url)),
}
"""What PostgreSQL knows when the tasks are made; nothing analyses them."""

Costs = dict[tuple[str, str], float]
"""What each operation cost for each user."""


def costs_of(service: Service, costing: Callable[[Service, Callable[[], Any]], float]) -> Costs:
    """Do everything for the user with few tasks and for the one with many."""
    costs: Costs = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_of_work, "BATCH", SMALL_BATCH)
        for owner, tasks in (("few", FEW), ("many", MANY)):
            for name, operation in OPERATIONS.items():
                answered: list[Any] = []
                alice = service.caller(owner)
                costs[owner, name] = costing(
                    service, lambda o=operation, a=alice, to=answered: to.append(o(a))
                )
                expected = tasks - tasks // 4 if name == "complete_all" else tasks
                assert (answered[0].status_code, answered[0].json()["changed"]) == (200, expected)
    return costs


def rows_read(service: Service, call: Callable[[], Any]) -> float:
    """Rows that PostgreSQL reads, gives on or throws away for all statements of a request."""
    read = 0.0

    def explain(_c: object, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        nonlocal read
        if statement.startswith(("COMMIT", "BEGIN")):
            return
        commit, cursor.connection.behind = cursor.connection.behind, None
        with cursor.connection.cursor() as other:
            for values in parameters if isinstance(parameters, list) else [parameters]:
                other.execute("SAVEPOINT before")
                other.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
                [[[explained]]] = other.fetchall()
                other.execute("ROLLBACK TO SAVEPOINT before")
                read += sum(read_by(node) for node in nodes_of(explained["Plan"]))
        cursor.connection.behind = commit

    engine = engine_of(service)
    event.listen(engine, "before_cursor_execute", explain)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", explain)
    return read


def read_by(node: dict[str, Any]) -> float:
    """Rows of a node, and pairs of rows that it compared and threw away."""
    if node["Node Type"] == "Bitmap Index Scan":
        return 0  # Its rows are those that the node above reads.
    removed = ("Rows Removed by Join Filter", "Rows Removed by Filter")
    return rows_of(node) + sum(node.get(name, 0) for name in removed) * node["Actual Loops"]


def steps_taken(service: Service, call: Callable[[], Any]) -> float:
    """Steps of SQLite's virtual machine for all statements of a request."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += STEPS

    def watch(_c: object, cursor: Any, *_: object) -> None:
        cursor.connection.set_progress_handler(count, STEPS)

    engine = engine_of(service)
    event.listen(engine, "before_cursor_execute", watch)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", watch)
    return steps


@pytest.fixture(scope="module", params=KNOWLEDGE)
def on_postgresql(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Costs:
    url = new_database("postgresql")
    never_analyse(url)
    KNOWLEDGE[request.param](url)
    for owner, number in (("few", FEW), ("many", MANY)):
        fill(url, "postgresql", owner, number, trashed=0)
    with running(settings_for(url)) as service:
        return costs_of(service, rows_read)


@pytest.fixture(scope="module")
def on_sqlite(new_database: Callable[[str], str]) -> Costs:
    url = new_database("sqlite")
    for owner, number in (("few", FEW), ("many", MANY)):
        fill(url, "sqlite", owner, number, trashed=0)
    with running(settings_for(url)) as service:
        return costs_of(service, steps_taken)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_ten_times_the_tasks_cost_postgresql_ten_times_as_much_whatever_it_knows_of_them(
    on_postgresql: Costs, operation: str
):
    few, many = on_postgresql["few", operation], on_postgresql["many", operation]
    assert few >= FEW
    assert many <= TIMES * ALLOWED * few


def test_a_bulk_reads_the_tasks_that_it_names_and_no_others_whatever_postgresql_knows(new_database):
    url = new_database("postgresql")
    never_analyse(url)
    fill(url, "postgresql", "alice", MANY, trashed=0)
    bulk = {"operations": [{"op": "complete", "id": n, "completed": True} for n in (2, MANY // 3)]}
    answered: list[Any] = []
    with running(settings_for(url)) as service:
        alice = service.caller("alice")
        read = rows_read(service, lambda: answered.append(alice("POST", "bulk", json=bulk)))

    assert answered[0].status_code == 200
    assert read < FEW


@pytest.mark.parametrize("operation", OPERATIONS)
def test_ten_times_the_tasks_cost_sqlite_ten_times_as_much(on_sqlite: Costs, operation: str):
    few, many = on_sqlite["few", operation], on_sqlite["many", operation]
    assert few >= FEW
    assert many <= TIMES * ALLOWED * few


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("number", [BATCH, BATCH + 1])
def test_tasks_of_many_batches_take_their_revisions_in_the_order_of_their_ids(
    new_database, service_on, dialect, number
):
    url = new_database(dialect)
    fill(url, dialect, "alice", number, trashed=0)
    alice = service_on(url).caller("alice")
    answer = OPERATIONS["rename_tag"](alice).json()

    assert answer == {"changed": number, "revision": 2 * number}
    assert value(url, "SELECT count(*) FROM tasks WHERE revision = id + :n", n=number) == number
    assert alice("GET", "?tag=home").json()["total"] == number
    assert_books_balance(url, "alice", changes=2 * number, at_one_moment=False)

    assert OPERATIONS["complete_all"](alice).json()["changed"] == number - number // 4
    by_revision = "SELECT id FROM tasks WHERE revision > :n ORDER BY revision"
    ids = [row["id"] for row in rows(url, by_revision, n=2 * number)]
    assert ids == [task_id for task_id in range(1, number + 1) if task_id % 4]


@pytest.mark.deadlines
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_change_that_does_not_end_in_its_time_is_too_large_and_writes_nothing(
    new_database, service_on, dialect, monkeypatch
):
    url = new_database(dialect)
    fill(url, dialect, "alice", FEW, trashed=0)
    slow_down(url)
    before = counters_of(url, "alice")
    alice = service_on(url).caller("alice")
    with monkeypatch.context() as patch:
        patch.setattr(responses, "MANY_SECONDS", 2.0)
        patch.setattr(deadline, "STATEMENT_SECONDS", 1.0)  # what is more is a long unit of work
        refused = OPERATIONS["complete_all"](alice)

    assert refusal(refused) == {
        "type": "/problems/change_too_large",
        "title": "The change covers too many tasks",
        "status": 422,
        "detail": "The change took too long, because it covers too many tasks at once.",
        "code": "change_too_large",
        "instance": f"{alice.tasks}/complete-all",
    }
    assert "retry-after" not in refused.headers
    assert counters_of(url, "alice") == before
    operations = [{"op": "complete", "id": 1, "completed": True}]
    assert alice("POST", "bulk", json={"operations": operations}).status_code == 200


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_user_whom_somebody_else_holds_locked_is_busy_not_too_large(
    new_database, service_on, dialect
):
    url = new_database(dialect)
    fill(url, dialect, "alice", 4, trashed=0)
    alice = service_on(url).caller("alice")
    with holding(url, "alice"):
        refused = OPERATIONS["complete_all"](alice)

    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert refused.headers["retry-after"] == "1"


def test_a_purge_takes_a_batch_at_a_time(new_database, service_on):
    url = new_database("postgresql")
    fill(url, "postgresql", "alice", 10, trashed=2 * BATCH + 10)
    service = service_on(url)
    sent: dict[str, int] = defaultdict(int)

    @event.listens_for(engine_of(service), "before_cursor_execute")
    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        sent[statement.split(maxsplit=1)[0]] += 1

    with service.application.flask.app_context():
        assert trash.purge(TASKS, days=30) == 2 * BATCH + 10
    # COMMIT goes with the last statement of a batch; alone it ends the look at who has any.
    assert (sent["WITH"], sent["COMMIT"]) == (3, 0)
    assert counters_of(url, "alice")["trashed_tasks"] == 0
    assert value(url, "SELECT count(*) FROM tasks") == 10


@pytest.mark.deadlines
def test_a_statement_may_take_what_its_unit_of_work_has_left_but_for_the_last_second(
    new_database, service_on, monkeypatch
):
    service = service_on(new_database("postgresql"))
    limit = sa.text("SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'")

    def limits(tx: sa.Connection) -> list[int]:
        found = [tx.execute(limit).scalar_one()]
        with monkeypatch.context() as patch:
            patch.setattr(deadline, "remaining", lambda: 10.0)
            go_on(tx)
        return [*found, tx.execute(limit).scalar_one()]

    with service.application.flask.app_context():
        long, later = write(limits, seconds=MANY_SECONDS)
        short = write(lambda tx: tx.execute(limit).scalar_one())
    assert 30_000 < long <= 59_000
    assert later == 9_000
    assert 1_000 < short <= 3_000
